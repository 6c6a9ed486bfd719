//! A record as it was, for readers who want the bytes behind a row.

use crate::text;
use hil_trace::{Payload, Record, RecordBody};
use hil_wire::http::Headers;
use std::fmt::Write as _;

/// Characters shown of one record.
const LIMIT: usize = 3000;

/// HTTP as it stands on the wire, everything else as JSON.
pub(super) fn raw(record: &Record) -> String {
    let whole = match &record.what {
        RecordBody::HttpRequest {
            method,
            target,
            headers,
            body,
            ..
        } => message(&format!("{method} {target}"), headers, body),
        RecordBody::HttpResponse {
            status,
            headers,
            body,
            ..
        } => message(&status.to_string(), headers, body),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    text::cut(&text::block(&whole), LIMIT)
}

fn message(first: &str, headers: &Headers, body: &Payload) -> String {
    let mut out = format!("{first}\n");
    for (name, value) in &headers.0 {
        let _ = writeln!(out, "{name}: {value}");
    }
    if body.length() > 0 {
        out.push('\n');
        match std::str::from_utf8(body.bytes()) {
            Ok(text) if !text.is_empty() => out.push_str(&text::cut(text, LIMIT)),
            _ => out.push_str(&text::bytes(body.bytes(), body.length(), LIMIT)),
        }
    }
    out
}
