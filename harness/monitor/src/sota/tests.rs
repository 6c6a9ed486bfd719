//! Traces by hand: what a good client does passes, each violation is stated, and nothing is stated without proof.

use super::monitors;
use crate::{Judge, View, testing::header, view_for};
use hil_trace::{
    Catalogue, Ending, HowClosed, HttpEnding, Party, Payload, Record, RecordBody, Stamp, Verdict,
};
use hil_wire::{
    Protocol,
    http::Headers,
    sota::{ClientCredentials, core::basic},
};
use serde_json::{Value, json};

/// A trace in the making: a unit, Core and one subscriber.
#[derive(Default)]
pub(super) struct Trace {
    records: Vec<(u64, RecordBody)>,
    pub(super) millis: u64,
    exchange: u32,
}

impl Trace {
    pub(super) fn push(&mut self, what: RecordBody) {
        self.records.push((self.millis, what));
    }

    fn ask(&mut self, face: &str, call: (&str, &str), headers: Headers, body: &str, answer: (u16, &str)) {
        self.exchange += 1;
        self.push(RecordBody::HttpRequest {
            connection: 90,
            exchange: self.exchange,
            face: face.into(),
            from: Party::Unit,
            method: call.0.into(),
            target: call.1.into(),
            headers: headers.with("Content-Length", body.len().to_string()),
            body: Payload::from(body),
        });
        self.push(RecordBody::HttpResponse {
            exchange: self.exchange,
            from: Party::Cloud,
            status: answer.0,
            headers: Headers::new(),
            body: Payload::from(answer.1),
            ending: if answer.1 == CUT {
                HttpEnding::Cut
            } else {
                HttpEnding::Complete
            },
        });
    }

    fn token(&mut self, status: u16) {
        let credentials = ClientCredentials {
            client_id: "a".into(),
            client_secret: "b".into(),
        };
        let headers = Headers::new()
            .with("Authorization", basic(&credentials))
            .with("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        let body =
            json!({"access_token": "t", "token_type": "Bearer", "expires_in": 1, "scope": ""}).to_string();
        let grant = "grant_type=client_credentials";
        self.ask("sota-auth", ("POST", "/token"), headers, grant, (status, &body));
    }

    pub(super) fn core(
        &mut self,
        method: &str,
        rest: &str,
        token: Option<&str>,
        body: &str,
        answer: (u16, &str),
    ) {
        let mut headers = Headers::new().with("Content-Type", "application/json");
        if let Some(token) = token {
            headers.push("Authorization", format!("Bearer {token}"));
        }
        let target = format!("/api/v1/mydevice/d/{rest}");
        self.ask("sota-core", (method, &target), headers, body, answer);
    }

    pub(super) fn subscribe(&mut self) {
        self.push(RecordBody::ConnectionOpened {
            connection: 1,
            face: "sota-websocket".into(),
            by: Party::Cloud,
        });
        self.push(RecordBody::WebSocketOpened {
            connection: 1,
            exchange: 0,
        });
        self.millis += 5000;
    }

    pub(super) fn event(&mut self, event: Value) {
        self.frame(1, true, &event.to_string());
    }

    fn frame(&mut self, opcode: u8, fin: bool, payload: &str) {
        self.push(RecordBody::WebSocketFrame {
            connection: 1,
            from: Party::Unit,
            opcode,
            fin,
            payload: Payload::from(payload),
        });
    }

    /// How many events of the unit have this name.
    pub(super) fn count(&self, name: &str) -> usize {
        let mut view = view_for(Protocol::Sota, &serde_json::Map::new());
        let events = self.records().flat_map(|record| view.events(&record));
        events.filter(|event| event.name == name).count()
    }

    fn records(&self) -> impl Iterator<Item = Record> {
        self.records.iter().zip(0..).map(|((millis, what), seq)| Record {
            seq,
            at: Stamp(millis * 1000),
            what: what.clone(),
        })
    }

    /// The worst verdict on a requirement.
    pub(super) fn verdict(&self, requirement: &str) -> Option<Verdict> {
        let header = header(Protocol::Sota);
        let catalogue = Catalogue::default();
        let (mut view, mut monitors, mut findings) = (
            view_for(header.protocol, &header.ics),
            monitors(&header),
            Vec::new(),
        );
        for record in self.records() {
            let events = View::events(&mut *view, &record);
            for monitor in &mut monitors {
                let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
                monitor.expire(record.at, &mut judge);
                monitor.observe(&record, &events, &mut judge);
            }
        }
        for monitor in &mut monitors {
            let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
            monitor.expire(Stamp(self.millis * 1000), &mut judge);
            monitor.close(Stamp(self.millis * 1000), HowClosed::Complete, &mut judge);
        }
        let about = findings
            .iter()
            .filter(|finding| finding.requirement.as_deref() == Some(requirement));
        about.map(|finding| finding.verdict).max()
    }
}

pub(super) fn complete(id: &str) -> Value {
    let data = json!({"update_id": id, "update_image": "/x", "signature": ""});
    json!({"variant": "DownloadComplete", "fields": [data]})
}

#[test]
fn tokens_are_asked_for_first_and_carried() {
    let mut trace = Trace::default();
    trace.token(200);
    trace.core("GET", "updates", Some("t"), "", (200, "[]"));
    assert_eq!(trace.verdict("SOTA-AUTH-001"), Some(Verdict::Pass));
    assert_eq!(trace.verdict("SOTA-AUTH-002"), Some(Verdict::Pass));
    trace.core("GET", "updates", Some("other"), "", (401, ""));
    assert_eq!(trace.verdict("SOTA-AUTH-002"), Some(Verdict::Fail));

    let mut trace = Trace::default();
    trace.core("GET", "updates", None, "", (200, "[]"));
    assert_eq!(trace.verdict("SOTA-AUTH-001"), None);
    trace.token(200);
    assert_eq!(trace.verdict("SOTA-AUTH-001"), Some(Verdict::Fail));
}

#[test]
fn a_redirected_call_carries_nothing() {
    let mut trace = Trace::default();
    trace.token(200);
    trace.core("GET", "updates", Some("t"), "", (302, ""));
    trace.core("GET", "updates", None, "", (200, "[]"));
    assert_eq!(trace.verdict("SOTA-AUTH-002"), Some(Verdict::Pass));
    trace.ask(
        "sota-second",
        ("GET", "/moved/u"),
        Headers::new().with("Authorization", "Bearer t"),
        "",
        (200, "x"),
    );
    assert_eq!(trace.verdict("SOTA-AUTH-009"), Some(Verdict::Fail));
}

#[test]
fn requests_for_updates_wait_for_the_outcome_of_the_last() {
    let polls = |connection: u32, exchange: u32| RecordBody::HttpRequest {
        connection,
        exchange,
        face: "sota-core".into(),
        from: Party::Unit,
        method: "GET".into(),
        target: "/api/v1/mydevice/d/updates".into(),
        headers: Headers::new(),
        body: Payload::from(""),
    };
    let gives_up = RecordBody::ConnectionClosed {
        connection: 1,
        ending: Ending::Fin,
        by: Party::Unit,
    };
    for (patient, expected) in [(true, Verdict::Pass), (false, Verdict::Fail)] {
        let mut trace = Trace::default();
        trace.push(polls(1, 1));
        trace.millis += 5000;
        if patient {
            trace.push(gives_up.clone());
        }
        trace.push(polls(2, 2));
        trace.millis += 5000;
        trace.push(gives_up.clone());
        assert_eq!(trace.verdict("SOTA-POLL-003"), Some(expected));
    }
}

#[test]
fn haste_under_refusal_is_noticed() {
    for (pause, expected) in [(1000, Verdict::Pass), (100, Verdict::Fail)] {
        let mut trace = Trace::default();
        for _ in 0..30 {
            trace.token(401);
            trace.millis += pause;
        }
        assert_eq!(trace.verdict("SOTA-AUTH-007"), Some(expected), "{pause}");
    }
}

#[test]
fn a_download_is_announced_before_it_is_complete() {
    let mut trace = Trace::default();
    trace.subscribe();
    trace.event(json!({"variant": "DownloadingUpdate", "fields": ["u"]}));
    trace.core("GET", "updates/u/download", None, "", (200, "x"));
    trace.event(complete("u"));
    assert_eq!(trace.verdict("SOTA-EVT-005"), Some(Verdict::Pass));
    assert_eq!(trace.verdict("SOTA-EVT-001"), Some(Verdict::Pass));
    trace.event(complete("u"));
    assert_eq!(trace.verdict("SOTA-EVT-005"), Some(Verdict::Fail));
}

#[test]
fn who_subscribes_late_proves_nothing() {
    let mut trace = Trace::default();
    trace.core("GET", "updates/u/download", None, "", (200, "x"));
    trace.subscribe();
    trace.event(complete("u"));
    assert_eq!(trace.verdict("SOTA-EVT-005"), None);
}

#[test]
fn what_was_never_whole_is_never_complete() {
    for (answer, requirement) in [((200, CUT), "SOTA-DL-006"), ((500, "no"), "SOTA-DL-005")] {
        let mut trace = Trace::default();
        trace.subscribe();
        trace.core("GET", "updates/u/download", None, "", answer);
        trace.event(json!({"variant": "DownloadFailed", "fields": ["u", "why"]}));
        assert_eq!(trace.verdict(requirement), Some(Verdict::Pass));
        trace.event(complete("u"));
        assert_eq!(trace.verdict(requirement), Some(Verdict::Fail));
        trace.core("GET", "updates/u/download", None, "", (200, "x"));
    }
}

#[test]
fn confirmations_need_an_answer() {
    let body = json!([{"id": "u", "result_code": 0, "result_text": ""}]).to_string();
    let mut trace = Trace::default();
    trace.subscribe();
    trace.core("POST", "updates/u", None, &body, (204, ""));
    trace.event(json!("UpdateReportSent"));
    assert_eq!(trace.verdict("SOTA-EVT-007"), Some(Verdict::Pass));
    assert_eq!(trace.verdict("SOTA-REPORT-007"), Some(Verdict::Pass));
    trace.core("POST", "updates/u", None, "{}", (500, ""));
    trace.event(json!("UpdateReportSent"));
    assert_eq!(trace.verdict("SOTA-EVT-007"), Some(Verdict::Fail));
    assert_eq!(trace.verdict("SOTA-REPORT-007"), Some(Verdict::Fail));
}

#[test]
fn events_have_one_form() {
    let report = |code: Value| {
        let result = json!({"id": "u", "result_code": code, "result_text": ""});
        json!({"variant": "InstallComplete", "fields": [{"update_id": "u", "operation_results": [result]}]})
    };
    let mut trace = Trace::default();
    trace.subscribe();
    trace.event(report(json!(0)));
    assert_eq!(trace.verdict("SOTA-EVT-006"), Some(Verdict::Pass));
    trace.event(report(json!("OK")));
    assert_eq!(trace.verdict("SOTA-EVT-006"), Some(Verdict::Fail));
    trace.event(json!({"Error": "x"}));
    assert_eq!(trace.verdict("SOTA-EVT-001"), Some(Verdict::Fail));
    assert_eq!(trace.verdict("SOTA-EVT-008"), Some(Verdict::Pass));
    trace.event(json!({"variant": "Error", "fields": [""]}));
    assert_eq!(trace.verdict("SOTA-EVT-008"), Some(Verdict::Fail));
}

#[test]
fn events_come_in_text_frames() {
    let mut trace = Trace::default();
    trace.subscribe();
    trace.event(json!("NoUpdateRequests"));
    assert_eq!(trace.verdict("SOTA-WS-003"), Some(Verdict::Pass));
    for (opcode, fin, part) in [(1, false, "\"NoUpdate"), (0, true, "Requests\"")] {
        trace.frame(opcode, fin, part);
    }
    assert_eq!(trace.verdict("SOTA-WS-003"), Some(Verdict::Pass));
    trace.frame(2, true, "\"NoUpdateRequests\"");
    assert_eq!(trace.verdict("SOTA-WS-003"), Some(Verdict::Fail));
}

#[test]
fn an_answer_whose_stream_stays_open_is_none() {
    for (gives_up, expected) in [(false, 1), (true, 0)] {
        let note = |name: &str, facts: Value| RecordBody::Cloud {
            name: name.into(),
            facts: facts.as_object().cloned().unwrap_or_default(),
        };
        let bytes = |from: Party, text: &str| RecordBody::Bytes {
            connection: 4,
            from,
            payload: Payload::from(text),
        };
        let mut trace = Trace::default();
        trace.push(note(
            "calling",
            json!({"call": 1, "gateway": "socket", "command": "GetUpdateRequests"}),
        ));
        trace.push(RecordBody::ConnectionOpened {
            connection: 4,
            face: "sota-commands".into(),
            by: Party::Cloud,
        });
        trace.push(note("command_socket", json!({"call": 1, "number": 4})));
        trace.push(bytes(Party::Cloud, "getreq"));
        trace.push(bytes(Party::Unit, "\"NoUpdateRequests\""));
        if gives_up {
            trace.push(note("unanswered", json!({"call": 1, "gateway": "socket"})));
        }
        trace.push(RecordBody::ConnectionClosed {
            connection: 4,
            ending: Ending::Fin,
            by: Party::Unit,
        });
        assert_eq!(trace.count("reply"), expected);
    }
}

/// A body that stands for one cut short.
const CUT: &str = "cut";
