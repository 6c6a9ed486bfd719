//! What the client was configured with (reference section 3.2), kept in flash like its file.

use crate::{Flash, FlashError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The switches a declared state can set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Configuration {
    /// Installs by itself.
    pub(super) package_manager: bool,
    /// Has credentials.
    pub(super) auth: bool,
    /// Polls.
    pub(super) polling: bool,
    /// Seconds between two polls; the ordinary ones if absent.
    pub(super) polling_sec: Option<f64>,
    /// Downloads pending updates by itself.
    pub(super) auto_download: bool,
    /// Has a system information command.
    pub(super) system_info: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Configuration {
            package_manager: false,
            auth: true,
            polling: true,
            polling_sec: None,
            auto_download: true,
            system_info: true,
        }
    }
}

impl Configuration {
    /// Reads the switches of a declared state; others keep their default.
    pub(super) fn of(state: &Map<String, Value>) -> Self {
        serde_json::from_value(Value::Object(state.clone())).unwrap_or_default()
    }

    /// What flash holds.
    pub(super) fn load(flash: &Flash) -> Self {
        let bytes = flash.read(FILE).unwrap_or_default();
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// Keeps it.
    pub(super) fn save(&self, flash: &mut Flash) -> Result<(), FlashError> {
        flash.replace(FILE, serde_json::to_vec(self).unwrap_or_default())
    }
}

const FILE: &str = "state/configuration";
