//! How this kind of unit is made: archives, times, the declared state, and the boot loader.

use super::{
    access,
    agent::OtaAgent,
    board::Board,
    intake::Intake,
    record::{self, SLOTS},
    signatures::{self, SignaturePolicy},
};
use crate::{
    Agent, Behaviour, FlashError, Hardware, Image, Kind, Setup, Slot,
    image::stamp,
    kind::{image_seed, running_artifact, running_role},
};
use hil_unit::{Artifact, Artifacts, UnitError};
use hil_wire::ota_rpc::archive::ArchiveBuilder;
use serde_json::{Map, Value, json};
use std::sync::Arc;

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
        let board = Board::of(&setup.ics);
        let firmware = firmware_of(&artifact.bytes, &board).ok_or_else(|| UnitError::BadArgument {
            name: "running".into(),
            problem: format!(
                "the image `{}` is no firmware archive for the platform `{}`",
                running_role(state).unwrap_or_default(),
                board.platform
            ),
        })?;
        hardware.slots = vec![Slot::default(); SLOTS];
        hardware.slots[0] = Slot::holding(Arc::from(firmware));
        hardware.active_slot = 0;
        access::provision(state, &mut hardware.flash)?;
        signatures::provision(state, setup, &mut hardware.flash)?;
        let record = record::load(&hardware.flash);
        record::save(&mut hardware.flash, &record)
            .map_err(|error: FlashError| UnitError::Lab(error.to_string()))
    }

    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent> {
        Box::new(OtaAgent::new(setup, hardware))
    }

    fn artifacts(&self) -> Artifacts {
        self.artifacts_for(&Map::new())
    }

    fn artifacts_for(&self, said: &Map<String, Value>) -> Artifacts {
        let board = Board::of(said);
        // Versions no vendor has: a unit that still runs its own is told from one that runs ours.
        let image = |version| {
            let mut image = Image::new("firmware", APP, version);
            image.platform.clone_from(&board.platform);
            image
        };
        let mut foreign = image("1.5.0+hil");
        foreign.platform = format!("other-{}", board.platform);
        let images = [
            ("current", image("1.0.0+hil"), SMALL),
            ("next", image("1.1.0+hil"), SMALL),
            ("older", image("0.9.0+hil"), SMALL),
            ("crash", image("1.2.0+hil").behaving(Behaviour::Crash), SMALL),
            ("hang", image("1.3.0+hil").behaving(Behaviour::Hang), SMALL),
            ("mute", image("1.4.0+hil").behaving(Behaviour::Mute), SMALL),
            ("other_platform", foreign, SMALL),
            ("oversize", image("1.6.0+hil"), board.slot_size + 1),
        ];
        let archives = images
            .map(|(role, image, size)| (role.to_owned(), archive(&image, size, &board, image_seed(said))));
        Artifacts(archives.into())
    }

    fn timing(&self) -> Map<String, Value> {
        object(json!({"boot": 1, "stall": 600, "snapshot": 2, "watchdog": 5}))
    }

    fn ics(&self) -> Map<String, Value> {
        object(json!({
            "http": true, "websocket": true, "websocket_client": true, "uart": true, "mqtt": true, "acl": true,
            "tls": true, "snapshots": true, "no-snapshots": false, "push-update": true,
            "file-system-rpc": true, "signatures": true,
        }))
    }

    fn settings(&self) -> &'static [&'static str] {
        &[
            "rpc_server_url",
            "mqtt_url",
            "device_id",
            "update_key0",
            "update_key1",
        ]
    }
}

/// The build id of a version.
fn build_id(version: &str) -> String {
    format!("20240501-120000/{version}")
}

/// A firmware archive of an image; `size` is that of its application part.
fn archive(image: &Image, size: usize, board: &Board, seed: Option<u64>) -> Artifact {
    let mut app = image.render(size);
    if let Some(seed) = seed {
        stamp(&mut app, seed);
    }
    if size > SMALL {
        app.truncate(size);
    }
    let mut builder = ArchiveBuilder::new(&image.platform, &image.version, &build_id(&image.version));
    builder.manifest.name = Some(image.name.clone());
    for part in &board.parts {
        let bytes = match part == board.application() {
            true => app.clone(),
            false => format!("{part} of {} {}\n", image.name, image.version).into_bytes(),
        };
        builder = builder.part(part, part, &format!("{part}.bin"), bytes);
    }
    Artifact {
        name: image.name.clone(),
        version: image.version.clone(),
        bytes: Arc::from(builder.build()),
    }
}

/// What an archive becomes in a slot; `None` if it is none.
fn firmware_of(bytes: &[u8], board: &Board) -> Option<Vec<u8>> {
    let mut intake = Intake::new(board, SignaturePolicy::default());
    intake.push(bytes).ok()?;
    intake.finish().ok()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

const APP: &str = "hil-board";
const SMALL: usize = 8 * 1024;
