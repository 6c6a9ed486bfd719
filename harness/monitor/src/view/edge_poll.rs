//! The edge poll API in words: polls, acks, downloads, reports and their answers.

use super::{
    View,
    common::{common_event, event, fields},
};
use crate::message::recorded_request;
use hil_trace::{Event, HttpEnding, Party, Record, RecordBody, Who};
use hil_wire::{
    edge_poll::{Ack, Call, LatestAnswer, StatusReport},
    http::{Headers, Request},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Remembers open exchanges by number.
#[derive(Default)]
pub(crate) struct EdgePollView {
    open: BTreeMap<u32, Open>,
    /// Connections with TLS over which nothing was asked yet.
    silent: BTreeSet<u32>,
}

struct Open {
    record: u64,
    name: &'static str,
    /// Facts of the request that its answer repeats.
    facts: Value,
}

impl View for EdgePollView {
    fn events(&mut self, record: &Record) -> Vec<Event> {
        match &record.what {
            RecordBody::TlsEstablished { connection, .. } => {
                self.silent.insert(*connection);
                Vec::new()
            }
            // Some check the name in a certificate only after the handshake.
            RecordBody::ConnectionClosed { connection, .. } if self.silent.remove(connection) => {
                let reason = "the unit left after the handshake";
                vec![event(
                    record,
                    Who::Unit,
                    "tls_refused",
                    fields(json!({"reason": reason})),
                )]
            }
            RecordBody::HttpRequest {
                connection,
                exchange,
                face,
                from: Party::Unit,
                method,
                target,
                headers,
                body,
                ..
            } => {
                self.silent.remove(connection);
                let request = recorded_request(method, target, headers, body);
                let Some((name, facts, repeated)) = read_request(face, &request) else {
                    return Vec::new();
                };
                self.open.insert(
                    *exchange,
                    Open {
                        record: record.seq,
                        name,
                        facts: repeated,
                    },
                );
                vec![event(record, Who::Unit, name, fields(facts))]
            }
            RecordBody::HttpResponse {
                exchange,
                from: Party::Cloud,
                status,
                headers,
                body,
                ending,
            } => {
                let Some(open) = self.open.remove(exchange) else {
                    return Vec::new();
                };
                let (name, facts) = read_answer(&open, *status, headers, body.bytes(), *ending);
                let mut event = event(record, Who::Cloud, name, fields(facts));
                event.records.insert(0, open.record);
                vec![event]
            }
            _ => common_event(record).into_iter().collect(),
        }
    }
}

fn read_request(face: &str, request: &Request) -> Option<(&'static str, Value, Value)> {
    let key = request.headers.get("X-Device-Key").is_some();
    let download = |origin: &str| {
        let facts = json!({
            "origin": origin,
            "path": request.path(),
            "method": request.method,
            "range": request.headers.get("Range"),
            "if_range": request.headers.get("If-Range"),
            "key": key,
        });
        Some((
            "download",
            facts,
            json!({"origin": origin, "path": request.path(), "method": request.method}),
        ))
    };
    match face {
        "blob-origin" => return download("second"),
        "blob-plain" => return download("plain"),
        _ => {}
    }
    match Call::of(request) {
        Call::Poll { limit } => {
            let facts = json!({
                "limit": limit.ok(),
                "boot_id": request.headers.get("X-Boot-Id"),
                "agent_version": request.headers.get("X-Agent-Version"),
                "key": key,
            });
            Some(("poll", facts, json!({})))
        }
        Call::Ack { id } => {
            let ack = Ack::decode(&request.body).value;
            let mut facts = ack
                .and_then(|ack| serde_json::to_value(ack).ok())
                .unwrap_or_else(|| json!({}));
            facts["id"] = json!(id);
            let repeated = json!({"id": id, "status": facts.get("status")});
            Some(("ack", facts, repeated))
        }
        Call::Latest {
            snap_name, version, ..
        } => {
            let facts = json!({"snap_name": snap_name, "version": version});
            Some(("latest", facts, json!({})))
        }
        Call::Blob { .. } => download("api"),
        Call::Report => {
            let report = StatusReport::decode(&request.body).value;
            let facts = report
                .and_then(|report| serde_json::to_value(report).ok())
                .unwrap_or(json!({}));
            let repeated = json!({"attempt_id": facts.get("attempt_id"), "status": facts.get("status")});
            Some(("report", facts, repeated))
        }
        _ => None,
    }
}

fn read_answer(
    open: &Open,
    status: u16,
    headers: &Headers,
    body: &[u8],
    ending: HttpEnding,
) -> (&'static str, Value) {
    let mut facts = open.facts.clone();
    facts["http_status"] = json!(status);
    let retry_after = headers.get("Retry-After");
    if retry_after.is_some() {
        facts["retry_after"] = json!(retry_after);
    }
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    if status >= 400 {
        facts["code"] = json!(parsed.as_ref().and_then(|value| value.get("code")));
    }
    let name = match open.name {
        "poll" => {
            if let (200, Some(Value::Array(items))) = (status, &parsed) {
                let ids: Vec<&Value> = items.iter().filter_map(|item| item.get("id")).collect();
                facts["ids"] = json!(ids);
                facts["count"] = json!(items.len());
            }
            facts["interval"] = json!(headers.get("X-Poll-Interval"));
            "commands"
        }
        "ack" => {
            facts["duplicate"] = json!(headers.get("X-Duplicate-Ack").is_some());
            "ack_answer"
        }
        "latest" => {
            if let Some(answer) = LatestAnswer::decode(body).value {
                facts["snap_name"] = json!(answer.snap_name);
                facts["version"] = json!(answer.version);
                facts["download_url"] = json!(answer.download_url);
                facts["checksum"] = json!(answer.checksum);
                facts["size"] = json!(answer.size);
            }
            "latest_answer"
        }
        "download" => {
            facts["bytes"] = json!(body.len());
            facts["complete"] = json!(ending == HttpEnding::Complete);
            facts["location"] = json!(headers.get("Location"));
            facts["content_range"] = json!(headers.get("Content-Range"));
            "download_answer"
        }
        _ => "report_answer",
    };
    (name, facts)
}
