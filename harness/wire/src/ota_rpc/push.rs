//! The push methods `OTA.Status`, `OTA.Begin` and `OTA.Write`, as the `mos` tool uses them (section 3.5).

use super::{argument, members::Members};
use crate::oddity::{Decoded, Oddity, OddityKind};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// State of an update on the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushState {
    /// 0: nothing going on.
    Idle,
    /// 1: an update runs.
    Progress,
    /// 2: the last update failed.
    Error,
    /// 3: the last update succeeded.
    Success,
}

impl PushState {
    /// The number on the wire.
    pub fn number(self) -> i64 {
        match self {
            PushState::Idle => 0,
            PushState::Progress => 1,
            PushState::Error => 2,
            PushState::Success => 3,
        }
    }

    /// The state of a number.
    pub fn from_number(number: i64) -> Option<PushState> {
        [
            PushState::Idle,
            PushState::Progress,
            PushState::Error,
            PushState::Success,
        ]
        .into_iter()
        .find(|state| state.number() == number)
    }
}

/// Result of `OTA.Status`. Only `state` is known for certain; the rest stays in `other`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushStatus {
    /// State of the update.
    pub state: PushState,
    /// Everything else.
    pub other: Map<String, Value>,
}

impl PushStatus {
    /// Reads a result.
    pub fn from_value(value: &Value) -> Decoded<PushStatus> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, "", "must be an object"));
        };
        let mut members = Members::new(map.clone(), "");
        let number = members.integer("state");
        members.require("state", &number);
        let state = number.and_then(PushState::from_number);
        if let (Some(number), None) = (number, state) {
            members.oddities.push(Oddity::invalid(
                OddityKind::InvalidValue,
                "/state",
                format!("{number} is not one of 0 to 3"),
            ));
        }
        Decoded {
            value: state.map(|state| PushStatus {
                state,
                other: members.rest,
            }),
            oddities: members.oddities,
        }
    }

    /// The result as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("state".into(), self.state.number().into());
        for (name, value) in &self.other {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(map)
    }
}

/// Why push arguments cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushArgumentsError {
    /// `size` absent, unusable or negative.
    #[error("size is absent or not a number of bytes")]
    Size,
    /// `offset` absent, unusable or negative.
    #[error("offset is absent or not a number of bytes")]
    Offset,
    /// `data` absent or not base64.
    #[error("data is absent or not base64")]
    Data,
}

/// Arguments of `OTA.Begin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Stall limit in seconds.
    pub timeout: Option<i32>,
    /// Commit timeout in seconds.
    pub commit_timeout: Option<i32>,
    /// Size of the archive in bytes.
    pub size: u64,
}

impl Begin {
    /// Reads the arguments leniently.
    pub fn read(arguments: Option<&Value>) -> Result<Begin, PushArgumentsError> {
        Ok(Begin {
            timeout: argument::integer(arguments, "timeout"),
            commit_timeout: argument::integer(arguments, "commit_timeout"),
            size: bytes(arguments, "size").ok_or(PushArgumentsError::Size)?,
        })
    }

    /// The arguments as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if let Some(seconds) = self.timeout {
            map.insert("timeout".into(), seconds.into());
        }
        if let Some(seconds) = self.commit_timeout {
            map.insert("commit_timeout".into(), seconds.into());
        }
        map.insert("size".into(), self.size.into());
        Value::Object(map)
    }
}

/// Arguments of `OTA.Write`. The same offset may come again: a caller repeats what it got no answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where the chunk begins, in bytes.
    pub offset: u64,
    /// The chunk.
    pub data: Vec<u8>,
}

impl Write {
    /// Reads the arguments.
    pub fn read(arguments: Option<&Value>) -> Result<Write, PushArgumentsError> {
        let data = argument::text(arguments, "data").ok_or(PushArgumentsError::Data)?;
        Ok(Write {
            offset: bytes(arguments, "offset").ok_or(PushArgumentsError::Offset)?,
            data: STANDARD.decode(data).map_err(|_| PushArgumentsError::Data)?,
        })
    }

    /// The arguments as JSON.
    pub fn to_value(&self) -> Value {
        json!({"offset": self.offset, "data": STANDARD.encode(&self.data)})
    }
}

fn bytes(arguments: Option<&Value>, name: &str) -> Option<u64> {
    u64::try_from(argument::integer(arguments, name)?).ok()
}
