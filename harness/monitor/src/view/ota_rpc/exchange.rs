//! HTTP exchanges: calls to the unit, upgrades, and downloads from the firmware host.

use super::{describe_call, describe_reply, event, fields};
use hil_trace::{Event, HttpEnding, Party, Record, Who};
use hil_wire::{
    http::{Request, Response},
    ota_rpc::{
        Id,
        http::{Form, parse_request, parse_response},
    },
};
use serde_json::{Value, json};

/// An exchange that waits for its answer.
pub(super) struct Open {
    record: u64,
    kind: Kind,
}

enum Kind {
    /// A call; facts its reply repeats.
    Call { form: Form, facts: Value },
    /// The upgrade of a WebSocket the caller opens.
    Upgrade { offered: Option<String> },
    /// A download.
    Download { path: String },
}

/// Reads a request. `id_of` gives the id of a call whose form carries none, by its method.
pub(super) fn read(
    record: &Record,
    face: &str,
    from: Party,
    request: &Request,
    id_of: impl FnOnce(&str) -> Option<Value>,
) -> Option<(Open, Option<Event>)> {
    let (kind, event) = match (face, from) {
        ("firmware-host", Party::Unit) => {
            let facts = json!({
                "path": request.path(),
                "method": request.method,
                "range": request.headers.get("Range"),
                "device": request.headers.get("X-MGOS-Device-ID"),
                "firmware": request.headers.get("X-MGOS-FW-Version"),
            });
            let path = request.path().to_owned();
            let event = event(record, Who::Unit, "download", fields(facts));
            (Kind::Download { path }, Some(event))
        }
        ("rpc-server", _) => return None,
        (_, Party::Unit) => return None,
        _ if request.headers.get("Upgrade").is_some() => {
            let offered = request.headers.get("Sec-WebSocket-Protocol").map(str::to_owned);
            (Kind::Upgrade { offered }, None)
        }
        _ => call(record, request, id_of),
    };
    let open = Open {
        record: record.seq,
        kind,
    };
    Some((open, event))
}

fn call(
    record: &Record,
    request: &Request,
    id_of: impl FnOnce(&str) -> Option<Value>,
) -> (Kind, Option<Event>) {
    let mut facts = json!({"transport": "http"});
    let Ok(parsed) = parse_request(request) else {
        return (
            Kind::Call {
                form: Form::Frame,
                facts,
            },
            None,
        );
    };
    describe_call(&parsed.frame, &mut facts);
    let transport = match parsed.form {
        Form::Frame | Form::Preflight => "http",
        Form::Rest => "rest",
        Form::Query => "query",
    };
    facts["transport"] = json!(transport);
    let has_header = request.headers.get("Authorization").is_some();
    facts["credentials"] = json!(has_header || parsed.frame.auth.is_some());
    if parsed.form != Form::Frame {
        facts["notification"] = json!(false);
        facts["id"] = json!(parsed.frame.called_method().and_then(id_of));
    }
    let kind = Kind::Call {
        form: parsed.form,
        facts: json!({"id": facts["id"], "method": facts["method"], "transport": transport}),
    };
    let has_method = parsed.frame.called_method().is_some();
    let event = has_method.then(|| event(record, Who::Cloud, "call", fields(facts)));
    (kind, event)
}

impl Open {
    /// The event of the answer.
    pub(super) fn answered(self, record: &Record, response: &Response, ending: HttpEnding) -> Event {
        let (who, name, facts) = match self.kind {
            Kind::Call { form, facts } => (Who::Unit, "reply", reply(form, facts, response)),
            Kind::Upgrade { offered } if response.status == 101 => {
                let answer = response.headers.get("Sec-WebSocket-Protocol");
                let facts = json!({"by": "caller", "offered": offered, "subprotocol": answer});
                (Who::Unit, "socket", facts)
            }
            Kind::Upgrade { .. } => (
                Who::Unit,
                "socket_refused",
                json!({"http_status": response.status}),
            ),
            Kind::Download { path } => {
                let facts = json!({
                    "path": path,
                    "http_status": response.status,
                    "bytes": response.body.len(),
                    "complete": ending == HttpEnding::Complete,
                    "location": response.headers.get("Location"),
                });
                (Who::Cloud, "download_answer", facts)
            }
        };
        let mut event = event(record, who, name, fields(facts));
        event.records.insert(0, self.record);
        event
    }
}

fn reply(form: Form, asked: Value, response: &Response) -> Value {
    let mut facts = asked.clone();
    facts["http_status"] = json!(response.status);
    facts["ok"] = json!(false);
    let kept = response.headers.get("Connection");
    facts["keep_alive"] = json!(kept.is_none_or(|value| !value.eq_ignore_ascii_case("close")));
    if response.body.trim_ascii().is_empty() {
        facts["form"] = json!("empty");
    }
    if matches!(response.status, 400 | 401) {
        facts["error_code"] = json!(response.status);
        return facts;
    }
    if response.body.trim_ascii().is_empty() {
        return facts;
    }
    let id = Id::from_value(&asked["id"]).unwrap_or(Id::from(0));
    let decoded = parse_response(form, &id, response);
    let Some(frame) = decoded.value else {
        facts["form"] = json!("unreadable");
        return facts;
    };
    describe_reply(&frame, &mut facts);
    facts["form"] = json!(match (form, frame.error.is_some()) {
        (Form::Frame, _) => "frame",
        (_, true) => "error",
        (_, false) => "result",
    });
    if form != Form::Frame {
        facts["id"] = asked["id"].clone();
    }
    facts
}
