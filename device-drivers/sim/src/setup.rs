//! What one unit was given before its first start, as agents see it.

use crate::Defect;
use hil_unit::{Artifacts, Endpoints};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, time::Duration};

/// Settings of a unit that no power cut changes.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Where the cloud is and who the unit is there.
    pub endpoints: Endpoints,
    /// Images by role.
    pub artifacts: Artifacts,
    /// Times in seconds.
    pub timing: Map<String, Value>,
    /// Optional features and options.
    pub ics: Map<String, Value>,
    /// Deliberate misbehaviour.
    pub defects: BTreeSet<Defect>,
    /// Sub-seed of the instance.
    pub seed: u64,
}

impl Setup {
    /// A time of the unit, or its default in seconds.
    pub fn seconds(&self, name: &str, default: f64) -> Duration {
        let seconds = self.timing.get(name).and_then(Value::as_f64).unwrap_or(default);
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// Whether a defect of the unit set this switch.
    pub(crate) fn has(&self, switch: &str) -> bool {
        self.defects.iter().any(|defect| defect.is_switch(switch))
    }
}
