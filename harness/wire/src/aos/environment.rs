//! Environment variables of instances: `overrideEnvVars` and `overrideEnvVarsStatus` (reference sections 3.19
//! and 3.7).

use super::{
    error_info::ErrorInfo,
    identity::Identity,
    object::object,
    report::{Context, Fault},
    rule::{Missing, Rules, TextRule},
    text::Text,
};
use crate::oddity::OddityKind;

object! {
    /// The cloud sets variables; the set replaces the one before.
    #[derive(Default)]
    pub struct OverrideEnvVars<S> {
        /// Ties the status to this request.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// Instances and their variables.
        "items" => required items: Vec<EnvVarsEntry<S>> = Rules::NONE.list(256);
    }
}

object! {
    /// The variables of all instances that match; what is absent matches every instance.
    #[derive(Default)]
    pub struct EnvVarsEntry<S> {
        /// The item.
        "item" => optional item: Option<Identity<S>>;
        /// The subject.
        "subject" => optional subject: Option<Identity<S>>;
        /// Number of the instance.
        "instance" => optional instance: Option<u64>;
        /// The variables.
        "variables" => required variables: Vec<EnvVar<S>> = Rules::NONE.list(16);
    }
}

object! {
    /// One variable.
    #[derive(Default)]
    pub struct EnvVar<S> {
        /// Its name, at most 64 characters.
        "name" => required name: S = Rules::text(TextRule::Name(64));
        /// Its value, at most 256 characters.
        "value" => required value: S = Rules::most(256);
        /// Until when it holds.
        "ttl" => optional ttl: Option<S> = Rules::text(TextRule::Timestamp);
    }
}

object! {
    /// The unit says which variables it set.
    #[derive(Default)]
    pub struct OverrideEnvVarsStatus<S> {
        /// That of the request, if it had one.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// One entry per instance and variable.
        "statuses" => required statuses: Vec<EnvVarStatus<S>>;
    }
}

object! {
    /// What became of one variable of one instance.
    #[derive(Default)]
    pub struct EnvVarStatus<S> {
        /// The item; it may be empty where a filter without an item found no instance to name.
        "item" => required item: Identity<S>;
        /// The subject; the same.
        "subject" | "subjectId" => required subject: Identity<S>;
        /// Number of the instance.
        "instance" => expected instance: u64 = Rules::NONE.missing(Missing::InvalidFromUnit);
        /// Name of the variable.
        "name" => required name: S = Rules::text(TextRule::Name(64));
        /// Why it was not set; absent if it was.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
    cross what_is_set_is_named;
    settle settle_status;
}

fn what_is_set_is_named<S: Text>(
    status: &EnvVarStatus<S>,
    _rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    if status.error_info.is_some() {
        return;
    }
    for (name, identity) in [("item", &status.item), ("subject", &status.subject)] {
        if identity.name().is_empty() {
            let detail = "a variable that was set belongs to an instance with an id or a code name";
            tell(name, Fault::invalid(OddityKind::MissingMember, detail));
        }
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_status<S: Text>(
    status: &mut EnvVarStatus<S>,
    _rules: &Rules,
    _context: Context,
    tape: &mut super::draw::Tape<'_>,
) {
    if status.error_info.is_some() {
        return;
    }
    for identity in [&mut status.item, &mut status.subject] {
        if identity.name().is_empty() {
            identity.id = Some(S::from(&tape.uuid()));
        }
    }
}
