//! Who or what a message speaks about: the identity object (reference section 3.0) and which of its members
//! each place needs.

use super::{
    object::{names, object},
    report::{Context, Fault},
    rule::Rules,
    text::Text,
};
use crate::oddity::{OddityKind, Weight};

names! {
    /// What kind of thing an identity names (reference section 3.0).
    pub enum IdentityType {
        /// A service.
        Service = "service",
        /// A component of the unit's software.
        Component = "component",
        /// A layer shared by services.
        Layer = "layer",
        /// A subject: who services run for.
        Subject = "subject",
        /// A manufacturer.
        Oem = "oem",
        /// A service provider.
        ServiceProvider = "sp",
        /// A fleet.
        Fleet = "fleet",
        /// A node.
        Node = "node",
        /// A subject that groups nodes: the node type.
        NodeSubject = "node-subject",
        /// A runtime of a node.
        Runtime = "runtime",
    }
}

object! {
    /// Names an item, subject, owner, node or runtime. All members are optional in general; what the cloud
    /// assigns has an `id`, what the unit knows by itself a `codename`. Texts that are rare are boxed: messages
    /// hold many identities.
    #[derive(Eq, Hash, Default)]
    pub struct Identity<S> {
        /// UUID given by the cloud, at most 64 characters.
        "id" => optional id: Option<S> = Rules::most(64);
        /// Name given on the unit, at most 64 characters.
        "codename" => optional codename: Option<S> = Rules::most(64);
        /// Kind of thing; an unknown kind is read as absent.
        "type" => optional kind: Option<IdentityType> = Rules::NONE.tolerating_unknown_names();
        /// Title for people.
        "title" => optional title: Option<Box<S>>;
        /// Description for people (publisher's schema only).
        "description" => optional description: Option<Box<S>>;
        /// Uniform resource name (publisher's schema only).
        "urn" => optional urn: Option<Box<S>>;
    }
    cross check;
    settle settle_identity;
}

impl Identity {
    /// An identity by cloud id.
    pub fn id(id: impl Into<String>) -> Self {
        Identity {
            id: Some(id.into()),
            ..Identity::default()
        }
    }

    /// An identity by code name.
    pub fn codename(codename: impl Into<String>) -> Self {
        Identity {
            codename: Some(codename.into()),
            ..Identity::default()
        }
    }

    /// The same identity with a title for people.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(Box::new(title.into()));
        self
    }

    /// The same identity with its kind.
    #[must_use]
    pub fn of_type(mut self, kind: IdentityType) -> Self {
        self.kind = Some(kind);
        self
    }
}

impl<S: Text> Identity<S> {
    /// The id if there is one, else the code name; empty if there is neither.
    pub fn name(&self) -> &str {
        self.id
            .as_ref()
            .or(self.codename.as_ref())
            .map_or("", AsRef::as_ref)
    }
}

/// Which members of an identity a place needs; the weight says how much it matters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdentityRule {
    pub(crate) id: Option<Weight>,
    pub(crate) codename: Option<Weight>,
    pub(crate) either: Option<Weight>,
    pub(crate) kind: Option<Weight>,
}

impl IdentityRule {
    pub(crate) const ANY: IdentityRule = IdentityRule {
        id: None,
        codename: None,
        either: None,
        kind: None,
    };
    /// A node or runtime: the code name is its name.
    pub(crate) const CODENAME: IdentityRule = IdentityRule {
        codename: Some(Weight::Invalid),
        ..IdentityRule::ANY
    };
    /// Something the cloud assigned.
    pub(crate) const ID: IdentityRule = IdentityRule {
        id: Some(Weight::Invalid),
        ..IdentityRule::ANY
    };
    /// The same where the reference names the member without requiring it.
    pub(crate) const USUALLY_ID: IdentityRule = IdentityRule {
        id: Some(Weight::Tolerable),
        ..IdentityRule::ANY
    };
    /// An item of the desired status.
    pub(crate) const ID_AND_TYPE: IdentityRule = IdentityRule {
        kind: Some(Weight::Invalid),
        ..IdentityRule::ID
    };
    /// An item or subject on the unit.
    pub(crate) const EITHER: IdentityRule = IdentityRule {
        either: Some(Weight::Invalid),
        ..IdentityRule::ANY
    };
    /// An item of the unit status.
    pub(crate) const EITHER_AND_TYPE: IdentityRule = IdentityRule {
        kind: Some(Weight::Tolerable),
        ..IdentityRule::EITHER
    };
}

fn check<S: Text>(
    identity: &Identity<S>,
    rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    let rule = rules.identity;
    let lacks = |member: &Option<S>| member.as_ref().is_none_or(|text| text.as_ref().is_empty());
    let mut missing = |name, weight| {
        if let Some(weight) = weight {
            let detail = "this identity needs the member here";
            tell(name, Fault::weighing(weight, OddityKind::MissingMember, detail));
        }
    };
    if rule.id.is_some() && lacks(&identity.id) {
        missing("id", rule.id);
    }
    if rule.codename.is_some() && lacks(&identity.codename) {
        missing("codename", rule.codename);
    }
    if rule.either.is_some() && lacks(&identity.id) && lacks(&identity.codename) {
        missing("", rule.either);
    }
    if rule.kind.is_some() && identity.kind.is_none() {
        missing("type", rule.kind);
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_identity<S: Text>(
    identity: &mut Identity<S>,
    rules: &Rules,
    _context: Context,
    tape: &mut super::draw::Tape<'_>,
) {
    let rule = rules.identity;
    let mut fill = |member: &mut Option<S>| {
        if member.as_ref().is_none_or(|text| text.as_ref().is_empty()) {
            *member = Some(S::from(&tape.uuid()));
        }
    };
    if rule.id.is_some() || rule.either.is_some() {
        fill(&mut identity.id);
    }
    if rule.codename.is_some() {
        fill(&mut identity.codename);
    }
    if rule.kind.is_some() && identity.kind.is_none() {
        identity.kind = Some(*tape.pick(IdentityType::ALL));
    }
}
