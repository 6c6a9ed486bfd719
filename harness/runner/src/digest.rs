//! One hash of what happened in a run, the same for the same seed: without wall time, tool version and cryptography.

use hil_trace::{Figures, Party, Payload, Record, RecordBody, RepeatFigures, Trace, TraceHeader};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Hex SHA-256 over the traces in the order of their names, and over the repeats that keep their figures only.
pub fn digest(traces: &[Trace], repeats: &[RepeatFigures]) -> String {
    let mut sorted: Vec<&Trace> = traces.iter().collect();
    sorted.sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
    let mut hash = Sha256::new();
    for trace in sorted {
        hash.update(facts(&trace.header, trace.skipped.as_deref()));
        let mut fragments = Fragments::default();
        for record in &trace.records {
            let mut record = record.clone();
            fragments.join(&mut record);
            if let Some(payload) = record.payload_mut() {
                *payload = normalise(payload);
            }
            let mut value = serde_json::to_value(&record).unwrap_or(Value::Null);
            drop_volatile(&mut value);
            hash.update(value.to_string());
        }
    }
    for repeats in repeats {
        hash.update(facts(&repeats.header, None));
        let mut sorted: Vec<&Figures> = repeats.figures.iter().collect();
        sorted.sort_by(|a, b| a.instance.cmp(&b.instance));
        for figures in sorted {
            hash.update(serde_json::to_string(figures).unwrap_or_default());
        }
    }
    hex::encode(hash.finalize())
}

fn facts(header: &TraceHeader, skipped: Option<&str>) -> String {
    let facts = serde_json::json!([
        header.instance,
        header.protocol,
        header.scenario.sha256,
        header.seed,
        header.repetition,
        header.unit,
        header.ics,
        header.timing,
        header.params,
        skipped,
    ]);
    facts.to_string()
}

/// Messages in fragments, which may part a certificate: by connection and sender, what has come of each.
#[derive(Default)]
struct Fragments(BTreeMap<(u32, Party), Vec<u8>>);

impl Fragments {
    /// The last fragment of a message holds the whole of it, the others nothing.
    fn join(&mut self, record: &mut Record) {
        let RecordBody::WebSocketFrame {
            connection,
            from,
            opcode: 0..=2,
            fin,
            payload,
        } = &mut record.what
        else {
            return;
        };
        let begun = self.0.entry((*connection, *from)).or_default();
        begun.extend_from_slice(payload.bytes());
        *payload = match fin {
            true => std::mem::take(begun).as_slice().into(),
            false => Payload::empty(),
        };
    }
}

/// Certificates are named, not hashed: signatures are not reproducible, nor is what is encrypted for a certificate.
fn normalise(payload: &Payload) -> Payload {
    let Ok(text) = std::str::from_utf8(payload.bytes()) else {
        return payload.clone();
    };
    let volatile = [
        "-----BEGIN",
        CERTIFICATE.0,
        ENCRYPTED.0,
        FINGERPRINT.0,
        FINGERPRINTS.0,
    ];
    if !volatile.iter().any(|mark| text.contains(mark)) {
        return payload.clone();
    }
    let stripped = [CERTIFICATE, ENCRYPTED, FINGERPRINT, FINGERPRINTS]
        .into_iter()
        .fold(strip_pem(text), |text, (begin, end)| {
            strip_between(&text, begin, end)
        });
    stripped.as_bytes().into()
}

/// Certificates and encrypted data in Base64 and fingerprints inside JSON texts: what comes before and behind the value.
const CERTIFICATE: (&str, &str) = (r#""certificate":""#, "\"");
const ENCRYPTED: (&str, &str) = (r#""encrypted":""#, "\"");
const FINGERPRINT: (&str, &str) = (r#""fingerprint":""#, "\"");
const FINGERPRINTS: (&str, &str) = (r#""fingerprints":["#, "]");

fn strip_between(text: &str, begin: &str, end: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(begin) {
        kept.push_str(before);
        kept.push_str(begin);
        rest = after.find(end).and_then(|at| after.get(at..)).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

fn strip_pem(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN") {
        kept.push_str(&rest[..start]);
        kept.push_str("<pem>");
        let block = &rest[start..];
        rest = match block.find("-----END") {
            Some(end) => block[end + 8..]
                .split_once("-----")
                .map_or("", |(_, after)| after),
            None => "",
        };
    }
    kept.push_str(rest);
    kept
}

/// Handshake keys and lengths of what was stripped.
fn drop_volatile(value: &mut Value) {
    match value {
        Value::Array(list) => {
            let volatile = |item: &Value| {
                let name = item.get(0).and_then(Value::as_str).unwrap_or_default();
                VOLATILE_HEADERS
                    .iter()
                    .any(|header| name.eq_ignore_ascii_case(header))
            };
            list.retain(|item| !volatile(item));
            list.iter_mut().for_each(drop_volatile);
        }
        Value::Object(map) => {
            for (name, member) in map.iter_mut() {
                match member {
                    Value::String(text) if text.contains("-----BEGIN") => *text = strip_pem(text),
                    _ if name == "csr" || name == "certificate" => *member = Value::Null,
                    other => drop_volatile(other),
                }
            }
        }
        _ => {}
    }
}

const VOLATILE_HEADERS: [&str; 3] = ["Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Content-Length"];

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::Stamp;

    #[test]
    fn certificates_inside_messages_are_named() {
        let one =
            br#"{"certificates":[{"certificate":"MIIA","fingerprint":"AA"}],"x":[{"fingerprints":["AA"]}]}"#;
        let other = br#"{"certificates":[{"certificate":"MIIB==","fingerprint":"BB"}],"x":[{"fingerprints":["BB"]}]}"#;
        let (one, other) = (normalise(&one.into()), normalise(&other.into()));
        assert_eq!(one, other);
        assert_ne!(one, normalise(&br#"{"certificate":"MIIA"}"#.into()));
    }

    #[test]
    fn a_message_in_fragments_is_joined_at_its_end() {
        let mut fragments = Fragments::default();
        let mut payload_of = |opcode, fin, text: &str| {
            let mut record = Record {
                seq: 1,
                at: Stamp::default(),
                what: RecordBody::WebSocketFrame {
                    connection: 1,
                    from: Party::Cloud,
                    opcode,
                    fin,
                    payload: text.as_bytes().into(),
                },
            };
            fragments.join(&mut record);
            record.payload_mut().unwrap().bytes().to_vec()
        };
        assert_eq!(payload_of(2, false, r#"{"certificate":"MI"#), b"");
        assert_eq!(payload_of(9, true, "ping"), b"ping");
        assert_eq!(payload_of(0, true, r#"IA"}"#), br#"{"certificate":"MIIA"}"#);
        assert_eq!(payload_of(2, true, "whole"), b"whole");
    }

    #[test]
    fn pem_blocks_are_named() {
        let text = "a-----BEGIN X-----\nabc\n-----END X-----b-----BEGIN Y-----open";
        assert_eq!(strip_pem(text), "a<pem>b<pem>");
    }
}
