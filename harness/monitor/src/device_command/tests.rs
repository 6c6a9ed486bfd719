//! Events by hand: clean ones pass, and each violation is stated once it is proven.

use super::monitors;
use crate::{Judge, testing::header};
use hil_trace::{
    Catalogue, ConsoleStream, Event, Finding, HowClosed, Party, Payload, Record, RecordBody, Stamp, Verdict,
    Who,
};
use hil_wire::{Protocol, http::Headers};
use serde_json::{Map, Value, json};

/// Verdicts by requirement of a list of (seconds, whose, name, facts).
fn judge(events: &[(u64, Who, &str, Value)]) -> Vec<(String, Verdict)> {
    judge_at(0, events)
}

/// The same in a run that began at a time in Unix seconds; 0 if nobody knows.
fn judge_at(epoch_s: i64, events: &[(u64, Who, &str, Value)]) -> Vec<(String, Verdict)> {
    let catalogue = Catalogue::default();
    let mut findings: Vec<Finding> = Vec::new();
    let mut header = header(Protocol::DeviceCommand);
    header.epoch_unix_us = epoch_s * 1_000_000;
    for mut monitor in monitors(&header) {
        let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
        for (seq, (seconds, who, name, facts)) in events.iter().enumerate() {
            let at = Stamp(seconds * 1_000_000);
            monitor.expire(at, &mut judge);
            let record = Record {
                seq: seq as u64,
                at,
                what: RecordBody::Cloud {
                    name: "test".into(),
                    facts: Map::new(),
                },
            };
            let event = Event {
                who: *who,
                name: (*name).to_owned(),
                at,
                records: vec![seq as u64],
                fields: facts.as_object().cloned().unwrap(),
            };
            monitor.observe(&record, &[event], &mut judge);
        }
        let end = Stamp(10_000_000_000);
        monitor.expire(end, &mut judge);
        monitor.close(end, HowClosed::Complete, &mut judge);
    }
    findings
        .into_iter()
        .map(|f| (f.requirement.unwrap_or_default(), f.verdict))
        .collect()
}

fn status(id: &str, status: &str, details: &str) -> Value {
    json!({"command_id": id, "status": status, "details": details, "valid": true})
}

fn failed(events: &[(u64, Who, &str, Value)]) -> Vec<String> {
    let failed = judge(events)
        .into_iter()
        .filter(|(_, verdict)| *verdict == Verdict::Fail);
    failed.map(|(requirement, _)| requirement).collect()
}

#[test]
fn a_clean_life_passes() {
    let events = [
        (0, Who::Unit, "status", status("a", "executing", "")),
        (1, Who::Unit, "status", status("a", "completed", "")),
        (2, Who::Unit, "status", status("a", "completed", "")),
        (3, Who::Unit, "status", status("b", "executing", "")),
        (4, Who::Unit, "booted", json!({})),
        (
            5,
            Who::Unit,
            "status",
            status("b", "failed", "Interrupted by restart"),
        ),
    ];
    let passed = |requirement: &str| (requirement.to_owned(), Verdict::Pass);
    assert_eq!(
        judge(&events),
        [
            passed("DCMD-STATUS-001"),
            passed("DCMD-STATUS-005"),
            passed("DCMD-STATUS-002"),
            passed("DCMD-QUEUE-001"),
            passed("DCMD-STATUS-004"),
        ]
    );
}

#[test]
fn two_terminals_and_two_at_once_fail() {
    let two = [
        (0, Who::Unit, "status", status("a", "executing", "")),
        (0, Who::Unit, "status", status("a", "completed", "")),
        (1, Who::Unit, "status", status("a", "failed", "")),
    ];
    assert_eq!(failed(&two), ["DCMD-STATUS-002"]);
    let overlap = [
        (0, Who::Unit, "status", status("a", "executing", "")),
        (1, Who::Unit, "status", status("b", "executing", "")),
    ];
    assert_eq!(failed(&overlap), ["DCMD-QUEUE-001"]);
}

#[test]
fn a_promised_restart_has_its_window() {
    let promise = |boot: u64| {
        vec![
            (0, Who::Unit, "status", status("r", "executing", "")),
            (
                0,
                Who::Unit,
                "status",
                status("r", "completed", "Restarting in 5 seconds"),
            ),
            (
                0,
                Who::Cloud,
                "status_answer",
                json!({"command_id": "r", "status": "completed", "http_status": 200}),
            ),
            (boot, Who::Unit, "booted", json!({})),
        ]
    };
    assert!(failed(&promise(6)).is_empty() && failed(&promise(34)).is_empty());
    assert_eq!(failed(&promise(4)), ["DCMD-RESTART-002"]);
    assert_eq!(failed(&promise(36)), ["DCMD-RESTART-002"]);
    let mut cut = promise(36);
    cut.insert(3, (10, Who::Unit, "power_cut", json!({})));
    assert!(failed(&cut).is_empty());
    let lost = [
        promise(0)[0].clone(),
        promise(0)[1].clone(),
        (200, Who::Unit, "booted", json!({})),
    ];
    assert!(failed(&lost).is_empty());
}

#[test]
fn counts_and_pauses_are_compared() {
    let export = [
        (0, Who::Unit, "status", status("e", "executing", "")),
        (
            0,
            Who::Unit,
            "export",
            json!({"command_id": "e", "records": 3, "valid": true}),
        ),
        (
            1,
            Who::Unit,
            "status",
            status("e", "completed", "Exported 4 records"),
        ),
    ];
    assert_eq!(failed(&export), ["DCMD-EXPORT-001"]);
    let pause = |next: u64| {
        [
            (
                0,
                Who::Cloud,
                "commands",
                json!({"http_status": 503, "retry_after": "60"}),
            ),
            (next, Who::Unit, "fetch", json!({})),
        ]
    };
    assert_eq!(failed(&pause(59)), ["DCMD-ROBUST-003"]);
    assert!(failed(&pause(60)).is_empty());
}

#[test]
fn completed_without_executing_is_seen_while_nothing_hides_it() {
    let silent = [(0, Who::Unit, "status", status("a", "completed", ""))];
    assert_eq!(failed(&silent), ["DCMD-STATUS-004"]);
    let refused = [(0, Who::Unit, "status", status("a", "failed", "Expired"))];
    assert!(failed(&refused).is_empty());
    let hidden = [(0, Who::Cloud, "stopped", json!({})), silent[0].clone()];
    assert!(failed(&hidden).is_empty());
}

/// 2026-01-01T00:00:00Z.
const NEW_YEAR_S: i64 = 1_767_225_600;

fn told(timestamp: &str) -> Value {
    json!({"command_id": "a", "status": "executing", "timestamp": timestamp, "valid": true})
}

#[test]
fn the_time_of_a_report_is_the_time() {
    let clock = |events: &[(u64, Who, &str, Value)]| -> Vec<Verdict> {
        let judged = judge_at(NEW_YEAR_S, events).into_iter();
        judged
            .filter(|(requirement, _)| requirement == "DCMD-STATUS-006")
            .map(|(_, verdict)| verdict)
            .collect()
    };
    let report = |timestamp: &str| (60, Who::Unit, "status", told(timestamp));
    assert_eq!(clock(&[report("2026-01-01T00:00:59.000Z")]), [Verdict::Pass]);
    assert_eq!(clock(&[report("2026-01-01T02:01:00.000Z")]), [Verdict::Fail]);
    assert_eq!(clock(&[report("2025-12-31T22:01:00.000Z")]), [Verdict::Fail]);
    // A clock that is not set, and a report that waited for its delivery.
    assert_eq!(clock(&[report("1970-01-01T00:00:10.000Z")]), []);
    let away = (1, Who::Cloud, "stopped", json!({}));
    assert_eq!(clock(&[away, report("2026-01-01T00:00:10.000Z")]), []);
    let backlog = (1, Who::Unit, "earlier_status", json!({"command_id": "old"}));
    assert_eq!(clock(&[backlog, report("2026-01-01T00:00:10.000Z")]), []);
}

#[test]
fn estimates_are_compared_with_what_happens() {
    let answer = json!({
        "command_id": "a", "http_status": 200, "command_status": "queued",
        "estimated_execution": "2026-01-01T00:00:02.000Z", "recovery_expected": "2026-01-01T00:00:32.000Z",
    });
    let verdicts = |start: u64| -> Vec<Verdict> {
        let events = [
            (0, Who::Unit, "issue_answer", answer.clone()),
            (start, Who::Unit, "status", told("2026-01-01T00:00:00.000Z")),
        ];
        let judged = judge_at(NEW_YEAR_S, &events).into_iter();
        judged
            .filter(|(requirement, _)| requirement == "DCMD-RESP-005")
            .map(|(_, verdict)| verdict)
            .collect()
    };
    assert_eq!(verdicts(3), [Verdict::Pass]);
    assert!(verdicts(40).iter().all(|verdict| *verdict != Verdict::Pass) && !verdicts(40).is_empty());
}

#[test]
fn a_lost_member_is_named_apart() {
    let mut report = status("a", "executing", "");
    report["lost"] = json!("details");
    assert_eq!(failed(&[(0, Who::Unit, "status", report)]), ["DCMD-STATUS-005"]);
}

#[test]
fn a_token_in_the_output_is_seen_in_two_reads_and_before_its_first_use() {
    let request = RecordBody::HttpRequest {
        connection: 1,
        exchange: 1,
        face: "device-api".into(),
        from: Party::Unit,
        method: "GET".into(),
        target: "/".into(),
        headers: Headers(vec![(
            "authorization".into(),
            "Bearer dev_0123456789abcdef".into(),
        )]),
        body: Payload::empty(),
    };
    let console = |text: &str| RecordBody::Console {
        stream: ConsoleStream::Stderr,
        payload: text.into(),
    };
    let verdicts = |records: Vec<RecordBody>| -> Vec<(String, Verdict)> {
        let catalogue = Catalogue::default();
        let mut findings: Vec<Finding> = Vec::new();
        for mut monitor in monitors(&header(Protocol::DeviceCommand)) {
            let mut judge = Judge::new(&catalogue, monitor.as_ref(), &mut findings);
            for (seq, what) in records.iter().enumerate() {
                let record = Record {
                    seq: seq as u64,
                    at: Stamp(seq as u64),
                    what: what.clone(),
                };
                monitor.observe(&record, &[], &mut judge);
            }
            monitor.close(Stamp(1_000), HowClosed::Complete, &mut judge);
        }
        findings
            .into_iter()
            .map(|f| (f.requirement.unwrap_or_default(), f.verdict))
            .collect()
    };
    let told = [("DCMD-SEC-007".to_owned(), Verdict::Fail)];
    let before = vec![console("token dev_0123456789abcdef\n"), request.clone()];
    assert_eq!(verdicts(before), told);
    let halves = [
        request.clone(),
        console("token dev_0123"),
        console("456789abcdef\n"),
    ];
    assert_eq!(verdicts(halves.to_vec()), told);
    assert_eq!(
        verdicts(vec![request.clone(), console("token dev_0123...\n")]),
        []
    );
    let fetched = |target: &str, headers: Headers, body: &str| RecordBody::HttpRequest {
        connection: 2,
        exchange: 2,
        face: "firmware-host".into(),
        from: Party::Unit,
        method: "GET".into(),
        target: target.into(),
        headers,
        body: body.into(),
    };
    let token = "dev_0123456789abcdef";
    for leak in [
        fetched("/image", Headers::new().with("X-Api-Key", token), ""),
        fetched("/image", Headers::new().with("Cookie", format!("t={token}")), ""),
        fetched(&format!("/image?token={token}"), Headers::new(), ""),
        fetched("/image", Headers::new(), token),
    ] {
        assert_eq!(verdicts(vec![request.clone(), leak]), told);
    }
    let quiet = fetched("/image?v=1", Headers::new().with("X-Device", "hil"), "");
    let kept = [("DCMD-SEC-007".to_owned(), Verdict::Pass)];
    assert_eq!(verdicts(vec![request, quiet]), kept);
}
