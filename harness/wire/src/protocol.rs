//! The names of the protocols, as users write them.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One of the five protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Edge poll API: commands and snap updates.
    EdgePoll,
    /// Device command API.
    DeviceCommand,
    /// AosEdge unit-to-cloud protocol, version 7.
    #[serde(rename = "aos-v7")]
    AosV7,
    /// SOTA client commands and events, and its Core API.
    Sota,
    /// Mongoose OS OTA RPCs.
    OtaRpc,
}

impl Protocol {
    /// Every protocol, in the order reports list them.
    pub const ALL: [Protocol; 5] = [
        Protocol::EdgePoll,
        Protocol::DeviceCommand,
        Protocol::AosV7,
        Protocol::Sota,
        Protocol::OtaRpc,
    ];

    /// The name used in files, on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::EdgePoll => "edge-poll",
            Protocol::DeviceCommand => "device-command",
            Protocol::AosV7 => "aos-v7",
            Protocol::Sota => "sota",
            Protocol::OtaRpc => "ota-rpc",
        }
    }

    /// The prefix of this protocol's requirement ids, such as `POLL`.
    pub fn requirement_prefix(self) -> &'static str {
        match self {
            Protocol::EdgePoll => "POLL",
            Protocol::DeviceCommand => "DCMD",
            Protocol::AosV7 => "AOS7",
            Protocol::Sota => "SOTA",
            Protocol::OtaRpc => "OTA",
        }
    }

    /// The protocol a requirement is about, by the prefix of its id.
    pub fn of_requirement(id: &str) -> Option<Protocol> {
        let (prefix, _) = id.split_once('-')?;
        Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.requirement_prefix() == prefix)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the five.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown protocol `{0}`; one of edge-poll, device-command, aos-v7, sota, ota-rpc")]
pub struct UnknownProtocol(pub String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Protocol::ALL
            .into_iter()
            .find(|p| p.name() == text)
            .ok_or_else(|| UnknownProtocol(text.to_owned()))
    }
}
