//! The board on a desk: calls in, answers out, power cut at will.

use super::OtaRpcKind;
use crate::{ExchangeId, Input, Kind, Output, Setup, StreamId, testing::Desk};
use bytes::Bytes;
use hil_wire::{
    http::{Headers, Request, Response},
    ota_rpc::{
        Frame, decode, encode,
        http::{Form, frame_request, parse_response},
        uart::{HANDSHAKE, caller_line},
    },
};
use serde_json::{Value, json};
use std::time::Duration;

fn desk() -> Desk {
    let setup = Setup {
        timing: OtaRpcKind.timing(),
        artifacts: OtaRpcKind.artifacts(),
        ..Setup::default()
    };
    let mut desk = Desk::new(&OtaRpcKind, setup);
    desk.advance(Duration::from_secs(1));
    desk
}

/// Posts a request; the answer, if there is one at once.
fn post(desk: &mut Desk, request: Request) -> Option<Response> {
    desk.outputs.clear();
    desk.input(Input::ServerRequest {
        exchange: ExchangeId(1),
        face: "rpc-http".into(),
        request,
    });
    answer(desk)
}

fn answer(desk: &Desk) -> Option<Response> {
    desk.outputs.iter().rev().find_map(|output| match output {
        Output::Answer(_, response) => Some(response.clone()),
        _ => None,
    })
}

fn call(desk: &mut Desk, method: &str, arguments: Value) -> Frame {
    let frame = Frame::request(1, method, Some(arguments));
    let response = post(desk, frame_request("unit", &frame)).expect("an answer");
    decode(&response.body).value.expect("a frame")
}

pub(super) fn boot_state(desk: &mut Desk) -> Value {
    call(desk, "OTA.GetBootState", json!({}))
        .result
        .expect("a result")
}

fn version(desk: &mut Desk) -> Value {
    call(desk, "Sys.GetInfo", json!({})).result.expect("a result")["fw_version"].clone()
}

/// Updates to an image up to the moment the reply is sent.
fn update(desk: &mut Desk, role: &str, arguments: Value) -> Frame {
    let mut with = json!({"url": "http://host/fw.zip"});
    for (name, value) in arguments.as_object().unwrap() {
        with[name] = value.clone();
    }
    let frame = Frame::request(1, "OTA.Update", Some(with));
    assert_eq!(
        post(desk, frame_request("unit", &frame)),
        None,
        "the reply is deferred"
    );
    let (request, _) = desk.next_request();
    let bytes = OtaRpcKind.artifacts().get(role).unwrap().bytes.clone();
    let headers = Headers::new().with("Content-Length", bytes.len().to_string());
    desk.input(Input::HttpHead {
        request,
        status: 200,
        headers,
    });
    for bytes in bytes.chunks(1000) {
        let bytes = Bytes::copy_from_slice(bytes);
        desk.input(Input::HttpChunk { request, bytes });
    }
    desk.input(Input::HttpEnd { request });
    decode(&answer(desk).expect("a reply").body).value.unwrap()
}

/// Restarts as the shell does when the agent asks for it.
fn restart(desk: &mut Desk) {
    assert!(
        desk.outputs
            .iter()
            .any(|output| matches!(output, Output::Reboot(_)))
    );
    desk.boot();
    desk.advance(Duration::from_secs(1));
}

#[test]
fn every_unit_sample_is_answered_as_it_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../harness/wire/fixtures/ota-rpc/invalid_frames.json"
    );
    let samples: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let unit = samples.iter().filter(|sample| sample["class"] == "unit");
    let mut seen = 0;
    for sample in unit.filter(|sample| sample["transport"] != "mqtt") {
        let mut desk = desk();
        if sample["access_list_names_users"] == true {
            let state = json!({"acl": r#"[{"acl": "+admin"}]"#, "users": {"admin": "secret"}});
            let mut hardware = std::mem::take(&mut desk.hardware);
            OtaRpcKind
                .provision(state.as_object().unwrap(), &Setup::default(), &mut hardware)
                .unwrap();
            desk.hardware = hardware;
            desk.boot();
            desk.advance(Duration::from_secs(1));
        }
        let stream = StreamId(StreamId::SERVED);
        desk.input(Input::StreamOpened {
            stream,
            face: "rpc-serial".into(),
        });
        desk.outputs.clear();
        let bytes = Bytes::from(format!("{}\n", sample["raw"].as_str().unwrap()));
        desk.input(Input::StreamData { stream, bytes });
        let sent = desk.outputs.iter().find_map(|output| match output {
            Output::SendStream(_, bytes) => Some(bytes.clone()),
            _ => None,
        });
        let code = sent.map(|bytes| decode(bytes.trim_ascii()).value.unwrap().error.unwrap().code);
        assert_eq!(code, sample["answer"].as_i64(), "{}", sample["name"]);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn an_update_restarts_into_the_new_image_and_a_commit_keeps_it() {
    let mut desk = desk();
    let reply = update(&mut desk, "next", json!({"commit_timeout": "30"}));
    assert_eq!(reply.error.unwrap().code, 0);
    let late = call(&mut desk, "OTA.GetBootState", json!({}));
    assert_eq!(late.error.unwrap().code, 418);
    desk.input(Input::Timer(crate::TimerId(99)));
    desk.boot();
    desk.advance(Duration::from_secs(1));
    let window = json!({"active_slot": 1, "is_committed": false, "revert_slot": 0, "commit_timeout": 30});
    assert_eq!(
        (version(&mut desk), boot_state(&mut desk)),
        (json!("1.1.0+hil"), window)
    );
    assert_eq!(call(&mut desk, "OTA.Commit", json!({})).result, Some(Value::Null));
    assert_eq!(call(&mut desk, "OTA.Commit", json!({})).error.unwrap().code, -1);
    desk.boot();
    desk.advance(Duration::from_secs(90));
    let kept = json!({"active_slot": 1, "is_committed": true, "revert_slot": 0, "commit_timeout": 0});
    assert_eq!(
        (version(&mut desk), boot_state(&mut desk)),
        (json!("1.1.0+hil"), kept)
    );
}

#[test]
fn nobody_commits_and_the_old_image_comes_back_at_the_end_of_the_window() {
    let mut desk = desk();
    update(&mut desk, "next", json!({"commit_timeout": 30}));
    restart(&mut desk);
    desk.outputs.clear();
    desk.advance(Duration::from_millis(29_400));
    assert!(
        !desk
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Reboot(_)))
    );
    desk.advance(Duration::from_millis(200));
    restart(&mut desk);
    let back = json!({"active_slot": 0, "is_committed": true, "revert_slot": 0, "commit_timeout": 0});
    assert_eq!(
        (version(&mut desk), boot_state(&mut desk)),
        (json!("1.0.0+hil"), back)
    );
}

#[test]
fn any_restart_in_the_window_leads_back_whatever_was_set_meanwhile() {
    let mut desk = desk();
    update(&mut desk, "next", json!({"commit_timeout": 30}));
    restart(&mut desk);
    call(&mut desk, "OTA.SetBootState", json!({"commit_timeout": 300}));
    assert_eq!(
        call(&mut desk, "OTA.Update", json!({"url": "http://host/x"}))
            .error
            .unwrap()
            .code,
        -1
    );
    desk.boot();
    desk.advance(Duration::from_secs(1));
    assert_eq!(version(&mut desk), json!("1.0.0+hil"));
}

#[test]
fn power_may_fail_at_any_write_of_an_update() {
    for (write, torn) in (1..=12).flat_map(|write| [(write, false), (write, true)]) {
        let mut desk = desk();
        desk.hardware.flash.fail_at_write(write, torn);
        let with = json!({"url": "http://host/fw.zip", "commit_timeout": 30});
        let frame = Frame::request(1, "OTA.Update", Some(with));
        post(&mut desk, frame_request("unit", &frame));
        let (request, _) = desk.next_request();
        let bytes = OtaRpcKind.artifacts().get("next").unwrap().bytes.clone();
        let headers = Headers::new().with("Content-Length", bytes.len().to_string());
        desk.input(Input::HttpHead {
            request,
            status: 200,
            headers,
        });
        desk.input(Input::HttpChunk {
            request,
            bytes: Bytes::copy_from_slice(&bytes),
        });
        desk.input(Input::HttpEnd { request });
        for _ in 0..3 {
            desk.boot();
            desk.advance(Duration::from_secs(1));
        }
        assert_eq!(version(&mut desk), json!("1.0.0+hil"), "write {write}");
        assert_eq!(boot_state(&mut desk)["is_committed"], true);
    }
}

#[test]
fn without_a_timeout_the_new_image_commits_itself_and_bad_ones_fall_back() {
    let mut good = desk();
    update(&mut good, "next", json!({}));
    restart(&mut good);
    assert_eq!(boot_state(&mut good)["is_committed"], true);
    assert_eq!(version(&mut good), json!("1.1.0+hil"));
    for role in ["crash", "hang", "mute"] {
        let mut desk = desk();
        update(&mut desk, role, json!({"commit_timeout": 5}));
        restart(&mut desk);
        desk.advance(Duration::from_secs(6));
        restart(&mut desk);
        assert_eq!(version(&mut desk), json!("1.0.0+hil"), "{role}");
    }
}

#[test]
fn an_image_that_does_not_fit_is_refused_and_the_next_update_works() {
    let mut desk = desk();
    for role in ["oversize", "other_platform"] {
        let reply = update(&mut desk, role, json!({}));
        assert_eq!(reply.error.unwrap().code, -1, "{role}");
    }
    let ftp = call(&mut desk, "OTA.Update", json!({"url": "ftp://host/fw.zip"}));
    assert_eq!(ftp.error.unwrap().code, -1);
    assert_eq!(update(&mut desk, "next", json!({})).error.unwrap().code, 0);
}

#[test]
fn a_stalled_download_fails_at_its_limit() {
    let mut desk = desk();
    let with = json!({"url": "http://host/fw.zip", "timeout": 10});
    post(
        &mut desk,
        frame_request("unit", &Frame::request(1, "OTA.Update", Some(with))),
    );
    desk.advance(Duration::from_secs(9));
    assert_eq!(answer(&desk), None);
    desk.advance(Duration::from_secs(2));
    let reply = decode(&answer(&desk).unwrap().body).value.unwrap();
    assert_eq!(reply.error.unwrap().message.as_deref(), Some("Update timed out"));
}

#[test]
fn a_snapshot_can_become_the_way_back() {
    let mut desk = desk();
    let with = json!({"set_as_revert": true, "commit_timeout": 5});
    let frame = Frame::request(1, "OTA.CreateSnapshot", Some(with));
    assert_eq!(post(&mut desk, frame_request("unit", &frame)), None);
    desk.advance(Duration::from_secs(2));
    assert_eq!(
        decode(&answer(&desk).unwrap().body).value.unwrap().result,
        Some(json!({"slot": 1}))
    );
    let state = json!({"active_slot": 0, "is_committed": false, "revert_slot": 1, "commit_timeout": 5});
    assert_eq!(boot_state(&mut desk), state);
    desk.boot();
    desk.advance(Duration::from_secs(4));
    assert_eq!(desk.probe("running_slot", json!({})), json!(0));
    desk.outputs.clear();
    desk.advance(Duration::from_secs(2));
    restart(&mut desk);
    assert_eq!(desk.probe("running_slot", json!({})), json!(1));
}

#[test]
fn the_serial_line_answers_the_handshake_and_learns_checksums() {
    let mut desk = desk();
    let stream = StreamId(StreamId::SERVED);
    desk.input(Input::StreamOpened {
        stream,
        face: "rpc-serial".into(),
    });
    desk.outputs.clear();
    let mut send = |bytes: &[u8]| {
        let bytes = Bytes::copy_from_slice(bytes);
        desk.input(Input::StreamData { stream, bytes });
        let sent = desk.outputs.drain(..).find_map(|output| match output {
            Output::SendStream(_, bytes) => Some(bytes.to_vec()),
            _ => None,
        });
        sent.unwrap_or_default()
    };
    let frame = encode(&Frame::request(1, "OTA.GetBootState", None));
    assert!(send(&caller_line(&frame, false)).ends_with(b"}\n"));
    assert_eq!(send(&HANDSHAKE), b"\n\"\"\"\x04\"\"\"\n\n");
    let checked = send(&caller_line(&frame, true));
    assert!(checked.ends_with(b"\"\"\"\n") && checked.starts_with(b"\n\"\"\"{"));
    let mut wrong = caller_line(&frame, true);
    let last = wrong.len() - 2;
    wrong[last] = if wrong[last] == b'0' { b'1' } else { b'0' };
    assert_eq!(send(&wrong), b"");
    assert_eq!(send(&[0xff]), b"");
    assert!(!send(&caller_line(&frame, false)).is_empty());
}

#[test]
fn the_rest_form_has_its_own_statuses() {
    let mut desk = desk();
    let rest = |method: &str| {
        let mut request = Request::new("POST", format!("/rpc/{method}"));
        request.headers.push("Content-Length", "0");
        request
    };
    let found = post(&mut desk, rest("OTA.GetBootState")).unwrap();
    assert_eq!(found.status, 200);
    let reply = parse_response(Form::Rest, &1.into(), &found).value.unwrap();
    assert_eq!(reply.result.unwrap()["is_committed"], true);
    assert_eq!(post(&mut desk, rest("OTA.Nope")).unwrap().status, 404);
    assert_eq!(post(&mut desk, rest("OTA.Commit")).unwrap().status, 500);
}

/// The answer is no error.
pub(super) fn succeeds(frame: &Frame) -> bool {
    frame.error.is_none()
}

#[test]
fn a_pushed_archive_boots_and_a_gap_is_refused() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let mut desk = desk();
    let archive = OtaRpcKind.artifacts().get("next").unwrap().bytes.clone();
    let chunk =
        |offset: usize, to: usize| json!({"offset": offset, "data": STANDARD.encode(&archive[offset..to])});
    let state = |desk: &mut Desk| call(desk, "OTA.Status", json!({})).result.unwrap()["state"].clone();
    assert_eq!(state(&mut desk), json!(0));
    assert!(!succeeds(&call(&mut desk, "OTA.Write", chunk(0, 500))));
    let begin = json!({"size": archive.len(), "commit_timeout": 30, "timeout": 60});
    assert!(succeeds(&call(&mut desk, "OTA.Begin", begin.clone())));
    assert!(!succeeds(&call(&mut desk, "OTA.Begin", begin)), "one at a time");
    assert_eq!(state(&mut desk), json!(1));
    assert!(succeeds(&call(&mut desk, "OTA.Write", chunk(0, 500))));
    assert!(
        succeeds(&call(&mut desk, "OTA.Write", chunk(0, 500))),
        "sent again"
    );
    assert!(
        !succeeds(&call(&mut desk, "OTA.Write", chunk(900, 1200))),
        "a gap"
    );
    assert!(
        succeeds(&call(&mut desk, "OTA.Write", chunk(400, archive.len()))),
        "an overlap"
    );
    assert!(succeeds(&call(&mut desk, "OTA.End", json!({}))));
    restart(&mut desk);
    assert_eq!(version(&mut desk), json!("1.1.0+hil"));
    assert_eq!(boot_state(&mut desk)["commit_timeout"], json!(30));
}

#[test]
fn user_files_go_with_an_update_and_come_back_with_a_rollback() {
    let mut desk = desk();
    let file = json!({"filename": "a.txt", "data": "aGls"});
    assert!(succeeds(&call(&mut desk, "FS.Put", file)));
    let read = |desk: &mut Desk| call(desk, "FS.Get", json!({"filename": "a.txt"})).result;
    let kept = Some(json!({"data": "aGls", "left": 0}));
    update(&mut desk, "next", json!({"commit_timeout": 5}));
    restart(&mut desk);
    assert_eq!(
        (version(&mut desk), read(&mut desk)),
        (json!("1.1.0+hil"), kept.clone())
    );
    desk.advance(Duration::from_secs(5));
    restart(&mut desk);
    assert_eq!((version(&mut desk), read(&mut desk)), (json!("1.0.0+hil"), kept));
    let outside = call(&mut desk, "FS.Get", json!({"filename": "../a.txt"}));
    assert!(!succeeds(&outside));
}
