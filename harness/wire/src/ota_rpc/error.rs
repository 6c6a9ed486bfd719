//! The error member of a reply and the codes the service uses.

use super::members::{Members, read_text};
use crate::oddity::{Decoded, Oddity, OddityKind, Weight};
use serde_json::{Map, Value};

/// Error codes (reference section 1.1).
pub mod code {
    /// Success of `OTA.Update`; text in the message.
    pub const SUCCESS: i64 = 0;
    /// General failure of an OTA method.
    pub const FAILURE: i64 = -1;
    /// `SetBootState`: nothing usable in the arguments; `CreateSnapshot`: boot state cannot be read.
    pub const NOTHING_USABLE: i64 = -2;
    /// `SetBootState`: state refused; `CreateSnapshot`: boot state cannot be written.
    pub const STATE_REFUSED: i64 = -3;
    /// The commit timeout cannot be stored.
    pub const TIMEOUT_NOT_STORED: i64 = -4;
    /// Malformed credentials, or a bad argument of a core method.
    pub const BAD_REQUEST: i64 = 400;
    /// Credentials required; the message is a challenge.
    pub const UNAUTHORIZED: i64 = 401;
    /// The access list denies the call.
    pub const FORBIDDEN: i64 = 403;
    /// No handler for the method.
    pub const NOT_FOUND: i64 = 404;
    /// The unit restarts in less than 100 ms.
    pub const RESTARTING: i64 = 418;
    /// The caller's own queue dropped the request; never on the wire.
    pub const EVICTED: i64 = 429;
    /// The password file cannot be read.
    pub const INTERNAL: i64 = 500;
}

/// `{"code": int, "message": string}`; the message may be absent and code 0 means success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RpcError {
    /// One of [`code`], or another number.
    pub code: i64,
    /// Text for people; never to be matched.
    pub message: Option<String>,
    /// Members beyond these two, kept as they were.
    pub other: Map<String, Value>,
}

impl RpcError {
    /// An error with a message.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        RpcError {
            code,
            message: Some(message.into()),
            other: Map::new(),
        }
    }

    /// An error without a message.
    pub fn bare(code: i64) -> Self {
        RpcError {
            code,
            ..RpcError::default()
        }
    }

    /// The answer to a method nobody handles.
    pub fn no_handler(method: &str) -> Self {
        RpcError::new(code::NOT_FOUND, format!("No handler for {method}"))
    }

    /// The answer in the last 100 ms before a restart.
    pub fn restarting(millis_left: u64) -> Self {
        RpcError::new(code::RESTARTING, format!("shutting down in {millis_left} ms"))
    }

    /// Reads an error object; `path` is the JSON pointer of `value`.
    pub fn from_value(value: Value, path: &str) -> Decoded<RpcError> {
        let Value::Object(map) = value else {
            return Decoded::nothing(Oddity::invalid(OddityKind::WrongType, path, "must be an object"));
        };
        let mut members = Members::new(map, path);
        let code = members.integer("code");
        members.require("code", &code);
        let message = members.take("message", "a string", Weight::Tolerable, read_text);
        members.note_unknown(&["code", "message"]);
        Decoded {
            value: code.map(|code| RpcError {
                code,
                message,
                other: members.rest,
            }),
            oddities: members.oddities,
        }
    }

    /// The error as JSON.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("code".into(), self.code.into());
        if let Some(message) = &self.message {
            map.insert("message".into(), message.clone().into());
        }
        for (name, value) in &self.other {
            map.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(map)
    }
}
