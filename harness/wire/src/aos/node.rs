//! What the unit reports about one node: hardware, software, partitions, runtimes and resources (reference
//! section 3.1).

use super::{
    attributes::Attributes,
    error_info::ErrorInfo,
    identity::{Identity, IdentityRule},
    object::{names, object},
    rule::Rules,
};

names! {
    /// Whether a node belongs to the unit and takes part (reference section 3.0).
    pub enum NodeState {
        /// Not yet provisioned.
        Unprovisioned = "unprovisioned",
        /// Provisioned and at work.
        Provisioned = "provisioned",
        /// Provisioned and told to pause.
        Paused = "paused",
        /// Broken.
        Error = "error",
    }
}

object! {
    /// One node.
    pub struct NodeReport<S> {
        /// The node: code name and title.
        "identity" => required identity: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// The node type, by code name.
        "nodeGroupSubject" => required node_group_subject: Identity<S>
            = Rules::identity(IdentityRule::CODENAME);
        /// Computing power in DMIPS.
        "maxDmips" => required max_dmips: u64;
        /// Built-in memory in bytes.
        "physicalRam" => optional physical_ram: Option<u64>;
        /// Usable memory in bytes.
        "totalRam" => required total_ram: u64;
        /// The operating system.
        "osInfo" => required os_info: OsInfo<S>;
        /// The processors.
        "cpus" => optional cpus: Option<Vec<CpuInfo<S>>>;
        /// Free attributes.
        "attrs" => optional attributes: Option<Attributes<S>>;
        /// The partitions.
        "partitions" => optional partitions: Option<Vec<PartitionInfo<S>>> = Rules::NONE.list(4);
        /// Its state.
        "state" => required state: NodeState;
        /// Whether the main node reaches it.
        "isConnected" | "connected" => required is_connected: bool;
        /// Why it is in state error.
        "errorInfo" => optional error_info: Option<ErrorInfo<S>>;
        /// What can run items there.
        "runtimes" => optional runtimes: Option<Vec<RuntimeInfo<S>>>;
        /// Devices that can be shared.
        "resources" => optional resources: Option<Vec<ResourceInfo<S>>>;
    }
}

object! {
    /// An operating system.
    #[derive(Default)]
    pub struct OsInfo<S> {
        /// Its name, such as `linux`.
        "os" => required os: S = Rules::most(64);
        /// Its version.
        "version" => optional version: Option<S> = Rules::most(64);
        /// Features of it.
        "features" => optional features: Option<Vec<S>> = Rules::most(64);
    }
}

object! {
    /// A processor architecture.
    #[derive(Default)]
    pub struct ArchInfo<S> {
        /// Its name, such as `arm64`.
        "architecture" => required architecture: S = Rules::most(64);
        /// A variant, such as `v8`.
        "variant" => optional variant: Option<S> = Rules::most(64);
    }
}

object! {
    /// One processor.
    pub struct CpuInfo<S> {
        /// Name of the model.
        "modelName" => optional model_name: Option<S> = Rules::most(64);
        /// Number of cores.
        "totalNumCores" => optional total_num_cores: Option<u64>;
        /// Number of hardware threads.
        "totalNumThreads" => optional total_num_threads: Option<u64>;
        /// Its architecture.
        "archInfo" => required arch_info: ArchInfo<S>;
        /// Computing power in DMIPS.
        "maxDmips" => optional max_dmips: Option<u64>;
    }
}

object! {
    /// One partition.
    pub struct PartitionInfo<S> {
        /// Its name.
        "name" => required name: S = Rules::most(64);
        /// Where it is mounted.
        "path" => optional path: Option<S>;
        /// What it is for, such as `states`.
        "types" => required types: Vec<S> = Rules::most(64);
        /// Its size in bytes.
        "totalSize" => required total_size: u64;
    }
}

object! {
    /// One runtime of a node.
    pub struct RuntimeInfo<S> {
        /// The runtime, by code name.
        "identity" => required identity: Identity<S> = Rules::identity(IdentityRule::CODENAME);
        /// Its type, such as `crun`.
        "runtimeType" => required runtime_type: S = Rules::most(64);
        /// The architecture it runs.
        "archInfo" => required arch_info: ArchInfo<S>;
        /// The operating system it runs.
        "osInfo" => required os_info: OsInfo<S>;
        /// Computing power in DMIPS.
        "maxDmips" => optional max_dmips: Option<u64>;
        /// Computing power items may use, in DMIPS.
        "allowedDmips" => optional allowed_dmips: Option<u64>;
        /// Memory in bytes.
        "totalRam" => optional total_ram: Option<u64>;
        /// Memory items may use, in bytes.
        "allowedRam" => optional allowed_ram: Option<u64>;
        /// How many instances it can run.
        "maxInstances" => required max_instances: u64;
    }
}

object! {
    /// A device instances can use.
    pub struct ResourceInfo<S> {
        /// Its name.
        "name" => required name: S = Rules::most(64);
        /// How many instances may share it.
        "sharedCount" => required shared_count: u64;
    }
}
