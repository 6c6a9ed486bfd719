//! `desiredStatus`: what the cloud wants the unit to be (reference section 3.17). The unit configuration in it
//! is in [`super::unit_config`].

use super::{
    identity::{Identity, IdentityRule},
    object::{names, object},
    report::{Context, Fault},
    rule::{Rules, TextRule},
    text::Text,
    unit_config::UnitConfig,
};
use crate::oddity::OddityKind;

object! {
    /// The desired state of the unit. Lists are complete: what is missing from them is removed.
    #[derive(Default)]
    pub struct DesiredStatus<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// Nodes to pause or to resume.
        "nodes" => optional nodes: Option<Vec<DesiredNode<S>>> = Rules::NONE.list(16);
        /// The unit configuration.
        "unitConfig" => optional unit_config: Option<UnitConfig<S>>;
        /// The items to have. Units of version 9.1.1 remove everything if it is absent.
        "items" => optional items: Option<Vec<DesiredItem<S>>> = Rules::NONE.list(64);
        /// The instances to run.
        "instances" => optional instances: Option<Vec<DesiredInstances<S>>> = Rules::NONE.list(256);
        /// Subjects of those instances.
        "subjects" => optional subjects: Option<Vec<DesiredSubject<S>>> = Rules::NONE.list(64);
        /// Certificates of signers.
        "certificates" => optional certificates: Option<Vec<SignerCertificate<S>>> = Rules::NONE.list(32);
        /// Chains of those certificates.
        "certificateChains" => optional certificate_chains: Option<Vec<CertificateChain<S>>> = Rules::NONE.list(8);
        /// All of the above as Base64 of CMS EnvelopedData, a dialect option (reference section 5.4).
        "encrypted" => optional encrypted: Option<S> = Rules::text(TextRule::Base64(usize::MAX));
    }
    cross encryption_is_an_option;
    settle settle_encrypted;
}

names! {
    /// What the cloud can ask of a node.
    pub enum DesiredNodeState {
        /// At work.
        Provisioned = "provisioned",
        /// Paused.
        Paused = "paused",
    }
}

object! {
    /// The desired state of one node.
    pub struct DesiredNode<S> {
        /// The node, by code name.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Its state.
        "state" => required state: DesiredNodeState;
    }
}

object! {
    /// One item to have.
    #[derive(Default)]
    pub struct DesiredItem<S> {
        /// The item: id and type.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::ID_AND_TYPE);
        /// Its semantic version.
        "version" => required version: S = Rules::text(TextRule::Version);
        /// Its owner, by id.
        "owner" => required owner: Identity<S> = Rules::identity(IdentityRule::ID);
        /// `sha256:<64 hex>` of its image index.
        "indexDigest" => required index_digest: S = Rules::text(TextRule::Digest);
    }
}

object! {
    /// Instances of one item for one subject.
    #[derive(Default)]
    pub struct DesiredInstances<S> {
        /// The item, by id.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::USUALLY_ID);
        /// The subject, by id.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::USUALLY_ID);
        /// Higher goes first; absent means 0.
        "priority" => optional priority: Option<i64>;
        /// How many. The sources disagree about its default, so it should be there; 0 stands in.
        "numInstances" => expected num_instances: u64;
        /// Labels of nodes to run on.
        "labels" => optional labels: Option<Vec<S>> = Rules::most(64).list(4);
    }
}

names! {
    /// What a subject stands for.
    pub enum SubjectType {
        /// A group of units.
        Group = "group",
        /// A person.
        User = "user",
    }
}

object! {
    /// One subject.
    pub struct DesiredSubject<S> {
        /// The subject, by id.
        "identity" => required identity: Identity<S> = Rules::identity(IdentityRule::USUALLY_ID);
        /// What it stands for.
        "type" => required kind: SubjectType;
        /// Whether the unit reported it first; absent means no.
        "isReportedFromUnit" => optional is_reported_from_unit: Option<bool>;
    }
}

object! {
    /// A certificate that can verify signatures of blobs.
    #[derive(Default)]
    pub struct SignerCertificate<S> {
        /// Base64 of DER, at most 2048 bytes.
        "certificate" => required certificate: S = Rules::text(TextRule::Base64(2048));
        /// Its fingerprint; text that is compared without regard to case.
        "fingerprint" => required fingerprint: S = Rules::most(64);
    }
}

object! {
    /// A chain of certificates.
    #[derive(Default)]
    pub struct CertificateChain<S> {
        /// The name signatures refer to.
        "name" => required name: S = Rules::most(64);
        /// Fingerprints, signer first.
        "fingerprints" => required fingerprints: Vec<S> = Rules::most(64).list(4);
    }
}

fn encryption_is_an_option<S: Text>(
    status: &DesiredStatus<S>,
    _rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    if status.encrypted.is_some() {
        tell(
            "encrypted",
            Fault::tolerable(OddityKind::Dialect, "an encrypted desired status"),
        );
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_encrypted<S: Text>(
    status: &mut DesiredStatus<S>,
    _rules: &Rules,
    _context: Context,
    _tape: &mut super::draw::Tape<'_>,
) {
    status.encrypted = None;
}
