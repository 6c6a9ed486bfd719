//! The unit configuration of a desired status: alert rules, resource ratios, labels and priority by node
//! (reference section 3.17).

use super::{
    identity::{Identity, IdentityRule},
    object::object,
    rule::{NumberRule, Rules, TextRule},
};
use serde_json::Number;

object! {
    /// A unit configuration. A version not above the installed one is refused by the unit.
    #[derive(Default)]
    pub struct UnitConfig<S> {
        /// Its semantic version.
        "version" => required version: S = Rules::text(TextRule::Version);
        /// Version of this format.
        "formatVersion" => required format_version: S = Rules::most(32);
        /// By node type or node.
        "nodes" => optional nodes: Option<Vec<NodeConfig<S>>> = Rules::NONE.list(16);
    }
}

object! {
    /// The configuration of a node type, or of one node of it.
    #[derive(Default)]
    pub struct NodeConfig<S> {
        /// One node, by code name.
        "node" => optional node: Option<Identity<S>> = Rules::identity(IdentityRule::CODENAME);
        /// The node type, by code name.
        "nodeGroupSubject" => required node_group_subject: Identity<S>
            = Rules::identity(IdentityRule::CODENAME);
        /// Version of this entry.
        "version" => optional version: Option<S> = Rules::most(32);
        /// When to raise alerts.
        "alertRules" => optional alert_rules: Option<AlertRules<S>>;
        /// How to share resources.
        "resourceRatios" => optional resource_ratios: Option<ResourceRatios>;
        /// Labels instances can ask for.
        "labels" => optional labels: Option<Vec<S>> = Rules::most(64).list(4);
        /// Higher is filled first.
        "priority" => optional priority: Option<i64>;
    }
}

object! {
    /// When to raise quota alerts.
    #[derive(Default)]
    pub struct AlertRules<S> {
        /// Processor, in percent.
        "cpu" => optional cpu: Option<AlertRule>;
        /// Memory, in percent.
        "ram" => optional ram: Option<AlertRule>;
        /// Partitions, in percent.
        "partitions" => optional partitions: Option<Vec<PartitionAlertRule<S>>> = Rules::NONE.list(4);
        /// Received bytes.
        "download" => optional download: Option<TrafficAlertRule>;
        /// Sent bytes.
        "upload" => optional upload: Option<TrafficAlertRule>;
    }
}

object! {
    /// A rule in percent.
    #[derive(Eq)]
    pub struct AlertRule {
        /// Seconds beyond the threshold before an alert; units round to whole seconds.
        "minTimeout" => optional min_timeout: Option<Number> = Rules::number(NumberRule::Seconds);
        /// The alert ends below this.
        "minThreshold" => required min_threshold: Number;
        /// The alert begins above this.
        "maxThreshold" => required max_threshold: Number;
    }
}

object! {
    /// A rule for one partition, in percent.
    pub struct PartitionAlertRule<S> {
        /// Its name.
        "name" => required name: S = Rules::most(64);
        /// Seconds beyond the threshold before an alert.
        "minTimeout" => optional min_timeout: Option<Number> = Rules::number(NumberRule::Seconds);
        /// The alert ends below this.
        "minThreshold" => required min_threshold: Number;
        /// The alert begins above this.
        "maxThreshold" => required max_threshold: Number;
    }
}

object! {
    /// A rule in bytes.
    #[derive(Eq)]
    pub struct TrafficAlertRule {
        /// Seconds beyond the threshold before an alert.
        "minTimeout" => optional min_timeout: Option<Number> = Rules::number(NumberRule::Seconds);
        /// The alert ends below this.
        "minThreshold" => required min_threshold: u64;
        /// The alert begins above this.
        "maxThreshold" => required max_threshold: u64;
    }
}

object! {
    /// Shares of resources, in percent.
    #[derive(Eq, Default)]
    pub struct ResourceRatios {
        /// Processor.
        "cpu" => optional cpu: Option<Number>;
        /// Memory.
        "ram" => optional ram: Option<Number>;
        /// Storage.
        "storage" => optional storage: Option<Number>;
        /// State storage.
        "state" => optional state: Option<Number>;
    }
}
