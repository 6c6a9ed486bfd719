//! The device command API in words: fetches, statuses, exports, downloads, issuing calls and their answers.

use super::{
    View,
    common::{common_event, event, fields},
};
use crate::message::recorded_request;
use hil_trace::{Event, HttpEnding, PLAIN_INSTEAD_OF_TLS, Party, Record, RecordBody, UnitChange, Who};
use hil_wire::{
    device_command::{Call, CsvExport, ExportBody, StatusBody, header},
    http::{Headers, Request},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Remembers open exchanges by number, and which boot the unit speaks of.
#[derive(Default)]
pub(crate) struct DeviceCommandView {
    open: BTreeMap<u32, Open>,
    /// Faces by connection.
    faces: BTreeMap<u32, String>,
    boot: Boots,
    earlier: Earlier,
}

/// What a unit that was not made fresh still says about commands of an earlier run: none of this trace's business.
#[derive(Default)]
struct Earlier {
    /// The unit ran before this trace began.
    possible: bool,
    /// Commands of this trace.
    own: BTreeSet<String>,
}

impl Earlier {
    fn learn(&mut self, record: &Record) {
        match &record.what {
            RecordBody::Unit {
                change: UnitChange::Started,
                facts,
            } => self.possible = facts.get("remote") == Some(&Value::Bool(true)),
            RecordBody::Cloud { name, facts } if name == "issued" => {
                let id = facts.get("command_id").and_then(Value::as_str);
                self.own.extend(id.map(str::to_owned));
            }
            _ => {}
        }
    }

    /// The name of an event of the unit about a command.
    fn name(&self, name: &'static str, id: Option<&str>) -> &'static str {
        let known = id.is_none_or(|id| self.own.contains(id));
        match name {
            "status" if self.possible && !known => "earlier_status",
            "export" if self.possible && !known => "earlier_export",
            name => name,
        }
    }
}

/// Boots the driver tells of, and those that only a new `X-Boot-Id` shows: a remote unit, or one that restarts without
/// ending its process.
#[derive(Default)]
struct Boots {
    /// The last `X-Boot-Id`.
    id: Option<String>,
    /// The driver told of a boot, and no request of that boot came yet.
    told: bool,
}

impl Boots {
    /// The driver's own word.
    fn driver(&mut self, record: &Record) {
        if let RecordBody::Unit {
            change: UnitChange::Booted,
            ..
        } = record.what
        {
            self.told = true;
        }
    }

    /// True if this request is the first sign of a boot.
    fn is_news(&mut self, id: Option<&str>) -> bool {
        let Some(id) = id.filter(|id| self.id.as_deref() != Some(id)) else {
            return false;
        };
        self.id = Some(id.to_owned());
        !std::mem::take(&mut self.told)
    }
}

struct Open {
    record: u64,
    name: &'static str,
    /// Facts of the request that its answer repeats.
    facts: Value,
}

impl View for DeviceCommandView {
    fn events(&mut self, record: &Record) -> Vec<Event> {
        match &record.what {
            RecordBody::HttpRequest {
                exchange,
                face,
                from,
                method,
                target,
                headers,
                body,
                ..
            } => {
                let request = recorded_request(method, target, headers, body);
                let read = match from {
                    Party::Unit => read_request(face, &request),
                    Party::Cloud => read_issue(&request),
                    Party::Operator => None,
                };
                let Some((name, facts, repeated)) = read else {
                    return Vec::new();
                };
                let name = self
                    .earlier
                    .name(name, facts.get("command_id").and_then(Value::as_str));
                self.open.insert(
                    *exchange,
                    Open {
                        record: record.seq,
                        name,
                        facts: repeated,
                    },
                );
                let who = if *from == Party::Unit {
                    Who::Unit
                } else {
                    Who::Cloud
                };
                let seen = event(record, who, name, fields(facts));
                if self.boot.is_news(seen.text("boot_id")) {
                    let facts =
                        json!({"boot_id": seen.text("boot_id"), "version": seen.text("firmware_version")});
                    return vec![event(record, Who::Unit, "booted", fields(facts)), seen];
                }
                vec![seen]
            }
            RecordBody::HttpResponse {
                exchange,
                status,
                headers,
                body,
                ending,
                ..
            } => {
                let Some(open) = self.open.remove(exchange) else {
                    return Vec::new();
                };
                let (who, name, facts) = read_answer(&open, *status, headers, body.bytes(), *ending);
                let mut event = event(record, who, name, fields(facts));
                event.records.insert(0, open.record);
                vec![event]
            }
            RecordBody::TlsRefused { connection, reason } if reason == PLAIN_INSTEAD_OF_TLS => {
                let facts = json!({"face": self.faces.get(connection)});
                vec![event(record, Who::Unit, "plain", fields(facts))]
            }
            _ => {
                if let RecordBody::ConnectionOpened { connection, face, .. } = &record.what {
                    self.faces.insert(*connection, face.clone());
                }
                self.boot.driver(record);
                self.earlier.learn(record);
                common_event(record).into_iter().collect()
            }
        }
    }
}

/// Whether a face of the cloud is one that needs no token, and must not get it.
pub(crate) fn is_other_origin(face: &str) -> bool {
    matches!(
        face,
        "firmware-host" | "diagnostics-host" | "second-diagnostics-host"
    )
}

type Read = Option<(&'static str, Value, Value)>;

fn read_request(face: &str, request: &Request) -> Read {
    let token = request.headers.get("Authorization").is_some();
    if is_other_origin(face) {
        let path = request.path();
        return Some(
            match path
                .strip_prefix("/endpoint/")
                .and_then(|n| n.parse::<u64>().ok())
            {
                Some(number) => (
                    "endpoint_test",
                    json!({"number": number, "path": request.target, "token": token}),
                    json!({"number": number}),
                ),
                None => (
                    "download",
                    json!({"path": path, "method": request.method, "token": token}),
                    json!({"path": path}),
                ),
            },
        );
    }
    let boot_id = request.headers.get(header::BOOT_ID);
    let version = request.headers.get(header::FIRMWARE_VERSION);
    match Call::of(request) {
        Call::Fetch { device_id } => {
            let facts = json!({
                "device_id": device_id, "boot_id": boot_id, "firmware_version": version, "token": token,
            });
            Some(("fetch", facts, json!({})))
        }
        Call::Status => {
            let decoded = StatusBody::decode(&request.body);
            let problem = decoded
                .first_invalid()
                .map(|oddity| format!("{}: {}", oddity.path, oddity.detail));
            let raw: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let facts = json!({
                "command_id": raw.get("command_id"), "status": raw.get("status"), "details": raw.get("details"),
                "timestamp": raw.get("timestamp"), "boot_id": boot_id, "firmware_version": version,
                "valid": decoded.is_valid(), "problem": problem, "token": token, "lost": lost_member(&raw),
            });
            let repeated = json!({"command_id": raw.get("command_id"), "status": raw.get("status")});
            Some(("status", facts, repeated))
        }
        Call::Export { command_id, .. } => {
            let facts = read_export(&command_id, request);
            Some(("export", facts, json!({"command_id": command_id})))
        }
        _ => None,
    }
}

/// A member that did not fit into some buffer: it arrives as null, or as nothing where something must be.
fn lost_member(report: &Value) -> Option<&'static str> {
    ["command_id", "status", "timestamp", "details"]
        .into_iter()
        .find(|name| match report.get(name) {
            Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty() && *name != "details",
            _ => false,
        })
}

fn read_export(command_id: &str, request: &Request) -> Value {
    let content_type = request.headers.get("Content-Type");
    let is_csv = content_type.is_some_and(|text| text.trim().to_ascii_lowercase().starts_with("text/csv"));
    let (valid, times, raw) = if is_csv {
        let decoded = CsvExport::decode(&request.body);
        let valid = decoded.is_valid();
        let export = decoded.value;
        let raw = export
            .as_ref()
            .map(|export| export.header.iter().any(|name| name == "raw"));
        let rows = export.map(|export| export.records).unwrap_or_default();
        let times: Vec<String> = rows
            .into_iter()
            .filter_map(|row| row.into_iter().next())
            .collect();
        (valid, times, raw)
    } else {
        let decoded = ExportBody::decode(&request.body);
        let valid = decoded.is_valid();
        let records = decoded.value.map(|export| export.records).unwrap_or_default();
        let raw = records.iter().any(|record| record.raw.is_some());
        let times: Vec<String> = records.into_iter().map(|record| record.timestamp).collect();
        (valid, times, Some(raw))
    };
    json!({
        "command_id": command_id, "content_type": content_type, "bytes": request.body.len(),
        "records": times.len(), "first": times.iter().min(), "last": times.iter().max(), "raw": raw,
        "valid": valid,
    })
}

/// The harness as issuer (direct mode).
fn read_issue(request: &Request) -> Read {
    let Call::Issue { device_id } = Call::of(request) else {
        return None;
    };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let command = body.get("command");
    let of = |name: &str| command.and_then(|command| command.get(name)).cloned();
    let facts = json!({
        "command_id": of("command_id"), "type": of("type"), "device_id": device_id,
        "token": request.headers.get("Authorization").is_some(), "command": command,
    });
    Some(("issue", facts, json!({"command_id": of("command_id")})))
}

fn read_answer(
    open: &Open,
    status: u16,
    headers: &Headers,
    body: &[u8],
    ending: HttpEnding,
) -> (Who, &'static str, Value) {
    let mut facts = open.facts.clone();
    facts["http_status"] = json!(status);
    let parsed: Value = serde_json::from_slice(body).unwrap_or_default();
    if status >= 400 {
        facts["code"] = json!(parsed.get("code"));
    }
    if let Some(wait) = headers.get("Retry-After") {
        facts["retry_after"] = json!(wait);
    }
    match open.name {
        "fetch" => {
            if let (200, Some(Value::Array(items))) = (status, parsed.get("commands")) {
                let ids: Vec<&Value> = items.iter().filter_map(|item| item.get("command_id")).collect();
                facts["ids"] = json!(ids);
                facts["count"] = json!(items.len());
                facts["items"] = json!(items);
            }
            (Who::Cloud, "commands", facts)
        }
        "earlier_status" => (Who::Cloud, "earlier_status_answer", facts),
        "earlier_export" => (Who::Cloud, "earlier_export_answer", facts),
        "status" => {
            for name in ["duplicate", "commands_pending"] {
                facts[name] = json!(parsed.get(name));
            }
            (Who::Cloud, "status_answer", facts)
        }
        "export" => (Who::Cloud, "export_answer", facts),
        "download" => {
            facts["bytes"] = json!(body.len());
            facts["complete"] = json!(ending == HttpEnding::Complete);
            (Who::Cloud, "download_answer", facts)
        }
        "endpoint_test" => (Who::Cloud, "endpoint_answer", facts),
        _ => {
            if let Value::Object(members) = parsed {
                for (name, value) in members {
                    // The id called for stays; what the unit echoes is judged apart.
                    let name = if name == "command_id" {
                        "echoed_id".to_owned()
                    } else {
                        name
                    };
                    facts[name] = value;
                }
            }
            (Who::Unit, "issue_answer", facts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::{Payload, Stamp};

    fn seen(view: &mut DeviceCommandView, what: RecordBody) -> Vec<String> {
        let record = Record {
            seq: 0,
            at: Stamp(0),
            what,
        };
        view.events(&record).into_iter().map(|event| event.name).collect()
    }

    fn unit(change: UnitChange, facts: Value) -> RecordBody {
        RecordBody::Unit {
            change,
            facts: fields(facts),
        }
    }

    fn request(method: &str, target: &str, boot_id: &str, body: &Value) -> RecordBody {
        let mut headers = Headers::default();
        headers.push("X-Boot-Id", boot_id);
        RecordBody::HttpRequest {
            connection: 1,
            exchange: 1,
            face: "device-api".into(),
            from: Party::Unit,
            method: method.into(),
            target: target.into(),
            headers,
            body: Payload::from(body.to_string().into_bytes()),
        }
    }

    fn fetch(boot_id: &str) -> RecordBody {
        request("GET", "/api/v1/device/command/u", boot_id, &Value::Null)
    }

    #[test]
    fn a_new_boot_id_is_a_boot_unless_the_driver_told_of_it() {
        let mut view = DeviceCommandView::default();
        assert_eq!(seen(&mut view, unit(UnitChange::Booted, json!({}))), ["booted"]);
        assert_eq!(seen(&mut view, fetch("a")), ["fetch"]);
        assert_eq!(seen(&mut view, fetch("a")), ["fetch"]);
        assert_eq!(seen(&mut view, fetch("b")), ["booted", "fetch"]);
        assert_eq!(seen(&mut view, fetch("b")), ["fetch"]);
    }

    #[test]
    fn a_remote_unit_may_speak_of_an_earlier_run() {
        let status = |id: &str| {
            let body =
                json!({"command_id": id, "status": "completed", "timestamp": "2026-01-01T00:00:00.000Z"});
            request("POST", "/api/v1/device/command/status", "a", &body)
        };
        let issued = || RecordBody::Cloud {
            name: "issued".into(),
            facts: fields(json!({"command_id": "own", "type": "storage_cleanup"})),
        };
        let mut view = DeviceCommandView::default();
        seen(&mut view, unit(UnitChange::Started, json!({"remote": true})));
        seen(&mut view, fetch("a"));
        seen(&mut view, issued());
        assert_eq!(seen(&mut view, status("own")), ["status"]);
        assert_eq!(seen(&mut view, status("other")), ["earlier_status"]);
        let mut fresh = DeviceCommandView::default();
        seen(&mut fresh, unit(UnitChange::Booted, json!({})));
        assert_eq!(seen(&mut fresh, status("other")), ["status"]);
    }
}
