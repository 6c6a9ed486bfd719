//! Arguments and result of `OTA.CreateSnapshot` (reference section 3.3).

use super::{argument, members::Members};
use crate::oddity::{Decoded, Oddity, OddityKind};
use serde_json::{Map, Value, json};

/// What a snapshot request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Make the running firmware provisional, with the snapshot to fall back to. Default false.
    pub set_as_revert: Option<bool>,
    /// Seconds; absent leaves the stored value alone.
    pub commit_timeout: Option<i32>,
}

impl SnapshotRequest {
    /// Reads the arguments the way a unit does.
    pub fn read(arguments: Option<&Value>) -> SnapshotRequest {
        SnapshotRequest {
            set_as_revert: argument::boolean(arguments, "set_as_revert"),
            commit_timeout: argument::integer(arguments, "commit_timeout"),
        }
    }

    /// The arguments as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if let Some(flag) = self.set_as_revert {
            map.insert("set_as_revert".into(), flag.into());
        }
        if let Some(seconds) = self.commit_timeout {
            map.insert("commit_timeout".into(), seconds.into());
        }
        Value::Object(map)
    }
}

/// `{"slot": int}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Slot that holds the copy.
    pub slot: i64,
}

impl Snapshot {
    /// Reads a result.
    pub fn from_value(value: &Value) -> Decoded<Snapshot> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, "", "must be an object"));
        };
        let mut members = Members::new(map.clone(), "");
        let slot = members.integer("slot");
        members.require("slot", &slot);
        members.note_unknown(&["slot"]);
        Decoded {
            value: slot.map(|slot| Snapshot { slot }),
            oddities: members.oddities,
        }
    }

    /// The result as JSON.
    pub fn to_value(&self) -> Value {
        json!({"slot": self.slot})
    }
}
