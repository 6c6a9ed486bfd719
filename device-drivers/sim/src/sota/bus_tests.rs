//! The client on the bus: it says hello and takes its name, answers before it acts, refuses what is malformed, and tells of
//! finished downloads.

use super::tests::{ID, desk, token, until};
use crate::{Input, Output, StreamId, testing::Desk};
use hil_wire::{
    dbus::{Assembler, Kind, Message, OPENING, from_json},
    http::Response,
    sota::bus::{CLIENT, CLIENT_PATH, DOWNLOAD_COMPLETE, MANAGER},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A client that has authenticated and sits on the bus, and its connection.
fn joined() -> (Desk, StreamId) {
    let mut desk = desk(json!({"polling": false}));
    let stream = dialled(&desk).expect("a connection to the bus");
    token(&mut desk);
    let (request, _) = until(&mut desk, "/system_info");
    desk.answer(request, Response::new(204));
    let face = String::new();
    desk.input(Input::StreamOpened { stream, face });
    let sent = sent(&mut desk, stream);
    assert!(sent.starts_with(OPENING));
    let said = messages(&sent[OPENING.len()..]);
    let members: Vec<&str> = said.iter().map(|message| message.member.as_str()).collect();
    assert_eq!(members, ["Hello", "RequestName"]);
    desk.input(Input::StreamData {
        stream,
        bytes: b"OK 0123\r\n".as_slice().into(),
    });
    (desk, stream)
}

fn dialled(desk: &Desk) -> Option<StreamId> {
    desk.outputs.iter().rev().find_map(|output| match output {
        Output::OpenStream(stream, address) if address == "cloud:2" => Some(*stream),
        _ => None,
    })
}

/// Takes what was sent on a stream.
fn sent(desk: &mut Desk, stream: StreamId) -> Vec<u8> {
    let mut bytes = Vec::new();
    desk.outputs.retain(|output| match output {
        Output::SendStream(to, sent) if *to == stream => {
            bytes.extend_from_slice(sent);
            false
        }
        _ => true,
    });
    bytes
}

fn messages(bytes: &[u8]) -> Vec<Message> {
    let mut assembler = Assembler::default();
    assembler.push(bytes);
    std::iter::from_fn(|| assembler.next_message().unwrap()).collect()
}

/// Calls the client; what it answers.
fn call(desk: &mut Desk, stream: StreamId, method: &str, signature: &str, arguments: &[Value]) -> Message {
    let arguments = from_json(signature, arguments).unwrap();
    let call = Message::call(CLIENT, CLIENT_PATH, CLIENT, method).with(&arguments);
    let call = Message {
        serial: 40,
        sender: ":1.0".into(),
        ..call
    };
    desk.input(Input::StreamData {
        stream,
        bytes: call.encode().into(),
    });
    let answers = messages(&sent(desk, stream));
    assert_eq!((answers.len(), answers[0].reply_serial), (1, Some(40)));
    answers[0].clone()
}

#[test]
fn a_download_that_was_asked_for_is_told_of() {
    let (mut desk, stream) = joined();
    assert_eq!(
        call(&mut desk, stream, "initiateDownload", "s", &[json!(ID)]).kind,
        Kind::Return
    );
    let (request, asked) = desk.next_request();
    assert!(asked.url.ends_with("/download"), "{}", asked.url);
    let mut image = Response::new(200);
    image.body = b"bytes".to_vec();
    desk.answer(request, image);
    let told = messages(&sent(&mut desk, stream));
    assert_eq!(
        (told[0].member.as_str(), told[0].destination.as_str()),
        (DOWNLOAD_COMPLETE, MANAGER)
    );
}

#[test]
fn results_are_reported_and_malformed_ones_are_not() {
    let (mut desk, stream) = joined();
    let result = |code: Value| json!([{"id": ID, "result_code": code, "result_text": "t"}]);
    for wrong in [
        json!([{"id": ID, "result_text": ""}]),
        result(json!("OK")),
        result(json!(20)),
    ] {
        let answer = call(&mut desk, stream, "updateReport", "saa{sv}", &[json!(ID), wrong]);
        assert_eq!(answer.kind, Kind::Error);
        assert!(answer.error_name.starts_with("Error."), "{}", answer.error_name);
    }
    assert!(
        !desk
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Http(..)))
    );
    let right = [json!(ID), result(json!(7))];
    assert_eq!(
        call(&mut desk, stream, "updateReport", "saa{sv}", &right).kind,
        Kind::Return
    );
    let (_, asked) = desk.next_request();
    let body: Value = serde_json::from_slice(&asked.request.body).unwrap();
    assert_eq!(body[0]["result_code"], 7);
}

#[test]
fn a_bus_that_is_gone_is_tried_again() {
    let (mut desk, stream) = joined();
    desk.outputs.clear();
    desk.input(Input::StreamClosed { stream });
    assert_eq!(dialled(&desk), None);
    desk.advance(Duration::from_secs(2));
    assert!(dialled(&desk).is_some());
    // It is no D-Bus this time.
    let stream = dialled(&desk).unwrap();
    let face = String::new();
    desk.input(Input::StreamOpened { stream, face });
    desk.input(Input::StreamData {
        stream,
        bytes: b"HTTP/1.1 400 Bad Request\r\n\r\nno".as_slice().into(),
    });
    assert!(desk.outputs.contains(&Output::CloseStream(stream)));
}
