//! Records by hand: what a clean unit does under faults is no violation, and each violation is stated once it is proven.

use super::monitors;
use crate::{Judge, testing::header, view_for};
use hil_trace::{
    Catalogue, FaultPhase, Finding, HowClosed, HttpEnding, Party, Payload, Record, RecordBody, Stamp,
    TraceHeader, UnitChange, Verdict,
};
use hil_wire::{Protocol, http::Headers};
use serde_json::{Map, Value, json};

/// A trace that is written down exchange by exchange.
#[derive(Default)]
struct Told {
    records: Vec<Record>,
    exchanges: u32,
    now_s: u64,
}

impl Told {
    fn record(&mut self, what: RecordBody) {
        self.records.push(Record {
            seq: self.records.len() as u64,
            at: Stamp(self.now_s * 1_000_000),
            what,
        });
    }

    fn later(&mut self, seconds: u64) {
        self.now_s += seconds;
    }

    fn ask(&mut self, face: &str, method: &str, target: &str, body: &Value) -> u32 {
        self.exchanges += 1;
        let mut headers = Headers::default();
        if face == "edge-api" {
            headers.push("X-Device-Key", "0123456789abcdef");
        }
        let request = RecordBody::HttpRequest {
            connection: if face == "blob-plain" { 2 } else { 1 },
            exchange: self.exchanges,
            face: face.into(),
            from: Party::Unit,
            method: method.into(),
            target: target.into(),
            headers,
            body: bytes(body),
        };
        self.record(request);
        self.exchanges
    }

    fn answer(&mut self, exchange: u32, status: u16, location: Option<&str>, body: &Value) {
        let mut headers = Headers::default();
        if let Some(location) = location {
            headers.push("Location", location);
        }
        self.record(RecordBody::HttpResponse {
            exchange,
            from: Party::Cloud,
            status,
            headers,
            body: bytes(body),
            ending: HttpEnding::Complete,
        });
    }

    fn list(&mut self, ids: &[&str]) {
        let items: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        let exchange = self.ask("edge-api", "GET", "/api/v1/commands", &Value::Null);
        self.answer(exchange, 200, None, &json!(items));
    }

    /// An ack and its answer; 0 for none.
    fn ack(&mut self, id: &str, status: &str, http_status: u16) {
        let mut body = json!({"status": status});
        if status == "failed" {
            body["error_code"] = json!("internal");
        }
        let exchange = self.ask("edge-api", "POST", &format!("/api/v1/commands/{id}/ack"), &body);
        match http_status {
            0 => self.record(RecordBody::HttpUnanswered {
                exchange,
                reason: "reset".into(),
            }),
            _ => self.answer(exchange, http_status, None, &json!({})),
        }
    }

    fn report(&mut self, command: &str, status: &str, http_status: u16) {
        let body = json!({
            "snap_name": "s", "version": "2", "status": status, "attempt_id": "a", "command_id": command,
        });
        let exchange = self.ask("edge-api", "POST", "/api/v1/snaps/status", &body);
        self.answer(exchange, http_status, None, &json!({}));
    }

    fn fault(&mut self, name: &str, phase: FaultPhase) {
        self.record(RecordBody::Fault {
            id: 1,
            name: name.into(),
            phase,
            facts: Map::new(),
        });
    }

    fn failed(&self) -> Vec<String> {
        self.failed_by(&header(Protocol::EdgePoll))
    }

    fn failed_by(&self, header: &TraceHeader) -> Vec<String> {
        let catalogue = Catalogue::default();
        let mut findings: Vec<Finding> = Vec::new();
        for mut monitor in monitors(header) {
            let mut view = view_for(Protocol::EdgePoll, &header.ics);
            let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
            for record in &self.records {
                monitor.observe(record, &view.events(record), &mut judge);
            }
            let end = Stamp(10_000_000_000);
            monitor.close(end, HowClosed::Complete, &mut judge);
        }
        let failed = findings
            .into_iter()
            .filter(|finding| finding.verdict == Verdict::Fail);
        failed
            .map(|finding| finding.requirement.unwrap_or_default())
            .collect()
    }
}

fn bytes(body: &Value) -> Payload {
    match body {
        Value::Null => Payload::empty(),
        body => Payload::Bytes(body.to_string().into_bytes().into()),
    }
}

#[test]
fn commands_begin_in_the_order_listed() {
    let mut told = Told::default();
    told.list(&["a", "b"]);
    told.ack("b", "completed", 200);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), ["POLL-FETCH-002"]);
    // A unit may document that it runs commands side by side.
    let mut header = header(Protocol::EdgePoll);
    header.ics.insert("one-at-a-time".into(), json!(false));
    assert_eq!(told.failed_by(&header), [""; 0]);
}

#[test]
fn an_ack_that_never_arrived_may_have_come_before() {
    // A connection is refused or cut: nothing of the first ack is on record.
    let mut told = Told::default();
    told.list(&["a", "b"]);
    told.fault("net.reset", FaultPhase::Acted);
    told.ack("b", "completed", 200);
    told.later(3);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), [""; 0]);
    // The fault was there before the list, and goes on.
    let mut told = Told::default();
    told.fault("net.half_close", FaultPhase::Acted);
    told.list(&["a", "b"]);
    told.ack("b", "completed", 200);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), [""; 0]);
    // It was over long before.
    let mut told = Told::default();
    told.fault("net.reset", FaultPhase::Acted);
    told.fault("net.reset", FaultPhase::Cleared);
    told.list(&["a", "b"]);
    told.ack("b", "completed", 200);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), ["POLL-FETCH-002"]);
    // Nobody listened.
    let mut told = Told::default();
    told.list(&["a", "b"]);
    for name in ["stopped", "started"] {
        told.record(RecordBody::Cloud {
            name: name.into(),
            facts: Map::new(),
        });
    }
    told.ack("b", "completed", 200);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), [""; 0]);
    // Power was lost between the command and its ack.
    let mut told = Told::default();
    told.list(&["a", "b"]);
    told.record(RecordBody::Unit {
        change: UnitChange::PowerCut,
        facts: Map::new(),
    });
    told.ack("b", "completed", 200);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), [""; 0]);
}

#[test]
fn an_update_is_begun_when_it_is_reported() {
    let mut told = Told::default();
    told.list(&["a", "b"]);
    told.report("a", "downloading", 204);
    told.ack("b", "completed", 200);
    told.report("a", "success", 204);
    told.ack("a", "completed", 200);
    assert_eq!(told.failed(), [""; 0]);
}

#[test]
fn an_ack_in_progress_that_is_refused_leaves_the_terminal_ack_its_retry() {
    let mut told = Told::default();
    told.list(&["a"]);
    told.ack("a", "in_progress", 413);
    told.ack("a", "in_progress", 413);
    told.ack("a", "completed", 413);
    told.ack("a", "completed", 413);
    assert_eq!(told.failed(), [""; 0]);
    told.ack("a", "completed", 413);
    assert_eq!(told.failed(), ["POLL-ACK-008"]);
}

#[test]
fn a_retry_that_had_no_answer_is_repeated() {
    for lost in [0, 503, 401] {
        let mut told = Told::default();
        told.list(&["a"]);
        told.ack("a", "completed", 413);
        told.ack("a", "completed", lost);
        told.ack("a", "completed", 200);
        assert_eq!(told.failed(), [""; 0], "{lost}");
        told.ack("a", "completed", 200);
        assert_eq!(told.failed(), ["POLL-ACK-008"], "{lost}");
    }
}

#[test]
fn what_settles_an_ack_must_have_arrived() {
    let mut told = Told::default();
    told.list(&["a"]);
    told.ack("a", "completed", 410);
    told.fault("net.reset", FaultPhase::Acted);
    told.ack("a", "completed", 410);
    assert_eq!(told.failed(), [""; 0]);
    let mut told = Told::default();
    told.list(&["a"]);
    told.ack("a", "completed", 410);
    told.ack("a", "completed", 410);
    assert_eq!(told.failed(), ["POLL-ACK-007"]);
}

#[test]
fn plain_http_is_blamed_on_who_led_there() {
    let plain = |by_redirect: bool| {
        let mut told = Told::default();
        for (connection, face) in [(1, "edge-api"), (2, "blob-plain")] {
            told.record(RecordBody::ConnectionOpened {
                connection,
                face: face.into(),
                by: Party::Unit,
            });
        }
        told.record(RecordBody::TlsEstablished {
            connection: 1,
            version: "TLSv1_3".into(),
            peer: None,
        });
        if by_redirect {
            let exchange = told.ask("edge-api", "GET", "/api/v1/snaps/blobs/s/2/f.snap", &Value::Null);
            told.answer(exchange, 302, Some("http://127.0.0.1:8/s/2/f.snap"), &Value::Null);
        }
        told.ask("blob-plain", "GET", "/s/2/f.snap", &Value::Null);
        told.failed()
    };
    assert_eq!(plain(true), ["POLL-DL-007"]);
    assert_eq!(plain(false), ["POLL-SEC-003"]);
}
