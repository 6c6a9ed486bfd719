//! `monitoringData`: resource use of nodes and instances over time (reference section 3.2).

use super::{
    identity::{Identity, IdentityRule},
    node::NodeState,
    object::object,
    rule::{Missing, Rules, TextRule},
    unit_status::InstanceState,
};
use serde_json::Number;

object! {
    /// Samples of every node and running instance.
    #[derive(Default)]
    pub struct MonitoringData<S> {
        /// Unusual here; allowed in every message.
        "correlationId" => optional correlation_id: Option<S> = Rules::text(TextRule::Correlation);
        /// By node.
        "nodes" => required nodes: Vec<NodeMonitoring<S>> = Rules::NONE.list(16);
        /// By instance.
        "instances" => optional instances: Option<Vec<InstanceMonitoring<S>>> = Rules::NONE.list(256);
    }
}

object! {
    /// What happened on one node.
    pub struct NodeMonitoring<S> {
        /// The node, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Changes of its state.
        "nodeStates" => optional node_states: Option<Vec<NodeStateChange<S>>>;
        /// Samples, oldest first.
        "items" => required items: Vec<Sample<S>> = Rules::NONE.list(16);
    }
}

object! {
    /// A change of a node's state.
    pub struct NodeStateChange<S> {
        /// When.
        "timestamp" => required timestamp: S = Rules::text(TextRule::Timestamp);
        /// The new state.
        "state" => required state: NodeState;
        /// Whether the main node reaches it.
        "isConnected" | "connected" => required is_connected: bool;
    }
}

object! {
    /// What happened to one instance.
    pub struct InstanceMonitoring<S> {
        /// The item.
        "item" => required item: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// The subject.
        "subject" => required subject: Identity<S> = Rules::identity(IdentityRule::EITHER);
        /// Number of the instance.
        "instance" => expected instance: u64 = Rules::NONE.missing(Missing::InvalidFromUnit);
        /// Where it runs, by code name.
        "node" => required node: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Changes of its state.
        "itemStates" => required item_states: Vec<InstanceStateChange<S>>;
        /// Samples, oldest first.
        "items" => required items: Vec<Sample<S>> = Rules::NONE.list(16);
    }
}

object! {
    /// A change of an instance's state.
    pub struct InstanceStateChange<S> {
        /// When.
        "timestamp" => required timestamp: S = Rules::text(TextRule::Timestamp);
        /// The new state.
        "state" => required state: InstanceState;
    }
}

object! {
    /// One sample.
    pub struct Sample<S> {
        /// When.
        "timestamp" => required timestamp: S = Rules::text(TextRule::Timestamp);
        /// Memory in bytes.
        "ram" => required ram: u64;
        /// Computing power in DMIPS; units may write a fraction (reference section 0, row D26).
        "cpu" => required cpu: Number;
        /// Bytes received.
        "download" => required download: u64;
        /// Bytes sent.
        "upload" => required upload: u64;
        /// Use of partitions.
        "partitions" => optional partitions: Option<Vec<PartitionUsage<S>>> = Rules::NONE.list(4);
    }
}

object! {
    /// Use of one partition.
    pub struct PartitionUsage<S> {
        /// Its name.
        "name" => required name: S = Rules::most(64);
        /// Bytes in use.
        "usedSize" => required used_size: u64;
    }
}
