//! Frames by hand, through view and monitors: clean ones pass, and each violation is stated once it is proven.

use super::monitors;
use crate::{Judge, testing::header, view::view_for};
use hil_trace::{Catalogue, Event, Finding, HowClosed, Party, Payload, Record, RecordBody, Stamp, Verdict};
use hil_wire::Protocol;
use hil_wire::http::Headers;
use serde_json::{Value, json};

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
    let header = header(Protocol::AosV7);
    let catalogue = Catalogue::default();
    let mut view = view_for(header.protocol, &header.ics);
    let asked = json!({"version": 7, "systemId": "hil-unit-0001", "supportedProtocols": ["wss"]}).to_string();
    let discovery = RecordBody::HttpRequest {
        connection: 9,
        exchange: 9,
        face: "aos-discovery".into(),
        from: UNIT,
        method: "POST".into(),
        target: "/sd/v7/".into(),
        headers: Headers::new()
            .with("Content-Type", "application/json")
            .with("Content-Length", asked.len().to_string()),
        body: Payload::from(asked),
    };
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
    let records: Vec<Record> = [(0, discovery), (0, opened)]
        .into_iter()
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
fn who_is_still_at_the_messages_before_is_not_late() {
    let request = |txn: &str| message(txn, &json!({"messageType": "overrideEnvVars", "items": []}));
    let burst = [(0, CLOUD, request("t-1")), (0, CLOUD, request("t-2"))];
    let acked = |first: u64, second: u64| {
        let acks = [(first, UNIT, ack("t-1")), (second, UNIT, ack("t-2"))];
        violated(&[burst.to_vec(), acks.to_vec()].concat())
    };
    assert!(!acked(9000, 18_000).contains(&"AOS7-ACK-001".into()));
    assert!(acked(9000, 21_000).contains(&"AOS7-ACK-001".into()));
}

#[test]
fn an_answer_comes_after_the_ack_of_its_request() {
    let correlation = "44444444-2222-4333-8444-555555555555";
    let data = json!({"messageType": "overrideEnvVars", "correlationId": correlation, "items": []});
    let request = message("t-1", &data);
    let data = json!({"messageType": "overrideEnvVarsStatus", "correlationId": correlation, "statuses": []});
    let answer = message("11111111-2222-4333-8444-555555555555", &data);
    let frames = [(0, CLOUD, request), (10, UNIT, ack("t-1")), (11, UNIT, answer)];
    let early = "AOS7-ACK-006".to_owned();
    assert!(!violated(&frames).contains(&early));
    let [request, ack, answer] = frames;
    assert!(violated(&[request, answer, ack]).contains(&early));
}

#[test]
fn every_certificate_request_has_a_key_of_its_own() {
    let request = |txn: &str, csr: &str| {
        let entry = json!({"type": "online", "node": {"codename": "main-node"}, "csr": csr});
        message(
            txn,
            &json!({"messageType": "issueUnitCertificates", "requests": [entry]}),
        )
    };
    let (one, other) = (
        "11111111-2222-4333-8444-555555555555",
        "22222222-2222-4333-8444-555555555555",
    );
    let reused = |again: Vec<u8>| {
        let frames = [(0, UNIT, request(one, CSR)), (9, UNIT, again)];
        violated(&frames).contains(&"AOS7-CERT-002".to_owned())
    };
    assert!(!reused(request(one, CSR)), "a retransmission");
    assert!(!reused(request(other, OTHER_CSR)));
    assert!(reused(request(other, CSR)));
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

/// Two certificate requests for keys made for this test.
const CSR: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIHiMIGIAgEAMCYxDDAKBgNVBAoMA2hpbDEWMBQGA1UEAwwNaGlsLXVuaXQtMDAw
MTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAZ37RD/LA9Oy7i6sV0tGarhgcnq
PiijuxrA7W3JMs+AaVeUKL/6rFtGielW634itezxo3U4HkQNWJVt7NVfx3qgADAK
BggqhkjOPQQDAgNJADBGAiEA0aYC0V5Xdays1EFfzjGbVKHnlvD3Uq4W79PNkwey
3LACIQCAOvUwKd2JP2yX9WTBGK5ZE/6iRITnM9FTt5OVlIoLZw==
-----END CERTIFICATE REQUEST-----";
const OTHER_CSR: &str = "-----BEGIN CERTIFICATE REQUEST-----
MIHhMIGIAgEAMCYxDDAKBgNVBAoMA2hpbDEWMBQGA1UEAwwNaGlsLXVuaXQtMDAw
MTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA+aUQeCQkFen+JIgJWEnafSuqyx
E33C1skb9m/GLOEaXfsOdF0q8Q/2+Q71EiVC7gx33U1ziQm/i3IzX6B5suSgADAK
BggqhkjOPQQDAgNIADBFAiEAkpErii+mIPtdBjmq1isEOVLLWR7Q+z+PJQU3p2/s
9CgCICbP4eZSM/pFIOlq4RYSm3yuzO0eVbleZx8nI/3L6ZUg
-----END CERTIFICATE REQUEST-----";
