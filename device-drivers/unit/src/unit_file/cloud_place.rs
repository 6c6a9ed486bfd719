//! Where the mock cloud shall be for a unit that cannot be told, such as a remote one with a fixed configuration.

use super::read::Reader;
use hil_diagnostic::{Entry, MapReader};
use std::collections::BTreeMap;

/// Where the mock cloud of a real unit listens, and what the unit is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudPlace {
    /// Address it listens on.
    pub bind: String,
    /// Host name or address the unit reaches it by.
    pub advertise: String,
    /// Fixed ports by face of the cloud; others are free ones.
    pub ports: BTreeMap<String, u16>,
    /// Folder of the authority the unit trusts and is known by, relative to the unit file; a fresh one if not given.
    pub pki: Option<String>,
}

impl Default for CloudPlace {
    fn default() -> Self {
        CloudPlace {
            bind: LOOPBACK.to_owned(),
            advertise: LOOPBACK.to_owned(),
            ports: BTreeMap::new(),
            pki: None,
        }
    }
}

impl<'c> Reader<'c> {
    pub(super) fn cloud(&mut self, map: &mut MapReader<'c>) -> CloudPlace {
        let Some(node) = map.optional("cloud") else {
            return CloudPlace::default();
        };
        let Some(mut map) = MapReader::new(self.collector, node, "`cloud`") else {
            return CloudPlace::default();
        };
        let bind = map.optional_string("bind").unwrap_or_else(|| LOOPBACK.to_owned());
        let advertise = map.optional_string("advertise").unwrap_or_else(|| bind.clone());
        let pki = map.optional_string("pki");
        let entries = map.entries_of("ports");
        let ports = entries.iter().filter_map(|entry| self.port(entry)).collect();
        map.finish();
        CloudPlace {
            bind,
            advertise,
            ports,
            pki,
        }
    }

    fn port(&mut self, entry: &Entry) -> Option<(String, u16)> {
        let place = format!("cloud.ports.{}", entry.key);
        self.places.insert(place, entry.key_span.clone());
        let number = entry.value.scalar().and_then(|scalar| scalar.text.parse().ok());
        if number.is_none() {
            let what = format!("`cloud.ports.{}`", entry.key);
            let expected = "a port from 0 to 65535";
            self.collector.wrong_type(&entry.value, &what, expected, None);
        }
        Some((entry.key.clone(), number?))
    }
}

const LOOPBACK: &str = "127.0.0.1";
