//! The boot state: result of `OTA.GetBootState`, arguments of `OTA.SetBootState` (reference section 3.4).

use super::{argument, members::Members};
use crate::oddity::{Decoded, Oddity, OddityKind};
use serde_json::{Map, Value, json};

/// The boot state as a unit reports it: exactly these members of exactly these types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootState {
    /// Slot that runs.
    pub active_slot: i64,
    /// The firmware is permanent.
    pub is_committed: bool,
    /// Slot to fall back to while uncommitted; its value after a commit depends on the platform.
    pub revert_slot: i64,
    /// Stored commit timeout in seconds.
    pub commit_timeout: i64,
}

impl BootState {
    /// Reads a result strictly.
    pub fn from_value(value: &Value) -> Decoded<BootState> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, "", "must be an object"));
        };
        let mut members = Members::new(map.clone(), "");
        let active_slot = members.integer("active_slot");
        members.require("active_slot", &active_slot);
        let is_committed = members.boolean("is_committed");
        members.require("is_committed", &is_committed);
        let revert_slot = members.integer("revert_slot");
        members.require("revert_slot", &revert_slot);
        let commit_timeout = members.integer("commit_timeout");
        members.require("commit_timeout", &commit_timeout);
        members.note_unknown(&["active_slot", "is_committed", "revert_slot", "commit_timeout"]);
        let value = match (active_slot, is_committed, revert_slot, commit_timeout) {
            (Some(active_slot), Some(is_committed), Some(revert_slot), Some(commit_timeout)) => {
                Some(BootState {
                    active_slot,
                    is_committed,
                    revert_slot,
                    commit_timeout,
                })
            }
            _ => None,
        };
        Decoded {
            value,
            oddities: members.oddities,
        }
    }

    /// The result as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "active_slot": self.active_slot,
            "is_committed": self.is_committed,
            "revert_slot": self.revert_slot,
            "commit_timeout": self.commit_timeout,
        })
    }
}

/// A change of the boot state; what is `None` keeps its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BootStateChange {
    /// New active slot.
    pub active_slot: Option<i32>,
    /// New commit flag.
    pub is_committed: Option<bool>,
    /// New revert slot.
    pub revert_slot: Option<i32>,
    /// New commit timeout in seconds; below 0 leaves it alone.
    pub commit_timeout: Option<i32>,
}

impl BootStateChange {
    /// Reads the arguments the way a unit does.
    pub fn read(arguments: Option<&Value>) -> BootStateChange {
        BootStateChange {
            active_slot: argument::integer(arguments, "active_slot"),
            is_committed: argument::boolean(arguments, "is_committed"),
            revert_slot: argument::integer(arguments, "revert_slot"),
            commit_timeout: argument::integer(arguments, "commit_timeout"),
        }
    }

    /// True if no member is usable; such a call is refused with code -2.
    pub fn is_empty(&self) -> bool {
        *self == BootStateChange::default()
    }

    /// The arguments as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value);
            }
        };
        put("active_slot", self.active_slot.map(Value::from));
        put("is_committed", self.is_committed.map(Value::from));
        put("revert_slot", self.revert_slot.map(Value::from));
        put("commit_timeout", self.commit_timeout.map(Value::from));
        Value::Object(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_strictly_and_arguments_leniently() {
        let value = json!({"active_slot": "0", "is_committed": true, "revert_slot": 0});
        let paths: Vec<_> = BootState::from_value(&value)
            .oddities
            .into_iter()
            .map(|o| (o.path, o.kind))
            .collect();
        assert_eq!(
            paths,
            [
                ("/active_slot".to_owned(), OddityKind::WrongType),
                ("/commit_timeout".to_owned(), OddityKind::MissingMember)
            ]
        );
        let change = BootStateChange::read(Some(&value));
        assert_eq!((change.active_slot, change.is_committed), (Some(0), Some(true)));
        assert!(BootStateChange::read(Some(&json!({"active_slot": null}))).is_empty());
        assert!(BootStateChange::read(None).is_empty());
    }
}
