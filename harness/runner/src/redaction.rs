//! Keeps secrets a user supplied out of the trace: replaced by value before a record is kept. What hil makes up for one
//! run is no secret.

use base64::{
    Engine,
    engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use hil_trace::RecordBody;
use std::collections::BTreeMap;

/// Secrets and what stands for them.
#[derive(Clone, Debug, Default)]
pub struct Redaction {
    replaced: Vec<Replaced>,
}

/// One secret in the forms it is found in, each with what stands for it there.
#[derive(Clone, Debug)]
struct Replaced {
    secret: Vec<u8>,
    stand_in: Vec<u8>,
    /// As it is, in JSON, percent-encoded, in hexadecimal digits.
    forms: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Redaction {
    /// The secrets among the settings of a unit: what its name says is a key, token, secret or password.
    pub fn of_settings(settings: &BTreeMap<String, String>) -> Self {
        let replaced = settings
            .iter()
            .filter(|(name, value)| is_secret(name) && value.len() >= SHORTEST)
            .map(|(name, value)| Replaced::new(value, &format!("redacted-{name}")))
            .collect();
        Redaction { replaced }
    }

    /// The record without the secrets. Monitors see the same stand-in wherever the same secret stood; what was encoded
    /// is still well encoded.
    pub fn apply(&self, mut what: RecordBody) -> RecordBody {
        if self.replaced.is_empty() {
            return what;
        }
        let bytes = match &mut what {
            RecordBody::HttpRequest { body, .. } | RecordBody::HttpResponse { body, .. } => Some(body),
            RecordBody::WebSocketFrame { payload, .. }
            | RecordBody::Bytes { payload, .. }
            | RecordBody::Datagram { payload, .. }
            | RecordBody::Console { payload, .. } => Some(payload),
            _ => None,
        };
        if let Some(payload) = bytes
            && let Some(redacted) = self.redacted(payload.bytes())
        {
            *payload = redacted.into();
        }
        let Ok(text) = serde_json::to_string(&what) else {
            return what;
        };
        // Payloads are base64 in here: a secret found inside their encoding again would be one of the texts.
        let redacted = self.redacted(text.as_bytes());
        redacted
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or(what)
    }

    /// Bytes without the secrets; nothing if there are none in them.
    fn redacted(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut redacted = None;
        for replaced in &self.replaced {
            for (form, stand_in) in &replaced.forms {
                let text = redacted.as_deref().unwrap_or(bytes);
                redacted = replace(text, form, stand_in).or(redacted);
            }
        }
        in_base64(redacted.as_deref().unwrap_or(bytes), &self.replaced).or(redacted)
    }
}

impl Replaced {
    fn new(secret: &str, stand_in: &str) -> Replaced {
        let escaped = serde_json::Value::from(secret).to_string();
        let escaped = &escaped[1..escaped.len() - 1];
        let twice = serde_json::Value::from(escaped).to_string();
        let upper = percent_encoded(secret);
        let hex = hex::encode(secret);
        let texts = [
            secret,
            escaped,
            &twice[1..twice.len() - 1],
            &upper,
            &lower_percent(&upper),
            &upper.replace("%20", "+"),
        ];
        let mut forms: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for text in texts {
            if forms.iter().all(|(form, _)| form != text.as_bytes()) {
                forms.push((text.into(), stand_in.into()));
            }
        }
        forms.push((hex.to_uppercase().into(), hex::encode_upper(stand_in).into()));
        forms.push((hex.into(), hex::encode(stand_in).into()));
        // The longest first: a short form may be a part of a long one.
        forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        Replaced {
            secret: secret.into(),
            stand_in: stand_in.into(),
            forms,
        }
    }
}

/// Whether a setting of this name is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

fn replace(text: &[u8], part: &[u8], with: &[u8]) -> Option<Vec<u8>> {
    let first = find(text, part)?;
    let mut kept = text[..first].to_vec();
    let mut rest = &text[first..];
    while let Some(at) = find(rest, part) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(with);
        rest = &rest[at + part.len()..];
    }
    kept.extend_from_slice(rest);
    Some(kept)
}

/// Replaces secrets inside words that are base64, such as Basic credentials and tokens made of encoded members.
fn in_base64(text: &[u8], secrets: &[Replaced]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|byte| is_base64(**byte)).count();
        let word = &text[at..at + length];
        if length >= SHORTEST
            && let Some((engine, decoded)) = decode(word)
        {
            let mut changed = None;
            for replaced in secrets {
                let bytes = changed.as_deref().unwrap_or(&decoded[..]);
                changed = replace(bytes, &replaced.secret, &replaced.stand_in).or(changed);
            }
            if let Some(changed) = changed {
                let mut encoded = engine.encode(changed);
                let padding = text[at + length..]
                    .iter()
                    .take_while(|byte| **byte == b'=')
                    .count();
                while padding > 0 && encoded.len() % 4 != 0 {
                    encoded.push('=');
                }
                kept.extend_from_slice(&text[copied..at]);
                kept.extend_from_slice(encoded.as_bytes());
                copied = at + length + padding;
            }
        }
        at += length.max(1);
    }
    (copied > 0).then(|| {
        kept.extend_from_slice(&text[copied..]);
        kept
    })
}

fn decode(word: &[u8]) -> Option<(&'static GeneralPurpose, Vec<u8>)> {
    [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|engine| Some((engine, engine.decode(word).ok()?)))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// The same with lower-case digits after each `%`.
fn lower_percent(encoded: &str) -> String {
    let mut digits = 0;
    encoded
        .chars()
        .map(|c| {
            if c == '%' {
                digits = 2;
                return c;
            }
            let lower = if digits > 0 { c.to_ascii_lowercase() } else { c };
            digits = usize::saturating_sub(digits, 1);
            lower
        })
        .collect()
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

    #[test]
    fn a_secret_is_found_in_every_encoding_and_what_was_encoded_still_is() {
        let secret = "pass word/+ä\"1";
        let redaction =
            Redaction::of_settings(&BTreeMap::from([("Client_Secret".to_owned(), secret.to_owned())]));
        let redacted = |text: &str| String::from_utf8(redaction.redacted(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(
            redacted("s=pass%20word%2F%2B%C3%A4%221&x"),
            "s=redacted-Client_Secret&x"
        );
        assert_eq!(
            redacted("s=pass%20word%2f%2b%c3%a4%221"),
            "s=redacted-Client_Secret"
        );
        assert_eq!(
            redacted("s=pass+word%2F%2B%C3%A4%221"),
            "s=redacted-Client_Secret"
        );
        let inner = serde_json::json!({"s": secret}).to_string();
        let outer = serde_json::json!({"body": inner}).to_string();
        assert_eq!(
            redacted(&outer),
            serde_json::json!({"body": "{\"s\":\"redacted-Client_Secret\"}"}).to_string()
        );
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("unit-1:{secret}"));
        let shown = redacted(&format!("Authorization: Basic {basic}\r\n"));
        let encoded = shown.trim().rsplit(' ').next().unwrap();
        let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
        assert_eq!(decoded, b"unit-1:redacted-Client_Secret");
        assert_eq!(
            redacted(&hex::encode(secret)),
            hex::encode("redacted-Client_Secret")
        );
        assert_eq!(redaction.redacted(b"nothing secret, YWJjZGVmZ2g="), None);
    }

    #[test]
    fn console_lines_and_large_bodies_keep_no_secret() {
        let redaction =
            Redaction::of_settings(&BTreeMap::from([("token".to_owned(), "abcdef123".to_owned())]));
        let large = format!("{}abcdef123{}", "x".repeat(40_000), "y".repeat(40_000));
        let RecordBody::Console { payload, .. } = redaction.apply(RecordBody::Console {
            stream: ConsoleStream::Stdout,
            payload: large.as_bytes().into(),
        }) else {
            panic!("another record")
        };
        assert!(find(payload.bytes(), b"abcdef123").is_none());
        assert!(find(payload.bytes(), b"xredacted-tokeny").is_some());
    }
}
