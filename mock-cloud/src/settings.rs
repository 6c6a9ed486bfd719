//! How a mock cloud is set up.

use hil_wire::Protocol;
use serde_json::{Map, Value};

/// Settings of one mock cloud. Everything a unit must be told follows from them.
#[derive(Clone, Debug)]
pub struct CloudSettings {
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// Address or name its faces listen on; in memory any name.
    pub bind: String,
    /// Host name units are told.
    pub advertised_host: String,
    /// Ports by face; a missing face gets a free one.
    pub ports: std::collections::BTreeMap<String, u16>,
    /// Public URL put into download links instead of the advertised address.
    pub public_url: Option<String>,
    /// Identity of the unit at this cloud.
    pub unit_id: String,
    /// Key or token of the unit.
    pub unit_key: String,
    /// Token of operators.
    pub admin_token: String,
    /// Token of publishers.
    pub publish_token: String,
    /// Options of the protocol, such as `mode: direct` or `redirect_downloads: true`.
    pub options: Map<String, Value>,
    /// Seed of everything the cloud makes up.
    pub seed: u64,
}

impl CloudSettings {
    /// An option as a flag; absent = false.
    pub fn flag(&self, name: &str) -> bool {
        self.options.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// An option as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.options.get(name).and_then(Value::as_str)
    }
}
