//! What a unit is given: where the cloud is, who it is there, its clock, network and images.

use crate::Artifacts;
use hil_link::{Address, Clock, Network, pki::Identity};
use hil_trace::SharedRecorder;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// Where the mock cloud is and what the unit proves itself with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Settings by name, such as `base_url`, `device_key`, `discovery_url`, `system_id`. A process gets each as the
    /// environment variable `HIL_<NAME>` and the placeholder `{name}`.
    pub settings: BTreeMap<String, String>,
    /// The authority the unit must trust, PEM; empty = plain transport.
    pub authority: String,
    /// TLS client identities by name, such as `online`, `offline`.
    pub identities: BTreeMap<String, Identity>,
    /// Names of the identities the unit has to do without.
    pub missing_identities: BTreeSet<String>,
}

impl Endpoints {
    /// A setting, empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// Adds or replaces a setting.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.insert(name.to_owned(), value.into());
    }
}

/// Everything around a unit on one bench.
#[derive(Clone)]
pub struct Surroundings {
    /// The bench's clock.
    pub clock: Clock,
    /// The bench's network.
    pub network: Network,
    /// Where the driver leaves console output and changes in the unit's life.
    pub recorder: SharedRecorder,
    /// The cloud's side.
    pub endpoints: Endpoints,
    /// Images by role.
    pub artifacts: Artifacts,
    /// Where the unit must listen (name to address), for units that are the server: `rpc-http`, `rpc-serial`,
    /// `sota-http`, `sota-websocket`, `sota-commands`, `device-direct`; and where the cloud serves it: `sota-events`,
    /// `sota-bus`.
    pub faces: BTreeMap<String, Address>,
    /// Times of the unit in seconds.
    pub timing: Map<String, Value>,
    /// Optional features and options.
    pub ics: Map<String, Value>,
    /// Sub-seed of this instance.
    pub seed: u64,
    /// A folder for the unit's files that lives as long as the instance; real benches only.
    pub state_directory: Option<PathBuf>,
}
