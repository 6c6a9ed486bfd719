//! The bus by hand: messages of both sides as bytes, what the view reads from them, and what the monitor makes of that.

use super::tests::{Trace, complete};
use hil_trace::{Party, Payload, RecordBody, UnitChange, Verdict};
use hil_wire::{
    dbus::{Message, OPENING, Value as Argument, from_json},
    sota::{
        DownloadComplete,
        bus::{
            CLIENT, CLIENT_PATH, HARNESS, INITIATE_DOWNLOAD, UPDATE_REPORT, UPDATE_REPORT_SIGNATURE,
            download_complete,
        },
    },
};
use serde_json::{Map, Value, json};

const BUS: &str = "org.freedesktop.DBus";

fn bytes(trace: &mut Trace, from: Party, bytes: &[u8]) {
    trace.push(RecordBody::Bytes {
        connection: 2,
        from,
        payload: Payload::from(bytes),
    });
}

fn say(trace: &mut Trace, from: Party, serial: u32, message: Message) {
    bytes(trace, from, &Message { serial, ..message }.encode());
}

/// A client with its name on the bus, and the software manager there.
fn joined() -> Trace {
    let mut trace = Trace::default();
    trace.subscribe();
    trace.push(RecordBody::ConnectionOpened {
        connection: 2,
        face: "sota-bus".into(),
        by: Party::Unit,
    });
    let facts = Map::from_iter([("present".to_owned(), json!(true))]);
    trace.push(RecordBody::Cloud {
        name: "bus_manager".into(),
        facts,
    });
    let name = [Argument::from(CLIENT.to_owned()), Argument::U32(4)];
    let request = Message::call(BUS, "/org/freedesktop/DBus", BUS, "RequestName").with(&name);
    // The first message comes with the lines before it, in pieces.
    let request = Message { serial: 2, ..request };
    let opening = [OPENING, &request.encode()].concat();
    bytes(&mut trace, Party::Unit, &opening[..40]);
    bytes(&mut trace, Party::Unit, &opening[40..]);
    let granted = Message::answer(&request).with(&[Argument::U32(1)]);
    let granted = [
        b"OK 00\r\n".as_slice(),
        &Message { serial: 1, ..granted }.encode(),
    ]
    .concat();
    bytes(&mut trace, Party::Cloud, &granted);
    trace
}

fn told(trace: &mut Trace, id: &str) {
    let download = DownloadComplete {
        update_id: id.to_owned(),
        update_image: format!("/tmp/{id}"),
        signature: String::new(),
    };
    say(trace, Party::Unit, 7, download_complete(&download));
}

/// A call of the client and its answer, an error or not.
fn asked(trace: &mut Trace, method: &str, signature: &str, arguments: &[Value], refused: bool) {
    let arguments = from_json(signature, arguments).unwrap();
    let call = Message::call(CLIENT, CLIENT_PATH, CLIENT, method).with(&arguments);
    let call = Message {
        serial: 5,
        sender: HARNESS.to_owned(),
        ..call
    };
    bytes(trace, Party::Cloud, &call.encode());
    let answer = match refused {
        true => Message::error(&call, "Error.MalformedArgument", "no"),
        false => Message::answer(&call),
    };
    say(trace, Party::Unit, 9, answer);
}

#[test]
fn the_manager_must_hear_of_finished_downloads() {
    let mut trace = joined();
    assert_eq!(trace.count("bus_name"), 1);
    trace.event(complete("u"));
    trace.millis += 19_000;
    assert_eq!(trace.verdict("SOTA-DBUS-001"), None);
    told(&mut trace, "u");
    trace.millis += 19_000;
    assert_eq!(trace.count("manager_call"), 1);
    assert_eq!(trace.verdict("SOTA-DBUS-001"), Some(Verdict::Pass));
    trace.event(complete("v"));
    trace.millis += 21_000;
    assert_eq!(trace.verdict("SOTA-DBUS-001"), Some(Verdict::Fail));
}

#[test]
fn a_client_off_the_bus_owes_it_nothing() {
    let mut trace = joined();
    trace.event(complete("u"));
    trace.push(RecordBody::Unit {
        change: UnitChange::PowerCut,
        facts: Map::new(),
    });
    trace.event(complete("v"));
    trace.millis += 60_000;
    assert_eq!(trace.verdict("SOTA-DBUS-001"), None);
    let mut trace = Trace::default();
    trace.subscribe();
    trace.event(complete("u"));
    trace.millis += 60_000;
    assert_eq!(trace.verdict("SOTA-DBUS-001"), None);
}

#[test]
fn other_types_must_be_refused() {
    for (refused, verdict) in [(true, Verdict::Pass), (false, Verdict::Fail)] {
        let mut trace = joined();
        asked(&mut trace, INITIATE_DOWNLOAD, "u", &[json!(7)], refused);
        assert_eq!(trace.count("bus_reply"), 1);
        assert_eq!(trace.verdict("SOTA-DBUS-004"), Some(verdict));
    }
    let mut trace = joined();
    asked(
        &mut trace,
        INITIATE_DOWNLOAD,
        "ss",
        &[json!("u"), json!("more")],
        false,
    );
    assert_eq!(trace.verdict("SOTA-DBUS-004"), None);
}

#[test]
fn results_without_a_code_are_no_success() {
    let report = |code: u64, others: bool| {
        let mut trace = joined();
        if others {
            trace.core("GET", "updates/u/download", None, "", (200, "image"));
        }
        let arguments = [json!("u"), json!([{"id": "u", "result_text": ""}])];
        asked(
            &mut trace,
            UPDATE_REPORT,
            UPDATE_REPORT_SIGNATURE,
            &arguments,
            false,
        );
        let body = json!([{"id": "u", "result_code": code, "result_text": ""}]).to_string();
        trace.core("POST", "updates/u", None, &body, (204, ""));
        trace.verdict("SOTA-DBUS-005")
    };
    assert_eq!(report(0, false), Some(Verdict::Fail));
    assert_eq!(report(19, false), None);
    assert_eq!(report(0, true), None);
}

#[test]
fn results_are_reported_as_they_came() {
    let result = |code: u64| json!([{"id": "u", "result_code": code, "result_text": ""}]);
    let report = |sent: u64, reported: u64| {
        let mut trace = joined();
        let arguments = [json!("u"), result(sent)];
        asked(
            &mut trace,
            UPDATE_REPORT,
            UPDATE_REPORT_SIGNATURE,
            &arguments,
            false,
        );
        trace.core(
            "POST",
            "updates/u",
            None,
            &result(reported).to_string(),
            (204, ""),
        );
        trace.verdict("SOTA-DBUS-003")
    };
    assert_eq!(report(7, 7), Some(Verdict::Pass));
    assert_eq!(report(7, 19), Some(Verdict::Fail));
}
