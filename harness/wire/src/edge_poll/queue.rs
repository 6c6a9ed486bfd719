//! What an operator queues for a device (reference section 3.7).

use crate::{json, members::Members, oddity::Decoded};
use serde::Serialize;
use serde_json::{Map, Value};

/// The body of an operator's request. Command names are not checked, so that unknown ones can be sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueCommand {
    /// Command type.
    pub command: String,
    /// Parameters of the command.
    pub payload: Map<String, Value>,
    /// Seconds until the command expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

impl QueueCommand {
    /// Reads a request body.
    pub fn decode(bytes: &[u8]) -> Decoded<QueueCommand> {
        let parsed = json::parse_request(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let command = members.required("command");
            let payload = members.required("payload");
            let expires_in_s = members.optional("expires_in_s");
            members.finish();
            Some(QueueCommand {
                command: command?,
                payload: payload?,
                expires_in_s,
            })
        });
        Decoded { value, oddities }
    }
}
