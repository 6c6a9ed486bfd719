//! What a board says of itself: platform, parts of its firmware, room in a slot. Images are made for it, archives are
//! checked by it.

use crate::Image;
use hil_wire::ota_rpc::archive::Checks;
use serde_json::{Map, Value};

/// One kind of board (reference section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Board {
    /// The platform archives have to name.
    pub(super) platform: String,
    /// Parts archives have to have; the first is the application.
    pub(super) parts: Vec<String>,
    /// Room for each part, in bytes.
    pub(super) slot_size: usize,
}

impl Board {
    /// The board that says this of itself: `platform`, `parts`, `slot_size`. What it does not say is as on our own.
    pub(super) fn of(said: &Map<String, Value>) -> Board {
        let parts = said.get("parts").and_then(Value::as_array);
        let parts: Vec<String> = parts
            .into_iter()
            .flatten()
            .filter_map(|part| part.as_str().map(str::to_owned))
            .collect();
        let size = said.get("slot_size").and_then(Value::as_u64);
        Board {
            platform: said
                .get("platform")
                .and_then(Value::as_str)
                .unwrap_or(Image::PLATFORM)
                .to_owned(),
            parts: match parts.is_empty() {
                true => PARTS.map(str::to_owned).into(),
                false => parts,
            },
            slot_size: size
                .and_then(|size| usize::try_from(size).ok())
                .unwrap_or(SLOT_SIZE),
        }
    }

    /// Name of the part that is the application.
    pub(super) fn application(&self) -> &str {
        self.parts.first().map_or(PARTS[0], String::as_str)
    }

    /// What it demands of an archive.
    pub(super) fn checks(&self) -> Checks {
        Checks {
            platform: Some(self.platform.clone()),
            required_parts: self.parts.clone(),
            max_part_size: Some(self.slot_size as u64),
        }
    }
}

const PARTS: [&str; 2] = ["app", "fs"];
const SLOT_SIZE: usize = 256 * 1024;
