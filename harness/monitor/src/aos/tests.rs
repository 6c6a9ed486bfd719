//! Frames by hand, through view and monitors: clean ones pass, and each violation is stated once it is proven.

use super::monitors;
use crate::{Judge, testing::header, view::view_for};
use hil_trace::{
    Catalogue, Ending, Event, FaultPhase, Finding, HowClosed, Party, Payload, Record, RecordBody, Stamp,
    Verdict,
};
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
    let frames = frames
        .iter()
        .map(|(at, from, payload)| (*at, frame(1, *from, 2, payload.clone())));
    violated_by(std::iter::once((0, opened(1))).chain(frames))
}

fn opened(connection: u32) -> RecordBody {
    RecordBody::WebSocketOpened {
        connection,
        exchange: 1,
    }
}

fn frame(connection: u32, from: Party, opcode: u8, payload: Vec<u8>) -> RecordBody {
    RecordBody::WebSocketFrame {
        connection,
        from,
        opcode,
        fin: true,
        payload: Payload::from(payload),
    }
}

/// What happens at (milliseconds, what) after service discovery violates.
fn violated_by(happened: impl Iterator<Item = (u64, RecordBody)>) -> Vec<String> {
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
    let records: Vec<Record> = std::iter::once((0, discovery))
        .chain(happened)
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
        let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
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

#[test]
fn what_was_lost_with_a_connection_comes_again_before_the_full_status() {
    let answer = || {
        let correlation = "21111111-2222-4333-8444-555555555555";
        let data =
            json!({"messageType": "overrideEnvVarsStatus", "correlationId": correlation, "statuses": []});
        frame(2, UNIT, 2, message("11111111-2222-4333-8444-555555555555", &data))
    };
    let closed = || RecordBody::ConnectionClosed {
        connection: 1,
        ending: Ending::Reset,
        by: CLOUD,
    };
    let status_is_late = |leave: Option<RecordBody>| {
        let before = [(0, opened(1))].into_iter();
        let left = leave.into_iter().map(|leave| (1000, leave));
        let after = [(1000, closed()), (2000, opened(2)), (2000, answer())];
        violated_by(before.chain(left).chain(after)).contains(&"AOS7-STATUS-002".into())
    };
    assert!(!status_is_late(None));
    // The cloud closed: what the unit sent meanwhile was not read, and its library may have answered before it sent.
    let closed_by_cloud = {
        let before = [(0, opened(1)), (1000, frame(1, CLOUD, 8, Vec::new()))];
        let left = [(1000, frame(1, UNIT, 8, Vec::new())), (1000, closed())];
        let after = [(2000, opened(2)), (2000, answer())];
        before.into_iter().chain(left).chain(after)
    };
    assert!(!violated_by(closed_by_cloud).contains(&"AOS7-STATUS-002".into()));
    assert!(status_is_late(Some(frame(1, UNIT, 8, Vec::new()))));
}

#[test]
fn a_connection_that_is_left_open_is_one_too_many() {
    let close = |connection: u32, from: Party| frame(connection, from, 8, Vec::new());
    let ended = |connection: u32| RecordBody::ConnectionClosed {
        connection,
        ending: Ending::Fin,
        by: UNIT,
    };
    let two = |rest: Vec<(u64, RecordBody)>| {
        let both = [(0, opened(1)), (5000, opened(2))];
        violated_by(both.into_iter().chain(rest)).contains(&"AOS7-CONN-001".into())
    };
    let asked = |answered: u64| vec![(8000, close(1, CLOUD)), (answered, close(1, UNIT))];
    assert!(two(asked(8001)));
    assert!(!two(vec![(5100, close(1, UNIT)), (5101, close(1, CLOUD))]));
    assert!(!two([vec![(5100, ended(1))], asked(8001)].concat()));
    // It takes leave by itself, if late; or nobody knows whether it is there.
    assert!(!two(vec![(8000, close(1, UNIT)), (8001, close(1, CLOUD))]));
    assert!(!two(vec![(8000, close(1, CLOUD)), (18_000, ended(1))]));
    let struck = RecordBody::Fault {
        id: 1,
        name: "net.black_hole".into(),
        phase: FaultPhase::Acted,
        facts: json!({"connection": 1}).as_object().cloned().unwrap_or_default(),
    };
    assert!(!two([vec![(5000, struck)], asked(8001)].concat()));
}

#[test]
fn who_sends_again_where_no_ack_can_come_repeats_nothing_acknowledged() {
    let correlation = "21111111-2222-4333-8444-555555555555";
    let txn = "11111111-2222-4333-8444-555555555555";
    let data = json!({"messageType": "overrideEnvVarsStatus", "correlationId": correlation, "statuses": []});
    let sent = |at: u64| (at, frame(1, UNIT, 2, message(txn, &data)));
    let repeated = |fault: &str| {
        let facts = json!({"connection": 1}).as_object().cloned().unwrap_or_default();
        let acted = RecordBody::Fault {
            id: 1,
            name: fault.into(),
            phase: FaultPhase::Acted,
            facts,
        };
        let acked = (1, frame(1, CLOUD, 2, ack(txn)));
        let happened = [(0, opened(1)), (0, acted), sent(0), acked, sent(9000)];
        violated_by(happened.into_iter()).contains(&"AOS7-ACK-008".into())
    };
    assert!(repeated("cloud.delay"));
    assert!(!repeated("net.black_hole"));
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
