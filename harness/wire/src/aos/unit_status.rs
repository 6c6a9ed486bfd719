//! `unitStatus`: what the unit says about its configuration, nodes, items, instances and subjects (reference
//! section 3.1). The report of one node is in [`super::node`].

use super::{
    error_info::ErrorInfo,
    identity::{Identity, IdentityRule},
    node::NodeReport,
    object::{names, object},
    report::{Context, Fault},
    rule::{NumberRule, Rules, TextRule},
    text::Text,
};
use crate::oddity::OddityKind;

object! {
    /// The state of the unit, in full or as a delta. An absent list is not reported, an empty one says that
    /// nothing of that kind exists.
    #[derive(Default)]
    pub struct UnitStatus<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// True: only what changed. False: everything.
        "isDeltaInfo" => expected is_delta_info: bool;
        /// The current configuration and the one that just failed.
        "unitConfig" => optional unit_config: Option<Vec<UnitConfigStatus<S>>> = Rules::NONE.list(2);
        /// The nodes.
        "nodes" => optional nodes: Option<Vec<NodeReport<S>>> = Rules::NONE.list(16);
        /// Installed items and those on their way.
        "items" => optional items: Option<Vec<ItemStatus<S>>> = Rules::NONE.list(64);
        /// Instances by item, subject and version.
        "instances" => optional instances: Option<Vec<InstancesStatus<S>>> = Rules::NONE.list(256);
        /// Subjects known on the unit.
        "subjects" => optional subjects: Option<Vec<Identity<S>>>
            = Rules::identity(IdentityRule::EITHER).list(64);
    }
    cross full_is_complete;
    settle settle_full;
}

names! {
    /// What became of a unit configuration.
    pub enum UnitConfigState {
        /// There is none.
        Absent = "absent",
        /// In force.
        Installed = "installed",
        /// Refused or broken.
        Failed = "failed",
    }
}

object! {
    /// One unit configuration.
    pub struct UnitConfigStatus<S> {
        /// Its version.
        "version" => optional version: Option<S> = Rules::most(32);
        /// What became of it.
        "state" => required state: UnitConfigState;
        /// Why it failed.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
}

names! {
    /// Where an item is between download and removal (reference section 3.0).
    pub enum ItemState {
        /// Nothing known.
        Unknown = "unknown",
        /// Its blobs are being fetched.
        Downloading = "downloading",
        /// Fetched, waiting.
        Pending = "pending",
        /// Being installed.
        Installing = "installing",
        /// Installed.
        Installed = "installed",
        /// Being removed.
        Removing = "removing",
        /// Gone.
        Removed = "removed",
        /// Could not be obtained or installed.
        Failed = "failed",
    }
}

object! {
    /// One item.
    pub struct ItemStatus<S> {
        /// The item, by id or code name, with its type.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::EITHER_AND_TYPE);
        /// Its version.
        "version" => required version: S = Rules::most(32);
        /// Its state.
        "state" => required state: ItemState;
        /// Why it failed.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
}

names! {
    /// The state of one running instance (reference section 3.0).
    pub enum InstanceState {
        /// Being started.
        Activating = "activating",
        /// Running.
        Active = "active",
        /// Stopped.
        Inactive = "inactive",
        /// Ended badly or could not start.
        Failed = "failed",
    }
}

object! {
    /// The instances of one version of an item for one subject.
    pub struct InstancesStatus<S> {
        /// The item, by id or code name, with its type.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::EITHER_AND_TYPE);
        /// The subject, by id or code name.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// Version of the item.
        "version" => required version: S = Rules::most(32);
        /// Its instances.
        "instances" => required instances: Vec<InstanceStatus<S>>;
    }
}

object! {
    /// One instance.
    pub struct InstanceStatus<S> {
        /// Where it runs.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// What runs it.
        "runtime" => required runtime: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Its number, from 0.
        "instance" => required instance: u64 = Rules::number(NumberRule::NotNegative);
        /// Hex checksum of its stored state.
        "stateChecksum" => optional state_checksum: Option<S> = Rules::text(TextRule::StateChecksum);
        /// Its state.
        "state" => required state: InstanceState;
        /// Why it failed.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
    }
}

fn full_is_complete<S: Text>(
    status: &UnitStatus<S>,
    _rules: &Rules,
    _context: Context,
    tell: &mut dyn FnMut(&'static str, Fault),
) {
    if status.is_delta_info {
        return;
    }
    let parts = [
        ("unitConfig", status.unit_config.is_some()),
        ("nodes", status.nodes.is_some()),
        ("items", status.items.is_some()),
        ("instances", status.instances.is_some()),
        ("subjects", status.subjects.is_some()),
    ];
    for (name, present) in parts {
        if !present {
            let detail = "a full report has this list";
            tell(name, Fault::tolerable(OddityKind::MissingMember, detail));
        }
    }
}

#[cfg(any(test, feature = "strategies"))]
fn settle_full<S: Text>(
    status: &mut UnitStatus<S>,
    _rules: &Rules,
    _context: Context,
    _tape: &mut super::draw::Tape<'_>,
) {
    if !status.is_delta_info {
        status.unit_config.get_or_insert_default();
        status.nodes.get_or_insert_default();
        status.items.get_or_insert_default();
        status.instances.get_or_insert_default();
        status.subjects.get_or_insert_default();
    }
}
