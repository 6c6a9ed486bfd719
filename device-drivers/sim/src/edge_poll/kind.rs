//! How this kind of unit is made: images, times, the declared state, and the boot.

use super::{
    agent::EdgeAgent,
    configuration::API_URL,
    store::{self, InstalledSnap},
};
use crate::{
    Agent, Behaviour, Flash, Hardware, Image, Kind, Service, Setup, hardware::Segment, kind::running_artifact,
};
use hil_unit::{Artifact, Artifacts, UnitError};
use serde_json::{Map, Value, json};

/// Appliances that speak the edge poll API.
pub(crate) struct EdgePollKind;

impl Kind for EdgePollKind {
    fn provision(
        &self,
        state: &Map<String, Value>,
        setup: &Setup,
        hardware: &mut Hardware,
    ) -> Result<(), UnitError> {
        let artifact = running_artifact(self, state, setup)?;
        let full = |error: crate::FlashError| UnitError::Lab(error.to_string());
        hardware.flash = Flash::new(CAPACITY);
        let flash = &mut hardware.flash;
        flash
            .write(
                &store::blob_file(&artifact.name, &artifact.version),
                artifact.bytes.to_vec(),
            )
            .map_err(full)?;
        flash
            .write("state/primary", artifact.name.as_bytes())
            .map_err(full)?;
        let snap = InstalledSnap {
            version: artifact.version.clone(),
            previous: None,
            trial: None,
        };
        store::save_snap(flash, &artifact.name, &snap);
        for name in [artifact.name.as_str(), "telemetry", "gateway"] {
            hardware.services.insert(name.to_owned(), Service::new());
        }
        Ok(())
    }

    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent> {
        Box::new(EdgeAgent::new(setup, hardware))
    }

    fn artifacts(&self) -> Artifacts {
        let image = |version| Image::new("snap", PRIMARY, version);
        let mut foreign = image("1.5.0");
        foreign.platform = "other".into();
        let images: [(&str, Artifact); 9] = [
            ("current", image("1.0.0").artifact(SMALL)),
            ("next", image("1.1.0").artifact(SMALL)),
            ("older", image("0.9.0").artifact(SMALL)),
            ("crash", image("1.2.0").behaving(Behaviour::Crash).artifact(SMALL)),
            ("hang", image("1.3.0").behaving(Behaviour::Hang).artifact(SMALL)),
            ("mute", image("1.4.0").behaving(Behaviour::Mute).artifact(SMALL)),
            ("other_platform", foreign.artifact(SMALL)),
            ("oversize", image("1.6.0").artifact(OVERSIZE)),
            ("big", image("1.7.0").artifact(BIG)),
        ];
        Artifacts(images.map(|(role, image)| (role.to_owned(), image)).into())
    }

    fn timing(&self) -> Map<String, Value> {
        object(json!({
            "poll_interval": 30, "boot": 1, "verify": 1, "install": 2, "health_check": 5, "health_limit": 100,
        }))
    }

    fn ics(&self) -> Map<String, Value> {
        object(json!({
            "tls": true, "update-snap": true, "restart-service": true, "run-discovery": true, "config-update": true,
            "one-at-a-time": true, "range-resume": true, "lab-mode": true, "api-url-key": true,
            "cut_off": {(API_URL): "https://nowhere.invalid"},
            "discovery_subnet": Segment::SUBNET,
            "services": [PRIMARY, "telemetry", "gateway"], "own_service": PRIMARY, "snap_name": PRIMARY,
        }))
    }

    fn settings(&self) -> &'static [&'static str] {
        &["base_url", "device_key"]
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The snap the agent itself is in.
pub(crate) const PRIMARY: &str = "edge-agent";
const SMALL: usize = 4 * 1024;
const BIG: usize = 200 * 1024;
/// More than half of the flash, so that it cannot be stored twice.
const OVERSIZE: usize = 700 * 1024;
const CAPACITY: u64 = 1024 * 1024;
