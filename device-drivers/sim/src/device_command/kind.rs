//! How this kind of unit is made: images, times, the declared state, and the boot.

use super::{
    agent::DeviceAgent,
    boot,
    store::{self, BOOT, BootRecord, CONFIGURATION},
};
use crate::{
    Agent, Behaviour, Hardware, Image, Kind, Setup, Slot,
    kind::{running_artifact, stamped},
};
use hil_unit::{Artifact, Artifacts, UnitError};
use serde_json::{Map, Value, json};

/// Devices that speak the device command API.
pub(crate) struct DeviceCommandKind;

impl Kind for DeviceCommandKind {
    fn provision(
        &self,
        state: &Map<String, Value>,
        setup: &Setup,
        hardware: &mut Hardware,
    ) -> Result<(), UnitError> {
        let artifact = running_artifact(self, state, setup)?;
        let running = Slot::holding(artifact.bytes.clone());
        hardware.slots = vec![running, Slot::default()];
        hardware.active_slot = 0;
        store::save(&mut hardware.flash, BOOT, &BootRecord::default());
        store::save(&mut hardware.flash, CONFIGURATION, &json!({}));
        Ok(())
    }

    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent> {
        boot::choose(hardware);
        Box::new(DeviceAgent::new(setup, hardware))
    }

    fn artifacts(&self) -> Artifacts {
        let image = |version| Image::new("firmware", "hil-device", version);
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
            ("oversize", image("1.6.0").artifact(SLOT_SIZE + 4096)),
            ("big", image("1.7.0").artifact(200 * 1024)),
        ];
        Artifacts(images.map(|(role, image)| (role.to_owned(), image)).into())
    }

    /// Opaque bytes that begin like firmware of the hardware this protocol is for. Their versions, which only the
    /// commands tell, are newer and older than any real unit's. Slot size and platform of such a unit are unknown.
    fn neutral_artifacts(&self, said: &Map<String, Value>) -> Artifacts {
        let opaque = |version: &str, size| Artifact {
            name: "firmware".to_owned(),
            version: version.to_owned(),
            bytes: std::iter::once(IMAGE_MAGIC)
                .chain(Image::new("firmware", "opaque", version).render(size))
                .collect(),
        };
        let images = [
            ("next", opaque("90.0.0", SMALL)),
            ("older", opaque("0.0.1", SMALL)),
            ("big", opaque("91.0.0", 200 * 1024)),
        ];
        let images = images.map(|(role, image)| (role.to_owned(), image));
        stamped(Artifacts(images.into()), said)
    }

    fn timing(&self) -> Map<String, Value> {
        object(json!({
            "poll_interval": 30, "boot": 1, "verify": 1, "install": 2, "self_test_limit": 120, "progress": 45,
        }))
    }

    fn ics(&self) -> Map<String, Value> {
        object(json!({
            "relay-mode": true, "direct-mode": true, "signatures": true, "tls": true, "traceroute": false,
            "lab-mode": true, "loopback-diagnostics": true,
        }))
    }

    fn settings(&self) -> &'static [&'static str] {
        &[
            "base_url",
            "device_id",
            "device_token",
            "issuer_token",
            "hmac_key",
            "ed25519_public_key",
            "mode",
            "signature_policy",
        ]
    }
}

/// The image in some bytes: on its own, or behind the first byte that images for real hardware have.
pub(super) fn image_of(bytes: &[u8]) -> Option<Image> {
    Image::parse(bytes.strip_prefix(&[IMAGE_MAGIC]).unwrap_or(bytes))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Bytes of a slot.
pub(super) const SLOT_SIZE: usize = 1024 * 1024;
/// First byte of an image of the ESP32.
const IMAGE_MAGIC: u8 = 0xe9;
const SMALL: usize = 4 * 1024;
