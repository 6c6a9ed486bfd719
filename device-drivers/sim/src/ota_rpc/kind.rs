//! How this kind of unit is made: archives, times, the declared state, and the boot loader.

use super::{
    access,
    agent::OtaAgent,
    record::{self, SLOTS},
};
use crate::{
    Agent, Behaviour, FlashError, Hardware, Image, Kind, Setup, Slot,
    kind::{running_artifact, running_role},
};
use hil_unit::{Artifact, Artifacts, UnitError};
use hil_wire::ota_rpc::archive::{ArchiveBuilder, ArchiveEvent, ArchiveReader, Checks};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// Boards that serve the OTA RPC service.
pub(crate) struct OtaRpcKind;

impl Kind for OtaRpcKind {
    fn provision(
        &self,
        state: &Map<String, Value>,
        setup: &Setup,
        hardware: &mut Hardware,
    ) -> Result<(), UnitError> {
        let artifact = running_artifact(self, state, setup)?;
        let image = app_of(&artifact.bytes).ok_or_else(|| UnitError::BadArgument {
            name: "running".into(),
            problem: format!(
                "the image `{}` is no firmware archive",
                running_role(state).unwrap_or_default()
            ),
        })?;
        hardware.slots = vec![Slot::default(); SLOTS];
        hardware.slots[0] = Slot {
            image: Rc::from(image),
            committed: true,
            boots: 0,
        };
        hardware.active_slot = 0;
        access::provision(state, &mut hardware.flash)?;
        let record = record::load(&hardware.flash);
        record::save(&mut hardware.flash, &record)
            .map_err(|error: FlashError| UnitError::Lab(error.to_string()))
    }

    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent> {
        Box::new(OtaAgent::new(setup, hardware))
    }

    fn artifacts(&self) -> Artifacts {
        let image = |version| Image::new("firmware", APP, version);
        let mut foreign = image("1.5.0");
        foreign.platform = "other".into();
        let images = [
            ("current", image("1.0.0"), SMALL),
            ("next", image("1.1.0"), SMALL),
            ("older", image("0.9.0"), SMALL),
            ("crash", image("1.2.0").behaving(Behaviour::Crash), SMALL),
            ("hang", image("1.3.0").behaving(Behaviour::Hang), SMALL),
            ("mute", image("1.4.0").behaving(Behaviour::Mute), SMALL),
            ("other_platform", foreign, SMALL),
            ("oversize", image("1.6.0"), SLOT_SIZE + 1),
        ];
        let archives = images.map(|(role, image, size)| (role.to_owned(), archive(&image, size)));
        Artifacts(archives.into())
    }

    fn timing(&self) -> Map<String, Value> {
        object(json!({"boot": 1, "stall": 600, "snapshot": 2, "watchdog": 5}))
    }

    fn ics(&self) -> Map<String, Value> {
        object(json!({
            "http": true, "websocket": true, "websocket_client": true, "uart": true, "mqtt": false, "acl": true,
            "tls": false, "snapshots": true, "no-snapshots": false, "push-update": false,
            "file-system-rpc": false, "signatures": false,
        }))
    }

    fn settings(&self) -> &'static [&'static str] {
        &["rpc_server_url", "device_id"]
    }
}

/// What the board demands of an archive.
pub(super) fn checks() -> Checks {
    Checks {
        platform: Some(Image::PLATFORM.to_owned()),
        required_parts: vec!["app".into(), "fs".into()],
        max_part_size: Some(SLOT_SIZE as u64),
    }
}

/// The build id of a version.
pub(super) fn build_id(version: &str) -> String {
    format!("20240501-120000/{version}")
}

/// A firmware archive of an image; `size` is that of its application part.
fn archive(image: &Image, size: usize) -> Artifact {
    let mut app = image.render(size);
    if size > SLOT_SIZE {
        app.truncate(size);
    }
    let files = format!("index of {} {}\n", image.name, image.version);
    let mut builder = ArchiveBuilder::new(&image.platform, &image.version, &build_id(&image.version))
        .part("app", "app", "app.bin", app)
        .part("fs", "fs", "fs.bin", files.into_bytes());
    builder.manifest.name = Some(image.name.clone());
    Artifact {
        name: image.name.clone(),
        version: image.version.clone(),
        bytes: Rc::from(builder.build()),
    }
}

/// The application part of an archive.
fn app_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let events = ArchiveReader::new(Checks::default()).push(bytes).ok()?;
    let mut app = None;
    let mut wanted = false;
    for event in events {
        match event {
            ArchiveEvent::PartBegins { part, .. } => {
                wanted = part == "app";
                if wanted {
                    app = Some(Vec::new());
                }
            }
            ArchiveEvent::PartData(data) if wanted => app.get_or_insert_default().extend(data),
            _ => {}
        }
    }
    app
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

const APP: &str = "hil-board";
const SMALL: usize = 8 * 1024;
/// Room for the application in a slot, in bytes.
const SLOT_SIZE: usize = 256 * 1024;
