//! The client on a desk: authentication, polling, downloads, installation, and the recorded faults of the reference.

use super::SotaKind;
use crate::{ExchangeId, HttpCall, Input, Kind, Output, RequestId, Setup, testing::Desk};
use hil_wire::{
    http::{Request, Response},
    sota::{Dialect, Event, UpdateRequestStatus, core::TokenAnswer},
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const ID: &str = "20000000-0000-4000-8000-000000000000";

fn setup() -> Setup {
    let mut setup = Setup {
        artifacts: SotaKind.artifacts(),
        timing: SotaKind.timing(),
        ics: SotaKind.ics(),
        ..Setup::default()
    };
    for (name, value) in [
        ("core_url", "http://core"),
        ("auth_url", "http://auth"),
        ("device_uuid", "dev"),
        ("client_id", "dev"),
        ("client_secret", "s"),
        ("events_socket", "cloud:1"),
        ("dbus_address", "tcp:host=cloud,port=2"),
    ] {
        setup.endpoints.settings.insert(name.into(), value.into());
    }
    setup
}

/// A client whose state says this; it has sent its first request.
pub(super) fn desk(state: Value) -> Desk {
    desk_with(setup(), state)
}

/// The same, with a system information command that prints this.
pub(super) fn desk_that_says(system_info: &str, state: Value) -> Desk {
    let mut setup = setup();
    setup.ics.insert("system_info".into(), system_info.into());
    desk_with(setup, state)
}

fn desk_with(setup: Setup, state: Value) -> Desk {
    let mut desk = Desk::new(&SotaKind, setup.clone());
    let state = state.as_object().cloned().unwrap_or_default();
    SotaKind.provision(&state, &setup, &mut desk.hardware).unwrap();
    desk.boot();
    desk
}

pub(super) fn token(desk: &mut Desk) {
    let (request, call) = desk.next_request();
    assert_eq!(call.url, "http://auth/token");
    desk.answer(
        request,
        Response::json(200, &TokenAnswer::for_device("t", "dev", 60).to_value()),
    );
}

/// Answers everything with success until a request for this path end comes.
pub(super) fn until(desk: &mut Desk, end: &str) -> (RequestId, HttpCall) {
    for _ in 0..20 {
        let (request, call) = desk.next_request();
        if call.url.ends_with(end) {
            return (request, call);
        }
        desk.answer(request, Response::new(204));
    }
    panic!("no request for {end}");
}

fn listed(status: UpdateRequestStatus) -> Value {
    json!([{"requestId": ID, "status": status.name(), "packageId": {"name": "sota-app", "version": "1.1.0"},
        "installPos": 0, "createdAt": "2016-11-22T10:00:00.000Z"}])
}

pub(super) fn command(desk: &mut Desk, exchange: u32, body: &str) {
    let mut request = Request::new("POST", "/");
    request.body = body.as_bytes().to_vec();
    desk.input(Input::ServerRequest {
        exchange: ExchangeId(exchange),
        face: "sota-http".into(),
        request,
    });
}

/// The answer to an exchange, as a status and an event.
pub(super) fn answer(desk: &mut Desk, exchange: u32) -> (u16, Option<Event>) {
    let position = desk
        .outputs
        .iter()
        .position(|output| matches!(output, Output::Answer(ExchangeId(e), _) if *e == exchange))
        .expect("an answer");
    match desk.outputs.remove(position) {
        Some(Output::Answer(_, response)) => (
            response.status,
            Event::decode(&response.body, Dialect::Rustc).value,
        ),
        _ => unreachable!(),
    }
}

#[test]
fn an_update_without_package_manager_is_downloaded_and_left_to_the_installer() {
    let mut desk = desk(json!({}));
    token(&mut desk);
    let (request, call) = until(&mut desk, "/updates");
    assert_eq!(call.request.headers.bearer_token(), Some("t"));
    assert_eq!(call.url, "http://core/api/v1/mydevice/dev/updates");
    desk.answer(
        request,
        Response::json(200, &listed(UpdateRequestStatus::Pending)),
    );
    let (request, call) = desk.next_request();
    assert!(call.url.ends_with(&format!("/updates/{ID}/download")));
    let mut image = Response::new(200);
    image.body = b"bytes".to_vec();
    desk.answer(request, image);
    assert!(
        desk.outputs
            .iter()
            .any(|output| matches!(output, Output::OpenStream(_, address) if address == "cloud:1"))
    );
    let digest = hil_wire::digest::sha256_hex(b"bytes");
    assert_eq!(desk.probe("image", json!({"id": ID})), json!(digest));
    let (request, _) = until(&mut desk, "/updates");
    desk.answer(
        request,
        Response::json(200, &listed(UpdateRequestStatus::InFlight)),
    );
    let (_, call) = desk.next_request();
    assert!(call.url.ends_with("/updates"), "{}", call.url);
}

#[test]
fn a_package_manager_installs_and_reports() {
    let mut desk = desk(json!({"package_manager": true}));
    token(&mut desk);
    let (request, _) = until(&mut desk, "/updates");
    desk.answer(
        request,
        Response::json(200, &listed(UpdateRequestStatus::Pending)),
    );
    let (request, _) = desk.next_request();
    let mut image = Response::new(200);
    image.body = SotaKind.artifacts().0["next"].bytes.to_vec();
    desk.answer(request, image);
    let (request, call) = desk.next_request();
    assert!(call.url.ends_with(&format!("/updates/{ID}")));
    let results: Value = serde_json::from_slice(&call.request.body).unwrap();
    assert_eq!(results[0]["result_code"], 0);
    assert_eq!(desk.probe("installed", json!({})), "1.1.0");
    desk.answer(request, Response::new(204));
    let (_, call) = desk.next_request();
    assert!(call.url.ends_with("/installed"));
}

#[test]
fn refused_credentials_are_tried_again_without_haste() {
    let mut desk = desk(json!({}));
    let mut begun = Vec::new();
    for _ in 0..8 {
        let (request, call) = desk.next_request();
        assert_eq!(call.url, "http://auth/token");
        begun.push(desk.seconds());
        desk.answer(request, Response::new(401));
    }
    assert!(
        begun.windows(2).all(|pair| pair[1] - pair[0] >= 0.999),
        "{begun:?}"
    );
    assert!(begun.windows(2).all(|pair| pair[1] - pair[0] <= 10.1));
}

#[test]
fn a_refused_token_is_replaced() {
    let mut desk = desk(json!({"system_info": false}));
    token(&mut desk);
    let (request, _) = until(&mut desk, "/updates");
    command(&mut desk, 1, "\"ListInstalledPackages\"");
    desk.answer(request, Response::new(401));
    assert_eq!(answer(&mut desk, 1), (200, Some(Event::NotAuthenticated)));
    token(&mut desk);
    command(&mut desk, 2, "\"ListInstalledPackages\"");
    assert_eq!(
        answer(&mut desk, 2),
        (200, Some(Event::FoundInstalledPackages(vec![])))
    );
}

#[test]
fn lists_that_cannot_be_read_are_errors() {
    for body in [
        "not json",
        "{}",
        "",
        "[{\"requestId\":\"x\"}]",
        "[{\"requestId\":\"x\",\"status\":\"Bogus\"}]",
    ] {
        let mut desk = desk(json!({"auth": false, "polling": false}));
        command(&mut desk, 1, "\"GetUpdateRequests\"");
        let (request, call) = desk.next_request();
        assert_eq!(call.request.headers.get("Authorization"), None);
        let mut response = Response::new(200);
        response.body = body.as_bytes().to_vec();
        desk.answer(request, response);
        assert!(
            matches!(answer(&mut desk, 1), (200, Some(Event::Error(text))) if !text.is_empty()),
            "{body}"
        );
        command(&mut desk, 2, "nonsense");
        assert_eq!(answer(&mut desk, 2).0, 400);
    }
}

#[test]
fn ids_cannot_leave_the_folder() {
    for id in ["../x", "/etc/passwd", "a/b", ".."] {
        let mut desk = desk(json!({"auth": false, "polling": false}));
        command(
            &mut desk,
            1,
            &json!({"variant": "StartDownload", "fields": [id]}).to_string(),
        );
        assert!(
            matches!(answer(&mut desk, 1), (200, Some(Event::DownloadFailed(failed, _))) if failed == id)
        );
        assert_eq!(desk.probe("files", json!({})), json!([]));
    }
}

#[test]
fn commands_run_one_at_a_time() {
    let mut desk = desk(json!({"auth": false, "polling": false}));
    for exchange in 0..3 {
        command(&mut desk, exchange, "\"GetUpdateRequests\"");
    }
    for exchange in 0..3 {
        let (request, _) = desk.next_request();
        assert!(
            !desk
                .outputs
                .iter()
                .any(|output| matches!(output, Output::Http(..)))
        );
        desk.answer(request, Response::json(200, &json!([])));
        assert_eq!(answer(&mut desk, exchange), (200, Some(Event::NoUpdateRequests)));
    }
}

#[test]
fn a_text_command_is_answered_after_the_half_close() {
    let mut desk = desk(json!({"auth": false, "polling": false}));
    let stream = crate::StreamId(crate::StreamId::SERVED);
    for (text, reply) in [
        ("ls", "{\"variant\":\"FoundInstalledPackages\",\"fields\":[[]]}"),
        ("GETREQ", "Unknown Command: "),
    ] {
        desk.input(Input::StreamOpened {
            stream,
            face: "sota-commands".into(),
        });
        desk.input(Input::StreamData {
            stream,
            bytes: text.into(),
        });
        desk.input(Input::StreamEnded { stream });
        let sent = desk.outputs.iter().rev().find_map(|output| match output {
            Output::SendStream(_, bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        assert!(sent.unwrap().starts_with(reply), "{text}");
        assert!(matches!(desk.outputs.back(), Some(Output::CloseStream(_))));
        desk.advance(Duration::from_millis(1));
    }
}
