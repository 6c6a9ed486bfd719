//! How this kind of unit is made: images, times, the declared state, and the boot.

use super::{
    agent::{AosAgent, MAIN_NODE, SECOND_NODE},
    store::{Item, Store},
};
use crate::{Agent, Behaviour, Hardware, Image, Kind, Setup, kind::running_artifact};
use hil_unit::{Artifacts, UnitError};
use serde_json::{Map, Value, json};

/// Units that speak the AosEdge protocol.
pub(crate) struct AosKind;

impl Kind for AosKind {
    fn provision(
        &self,
        state: &Map<String, Value>,
        setup: &Setup,
        hardware: &mut Hardware,
    ) -> Result<(), UnitError> {
        let artifact = running_artifact(self, state, setup)?;
        let node = state
            .get("node")
            .and_then(Value::as_str)
            .unwrap_or("unprovisioned");
        let nodes = [(MAIN_NODE, "provisioned"), (SECOND_NODE, node)];
        let store = Store {
            items: vec![Item {
                id: "rootfs-main".to_owned(),
                built_in: true,
                kind: "component".to_owned(),
                version: artifact.version.clone(),
                name: "rootfs".to_owned(),
                state: "installed".to_owned(),
                error: None,
            }],
            nodes: nodes
                .map(|(name, state)| (name.to_owned(), state.to_owned()))
                .into(),
            ..Store::default()
        };
        let defaults = self.artifacts();
        for (role, artifact) in defaults.0.iter().chain(&setup.artifacts.0) {
            hardware.observe(&format!("image/{role}"), artifact.name.clone());
        }
        store.save(&mut hardware.flash);
        Ok(())
    }

    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent> {
        Box::new(AosAgent::new(setup, hardware))
    }

    fn artifacts(&self) -> Artifacts {
        let image = |version| Image::new("service", SERVICE, version);
        let mut foreign = image("1.5.0");
        foreign.platform = "other".into();
        let images = [
            ("current", image("1.0.0").artifact(SMALL)),
            ("next", image("1.1.0").artifact(SMALL)),
            ("older", image("0.9.0").artifact(SMALL)),
            ("crash", image("1.2.0").behaving(Behaviour::Crash).artifact(SMALL)),
            ("hang", image("1.3.0").behaving(Behaviour::Hang).artifact(SMALL)),
            ("mute", image("1.4.0").behaving(Behaviour::Mute).artifact(SMALL)),
            ("other_platform", foreign.artifact(SMALL)),
            ("big", image("1.7.0").artifact(BIG)),
            (
                "second",
                Image::new("service", "hil-second", "2.0.0").artifact(SMALL),
            ),
        ];
        Artifacts(images.map(|(role, image)| (role.to_owned(), image)).into())
    }

    fn timing(&self) -> Map<String, Value> {
        object(json!({
            "ack_timeout": 10, "reconnect_delay": 1, "monitoring_period": 60, "alert_period": 10,
            "status_delay": 5, "boot": 1, "certificate_margin": 2_592_000, "ping_period": 20,
        }))
    }

    fn ics(&self) -> Map<String, Value> {
        object(json!({"dialect": "seed", "encrypted-desired-status": true, "range_resume": true}))
    }

    fn settings(&self) -> &'static [&'static str] {
        &["discovery_url", "system_id", "node_password"]
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Name of the service all roles but `second` are versions of.
const SERVICE: &str = "hil-service";
const SMALL: usize = 2 * 1024;
const BIG: usize = 200 * 1024;
