//! What the unit keeps in flash, as one document, and its blobs.

use hil_wire::aos::DesiredStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An item, installed or on its way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Item {
    /// Id given by the cloud; for what came with the unit its code name.
    pub(super) id: String,
    /// It came with the unit.
    pub(super) built_in: bool,
    /// `service`, `component` or `layer`.
    pub(super) kind: String,
    /// Its version.
    pub(super) version: String,
    /// Name in its image.
    pub(super) name: String,
    /// Its state as messages write it.
    pub(super) state: String,
    /// `aosCode` and message if it failed.
    pub(super) error: Option<(i64, String)>,
}

/// An instance of an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Instance {
    /// The item.
    pub(super) item: String,
    /// The subject.
    pub(super) subject: String,
    /// Its number.
    pub(super) number: u64,
    /// Version it runs.
    pub(super) version: String,
    /// Its state as messages write it.
    pub(super) state: String,
}

/// A variable set by the cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Variable {
    /// The instance: item, subject, number.
    pub(super) instance: (String, String, u64),
    /// Its name.
    pub(super) name: String,
    /// Its value.
    pub(super) value: String,
    /// Until when, Unix microseconds.
    pub(super) until: Option<i64>,
}

/// Everything but blobs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Store {
    /// Items.
    pub(super) items: Vec<Item>,
    /// Instances.
    pub(super) instances: Vec<Instance>,
    /// States of nodes by code name.
    pub(super) nodes: BTreeMap<String, String>,
    /// The unit configuration in force.
    pub(super) unit_config: Option<Value>,
    /// Version of a refused unit configuration, `aosCode` and message.
    pub(super) refused_config: Option<(String, i64, String)>,
    /// The desired status a run is about.
    pub(super) desired: Option<Value>,
    /// States of instances by item, subject and number.
    pub(super) states: BTreeMap<String, String>,
    /// Variables set by the cloud.
    pub(super) variables: Vec<Variable>,
    /// A new online certificate and its key, PEM.
    pub(super) online: Option<(String, String)>,
}

impl Store {
    /// The store in flash; an empty one if there is none.
    pub(super) fn load(flash: &crate::Flash) -> Store {
        let bytes = flash.read(FILE).unwrap_or_default();
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// Writes it; a unit without power writes nothing.
    pub(super) fn save(&self, flash: &mut crate::Flash) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            // Files of this partition are never refused; a power failure shows in the flash itself.
            let _ = flash.replace(FILE, bytes);
        }
    }

    /// The item of an id that is in use.
    pub(super) fn installed(&self, id: &str) -> Option<&Item> {
        self.items
            .iter()
            .find(|item| item.id == id && item.state == "installed")
    }

    /// The desired status a run is about.
    pub(super) fn desired_status(&self) -> Option<DesiredStatus> {
        serde_json::from_value(self.desired.clone()?).ok()
    }
}

/// Key of an instance among the states.
pub(super) fn instance_key(item: &str, subject: &str, number: u64) -> String {
    format!("{item}/{subject}/{number}")
}

/// The file of a blob with that digest (`sha256:…`).
pub(super) fn blob_file(digest: &str) -> String {
    format!("blobs/{}", digest.trim_start_matches("sha256:"))
}

/// Where it lies.
pub(super) const FILE: &str = "state/aos.json";
