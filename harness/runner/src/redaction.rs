//! Keeps secrets a user supplied out of the trace: replaced by value before a record is kept. What hil makes up for one
//! run is no secret.

use hil_trace::{Payload, RecordBody};
use std::collections::BTreeMap;

/// Secrets and what stands for them.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    replaced: Vec<(String, String)>,
}

impl Redaction {
    /// The secrets among the settings of a unit: what its name says is a key, token, secret or password.
    pub fn of_settings(settings: &BTreeMap<String, String>) -> Self {
        let secret = |name: &str| SECRET_NAMES.iter().any(|part| name.contains(part));
        let given = settings
            .iter()
            .filter(|(name, value)| secret(name) && value.len() >= SHORTEST);
        let replaced = given
            .map(|(name, value)| (value.clone(), format!("redacted-{name}")))
            .collect();
        Redaction { replaced }
    }

    /// The record without the secrets. Monitors see the same stand-in wherever the same secret stood.
    pub fn apply(&self, mut what: RecordBody) -> RecordBody {
        if self.replaced.is_empty() {
            return what;
        }
        let bytes = match &mut what {
            RecordBody::HttpRequest { body, .. } | RecordBody::HttpResponse { body, .. } => Some(body),
            RecordBody::WebSocketFrame { payload, .. }
            | RecordBody::Bytes { payload, .. }
            | RecordBody::Console { payload, .. } => Some(payload),
            _ => None,
        };
        if let Some(payload) = bytes {
            self.redact_payload(payload);
        }
        let Ok(mut text) = serde_json::to_string(&what) else {
            return what;
        };
        for (secret, stand_in) in &self.replaced {
            let escaped = serde_json::Value::from(secret.as_str()).to_string();
            text = text.replace(&escaped[1..escaped.len() - 1], stand_in);
        }
        serde_json::from_str(&text).unwrap_or(what)
    }

    fn redact_payload(&self, payload: &mut Payload) {
        for (secret, stand_in) in &self.replaced {
            let secret = secret.as_bytes();
            let bytes = payload.bytes();
            let Some(first) = find(bytes, secret) else {
                continue;
            };
            let mut kept = bytes[..first].to_vec();
            let mut rest = &bytes[first..];
            while let Some(at) = find(rest, secret) {
                kept.extend_from_slice(&rest[..at]);
                kept.extend_from_slice(stand_in.as_bytes());
                rest = &rest[at + secret.len()..];
            }
            kept.extend_from_slice(rest);
            *payload = kept.into();
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

const SECRET_NAMES: [&str; 5] = ["key", "token", "secret", "password", "credential"];
/// Shorter values would be found everywhere.
const SHORTEST: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::{ConsoleStream, Party};
    use hil_wire::http::Headers;

    #[test]
    fn a_supplied_key_stands_nowhere() {
        let settings = BTreeMap::from([
            ("device_key".to_owned(), "s3cret\"key".to_owned()),
            ("device_id".to_owned(), "unit-0001".to_owned()),
        ]);
        let redaction = Redaction::of_settings(&settings);
        let request = redaction.apply(RecordBody::HttpRequest {
            connection: 1,
            exchange: 1,
            face: "edge-api".to_owned(),
            from: Party::Unit,
            method: "GET".to_owned(),
            target: "/unit-0001?k=s3cret\"key".to_owned(),
            headers: Headers::new().with("X-Device-Key", "s3cret\"key"),
            body: b"\xff s3cret\"key s3cret\"key".into(),
        });
        let RecordBody::HttpRequest {
            target,
            headers,
            body,
            ..
        } = request
        else {
            panic!("another record")
        };
        assert_eq!(target, "/unit-0001?k=redacted-device_key");
        assert_eq!(headers.get("X-Device-Key"), Some("redacted-device_key"));
        assert_eq!(body.bytes(), b"\xff redacted-device_key redacted-device_key");
        let console = RecordBody::Console {
            stream: ConsoleStream::Stdout,
            payload: b"harmless".into(),
        };
        assert_eq!(redaction.apply(console.clone()), console);
    }
}
