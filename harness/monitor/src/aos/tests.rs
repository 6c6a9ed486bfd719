//! Frames by hand, through view and monitors: clean ones pass, and each violation is stated once it is proven.

use super::monitors;
use crate::{Judge, view::view_for};
use hil_trace::{
    Catalogue, ClockKind, Event, Finding, HowClosed, Party, Payload, Record, RecordBody, ScenarioRef, Stamp,
    Tolerances, TraceHeader, Verdict,
};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};

fn header() -> TraceHeader {
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance: "aos-v7/x@sim".into(),
        protocol: Protocol::AosV7,
        scenario: ScenarioRef {
            path: "aos-v7/x.yaml".into(),
            name: "x".into(),
            text: String::new(),
            sha256: String::new(),
            verifies: Vec::new(),
        },
        seed: 1,
        repetition: 0,
        tool: "hil".into(),
        catalogue_sha256: String::new(),
        clock: ClockKind::Virtual,
        epoch_unix_us: 0,
        tolerances: Tolerances::default(),
        unit: "sim".into(),
        facts: Map::new(),
        ics: Map::new(),
        timing: Map::new(),
        params: Map::new(),
    }
}

const UNIT: Party = Party::Unit;
const CLOUD: Party = Party::Cloud;

/// The bytes of a message.
fn message(txn: &str, data: &Value) -> Vec<u8> {
    let created = "2026-03-02T09:15:07.151352Z";
    let header = json!({"version": 7, "systemId": "hil-unit-0001", "createdAt": created, "txn": txn});
    json!({"header": header, "data": data}).to_string().into_bytes()
}

/// What frames at (milliseconds, from whom, payload) on one connection violate.
fn violated(frames: &[(u64, Party, Vec<u8>)]) -> Vec<String> {
    let mut findings: Vec<Finding> = Vec::new();
    let header = header();
    let catalogue = Catalogue::default();
    let mut view = view_for(&header);
    let opened = RecordBody::WebSocketOpened {
        connection: 1,
        exchange: 1,
    };
    let frames = frames.iter().map(|(at, from, payload)| {
        let what = RecordBody::WebSocketFrame {
            connection: 1,
            from: *from,
            opcode: 2,
            fin: true,
            payload: Payload::from(payload.clone()),
        };
        (*at, what)
    });
    let records: Vec<Record> = std::iter::once((0, opened))
        .chain(frames)
        .zip(0..)
        .map(|((at, what), seq)| Record {
            seq,
            at: Stamp(at * 1000),
            what,
        })
        .collect();
    let events: Vec<Vec<Event>> = records.iter().map(|record| view.events(record)).collect();
    let end = records.last().map(|record| record.at).unwrap_or_default();
    for mut monitor in monitors(&header) {
        let mut judge = Judge::new(&catalogue, monitor.name(), &mut findings);
        for (record, events) in records.iter().zip(&events) {
            monitor.expire(record.at, &mut judge);
            monitor.observe(record, events, &mut judge);
        }
        monitor.close(end, HowClosed::Complete, &mut judge);
    }
    let failed = findings
        .into_iter()
        .filter(|finding| finding.verdict == Verdict::Fail);
    failed
        .map(|finding| finding.requirement.unwrap_or_default())
        .collect()
}

fn ack(txn: &str) -> Vec<u8> {
    message(txn, &json!({"messageType": "ack"}))
}

#[test]
fn a_unit_may_read_deeper_than_the_harness_or_not() {
    let nested = json!({"messageType": "overrideEnvVars", "items": [], "nested": 0});
    let text = String::from_utf8(message("t-1", &nested)).unwrap();
    let deep = text.replace(
        "\"nested\":0",
        &format!("\"nested\":{}{}", "[".repeat(10_000), "]".repeat(10_000)),
    );
    let deep = deep.into_bytes();
    assert!(violated(&[(0, CLOUD, deep.clone()), (10, UNIT, ack("t-1"))]).is_empty());
    assert!(
        violated(&[(0, CLOUD, deep.clone()), (60_000, UNIT, ack("t-2"))]).contains(&"AOS7-ACK-002".into())
    );
    assert!(!violated(&[(0, CLOUD, deep.clone()), (60_000, CLOUD, deep)]).contains(&"AOS7-ACK-001".into()));
}

#[test]
fn what_is_no_message_is_not_to_be_acknowledged_but_was_sent() {
    let mut bytes = message(
        "t-1",
        &json!({"messageType": "overrideEnvVars", "items": [], "x": "__"}),
    );
    let at = bytes.windows(2).position(|two| two == b"__").unwrap();
    bytes[at..at + 2].copy_from_slice(b"\xc3\x28");
    assert_eq!(
        violated(&[(0, CLOUD, bytes), (10, UNIT, ack("t-1"))]),
        ["AOS7-ROBUST-007"]
    );
}

#[test]
fn a_variable_that_was_not_set_need_not_belong_to_an_instance() {
    let status = |errors: bool| {
        let mut entry = json!({"item": {}, "subject": {}, "instance": 0, "name": "A"});
        if errors {
            entry["errorInfo"] = json!({"aosCode": 5, "exitCode": 0, "message": "instance not found"});
        }
        let data = json!({"messageType": "overrideEnvVarsStatus", "statuses": [entry]});
        message("11111111-2222-4333-8444-555555555555", &data)
    };
    assert!(!violated(&[(0, UNIT, status(true))]).contains(&"AOS7-ENVVAR-001".into()));
    assert!(violated(&[(0, UNIT, status(false))]).contains(&"AOS7-ENVVAR-001".into()));
}
