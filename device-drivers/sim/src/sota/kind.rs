//! How this kind of unit is made: images, times, the declared state, and the boot.

use super::{agent::SotaAgent, configuration::Configuration, packages};
use crate::{Agent, Behaviour, Flash, Hardware, Image, Kind, Setup, kind::running_artifact};
use hil_unit::{Artifact, Artifacts, UnitError};
use hil_wire::sota::Package;
use serde_json::{Map, Value, json};

/// Units that run a SOTA client.
pub(crate) struct SotaKind;

impl Kind for SotaKind {
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
        Configuration::of(state).save(flash).map_err(full)?;
        packages::save(flash, &[Package::new(&artifact.name, &artifact.version)]).map_err(full)?;
        flash
            .write("state/primary", artifact.name.as_bytes())
            .map_err(full)
    }

    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent> {
        Box::new(SotaAgent::new(setup, hardware))
    }

    fn artifacts(&self) -> Artifacts {
        let image = |version| Image::new("package", PACKAGE, version);
        let mut foreign = image("1.5.0");
        foreign.platform = "other".into();
        let images: [(&str, Artifact); 6] = [
            ("current", image("1.0.0").artifact(SMALL)),
            ("next", image("1.1.0").artifact(SMALL)),
            ("older", image("0.9.0").artifact(SMALL)),
            ("crash", image("1.2.0").behaving(Behaviour::Crash).artifact(SMALL)),
            ("other_platform", foreign.artifact(SMALL)),
            ("oversize", image("1.6.0").artifact(OVERSIZE)),
        ];
        Artifacts(images.map(|(role, image)| (role.to_owned(), image)).into())
    }

    fn timing(&self) -> Map<String, Value> {
        object(json!({"poll_interval": 10, "boot": 1, "install": 2, "response_limit": 20}))
    }

    fn ics(&self) -> Map<String, Value> {
        object(json!({
            "dialect": "rustc", "auth": true, "no-auth": true, "http": true, "websocket": true, "socket": true,
            "console": true, "d-bus": true, "package-manager": true, "no-package-manager": true,
            "system-info": true, "auto-download-switch": true, "system_info": SYSTEM_INFO,
            "package": PACKAGE,
        }))
    }

    fn settings(&self) -> &'static [&'static str] {
        &[
            "core_url",
            "auth_url",
            "client_id",
            "client_secret",
            "device_uuid",
            "events_socket",
            "dbus_address",
        ]
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// What the system information command prints unless the ICS says another text.
pub(super) const SYSTEM_INFO: &str = "{\"id\":\"hil-sim\",\"class\":\"computer\"}\n";
const PACKAGE: &str = "sota-app";
const SMALL: usize = 4 * 1024;
/// More than all of the flash.
const OVERSIZE: usize = 1100 * 1024;
const CAPACITY: u64 = 1024 * 1024;
