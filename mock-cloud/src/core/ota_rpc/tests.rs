//! The core without a front: what it sends, and what it makes of answers.

use super::*;
use crate::core::Send;
use hil_wire::{
    Protocol,
    http::Request,
    ota_rpc::{
        Frame, Id, RpcError,
        archive::ArchiveBuilder,
        decode,
        digest::{Algorithm, Challenge, Credentials, Expectation, user_hash},
        http::unauthorized,
        uart::{EOT_REPLY, HANDSHAKE, HANDSHAKE_ACK},
    },
};
use std::sync::Arc;

fn cloud() -> OtaRpcCloud {
    let settings = CloudSettings {
        protocol: Protocol::OtaRpc,
        bind: "cloud".into(),
        advertised_host: "cloud".into(),
        ports: BTreeMap::new(),
        public_url: None,
        unit_id: "unit-1".into(),
        unit_key: String::new(),
        admin_token: String::new(),
        publish_token: String::new(),
        options: Map::new(),
        seed: 7,
    };
    OtaRpcCloud::new(settings, "http://cloud:8070".into(), &[])
}

fn at(seconds: u64) -> Now {
    Now {
        stamp: Stamp(seconds * 1_000_000),
        unix_ms: 1_714_521_600_000,
    }
}

fn act(cloud: &mut OtaRpcCloud, now: Now, action: &str, with: Value) -> (Map<String, Value>, Outputs) {
    let mut out = Outputs::default();
    let archive = Artifact {
        name: "demo".into(),
        version: "2.0".into(),
        bytes: Arc::from(
            ArchiveBuilder::new("sim", "2.0", "b")
                .part("app", "app", "app.bin", vec![1; 99])
                .build(),
        ),
    };
    let artifacts = |role: &str| (role == "next").then(|| archive.clone());
    let given = cloud
        .act(now, action, with.as_object().unwrap(), &artifacts, &mut out)
        .unwrap();
    (given, out)
}

fn sent_call(out: &Outputs) -> (u64, Request) {
    match &out.sends[..] {
        [Send::Call { call, request, .. }] => (*call, request.clone()),
        other => panic!("not one call: {other:?}"),
    }
}

#[test]
fn a_frame_goes_to_rpc_and_the_rest_form_to_the_method() {
    let mut cloud = cloud();
    let (given, out) = act(
        &mut cloud,
        at(0),
        "call",
        json!({"method": "OTA.GetBootState", "tag": "t"}),
    );
    let (_, request) = sent_call(&out);
    let frame = decode(&request.body).value.unwrap();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/rpc")
    );
    assert_eq!(frame.id.map(|id| id.to_value()).as_ref(), given.get("id"));
    assert!((1 << 40..1 << 41).contains(&given["id"].as_i64().unwrap()));
    let rest = json!({"method": "OTA.Nope", "transport": "rest"});
    let (_, out) = act(&mut cloud, at(0), "call", rest);
    let (_, request) = sent_call(&out);
    assert_eq!(
        (request.target.as_str(), request.body.len()),
        ("/rpc/OTA.Nope", 0)
    );
    assert_eq!(request.headers.get("Content-Length"), Some("0"));
    let query = json!({"method": "OTA.SetBootState", "transport": "query", "args": {"revert_slot": 1}});
    let (_, out) = act(&mut cloud, at(0), "call", query);
    assert_eq!(sent_call(&out).1.target, "/rpc/OTA.SetBootState?revert_slot=1");
}

#[test]
fn http_credentials_follow_the_demand_once() {
    let mut cloud = cloud();
    let login = json!({"method": "OTA.Commit", "user": "admin", "password": "secret"});
    let (_, out) = act(&mut cloud, at(0), "call", login);
    let (call, _) = sent_call(&out);
    let challenge = Challenge {
        realm: "RPC".into(),
        nonce: 1_714_521_600,
        algorithm: Algorithm::Md5,
    };
    let mut out = Outputs::default();
    cloud.answered(at(1), call, Ok(unauthorized(&challenge)), &mut out);
    let (call, request) = sent_call(&out);
    let header = request.headers.get("Authorization").unwrap();
    let credentials = Credentials::from_header(header).unwrap().unwrap();
    let expected = Expectation {
        realm: "RPC",
        algorithm: Algorithm::Md5,
        user_hash: &user_hash(Algorithm::Md5, "admin", "RPC", "secret"),
        now_seconds: 1_714_521_601,
        context: hil_wire::ota_rpc::digest::Context::Http {
            method: "POST",
            uri: "/rpc",
        },
    };
    assert_eq!(credentials.check(&expected), Ok(()));
    let mut out = Outputs::default();
    cloud.answered(at(2), call, Ok(unauthorized(&challenge)), &mut out);
    assert!(out.sends.is_empty(), "refused twice is refused");
}

#[test]
fn a_websocket_is_opened_for_the_first_call_and_credentials_go_into_the_frame() {
    let mut cloud = cloud();
    let with =
        json!({"method": "OTA.Commit", "transport": "websocket", "user": "a", "password": "b", "id": 5});
    let (_, out) = act(&mut cloud, at(0), "call", with);
    let [
        Send::Open {
            link,
            face,
            websocket,
        },
    ] = &out.sends[..]
    else {
        panic!("{:?}", out.sends)
    };
    assert_eq!(
        (face.as_str(), websocket.as_ref().unwrap().target.as_str()),
        ("rpc-websocket", "/rpc")
    );
    let mut out = Outputs::default();
    cloud.link_opened(at(0), *link, Ok(3), &mut out);
    let [
        Send::WebSocket {
            connection: 3,
            payload,
            ..
        },
    ] = &out.sends[..]
    else {
        panic!("{:?}", out.sends)
    };
    let request = decode(payload).value.unwrap();
    let challenge = Challenge {
        realm: "RPC".into(),
        nonce: 1_714_521_600,
        algorithm: Algorithm::Sha256,
    };
    let refusal = request.reply_error("unit", challenge.to_error()).unwrap();
    let mut out = Outputs::default();
    cloud.websocket_message(at(1), 3, 1, &hil_wire::ota_rpc::encode(&refusal), &mut out);
    let [Send::WebSocket { payload, .. }] = &out.sends[..] else {
        panic!("{:?}", out.sends)
    };
    let repeated = decode(payload).value.unwrap();
    assert_eq!(repeated.id, Some(Id::from(5)));
    assert!(Credentials::from_auth(&repeated.auth.unwrap()).is_ok());
    let mut out = Outputs::default();
    cloud.connection_closed(at(2), 3, &mut out);
    assert_eq!(out.notes[0].0, "unanswered");
}

#[test]
fn the_serial_handshake_repeats_until_it_is_answered() {
    let mut cloud = cloud();
    let (_, out) = act(&mut cloud, at(0), "handshake", json!({}));
    assert!(matches!(
        &out.sends[..],
        [Send::Open {
            link: 1,
            websocket: None,
            ..
        }]
    ));
    let mut out = Outputs::default();
    cloud.link_opened(at(0), 1, Ok(9), &mut out);
    let bytes = |out: &Outputs| match &out.sends[..] {
        [Send::Bytes { payload, .. }] => payload.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(bytes(&out), HANDSHAKE);
    assert_eq!(cloud.next_wake(), Some(Stamp(200_000)));
    let mut out = Outputs::default();
    let later = Now {
        stamp: Stamp(200_000),
        ..at(0)
    };
    cloud.wake(later, &mut out);
    assert_eq!(bytes(&out), HANDSHAKE);
    let mut out = Outputs::default();
    cloud.bytes(
        later,
        9,
        &[b"\n".as_slice(), &EOT_REPLY, b"\n\n"].concat(),
        &mut out,
    );
    assert_eq!(bytes(&out), HANDSHAKE_ACK);
    assert_eq!(cloud.next_wake(), None);
    let with = json!({"method": "Sys.GetInfo", "transport": "serial", "checksum": "valid", "id": 1});
    let (_, out) = act(&mut cloud, at(1), "call", with);
    assert!(bytes(&out).ends_with(b"\n") && bytes(&out)[bytes(&out).len() - 10] == b'}');
    assert_eq!(cloud.next_wake(), Some(Stamp(21_000_000)));
    let mut out = Outputs::default();
    cloud.bytes(at(2), 9, b"\n{\"id\":1,\"result\":null}\n", &mut out);
    assert_eq!(cloud.next_wake(), None);
}

#[test]
fn repeated_calls_come_at_their_interval_until_stopped() {
    let mut cloud = cloud();
    let (given, out) = act(&mut cloud, at(0), "poll", json!({"every": 2}));
    assert!(sent_call(&out).1.body.windows(11).any(|w| w == b"Sys.GetInfo"));
    assert_eq!(cloud.next_wake(), Some(Stamp(2_000_000)));
    let mut out = Outputs::default();
    cloud.wake(at(2), &mut out);
    assert_eq!(out.sends.len(), 1);
    act(&mut cloud, at(3), "stop_polling", json!({"poll": given["poll"]}));
    assert_eq!(cloud.next_wake(), None);
}

#[test]
fn waiting_for_a_version_ends_with_it() {
    let mut cloud = cloud();
    let (_, out) = act(&mut cloud, at(0), "await", json!({"version": "2.0"}));
    let (call, request) = sent_call(&out);
    let answer = |version: &str| {
        let frame = decode(&request.body).value.unwrap();
        let reply = frame.reply("unit", json!({"fw_version": version})).unwrap();
        let mut response = Response::new(200);
        response.body = hil_wire::ota_rpc::encode(&reply);
        response
    };
    cloud.answered(at(0), call, Ok(answer("1.0")), &mut Outputs::default());
    assert_eq!(cloud.next_wake(), Some(Stamp(500_000)));
    let mut out = Outputs::default();
    cloud.wake(at(1), &mut out);
    cloud.answered(at(1), sent_call(&out).0, Ok(answer("2.0")), &mut out);
    assert_eq!(cloud.next_wake(), None);
}

#[test]
fn firmware_is_served_whole_spoilt_and_moved() {
    let mut cloud = cloud();
    let (given, _) = act(&mut cloud, at(0), "publish", json!({"artifact": "next"}));
    assert_eq!(given["url"], "http://cloud:8070/fw/next.zip");
    let get = |cloud: &OtaRpcCloud, path: &str| cloud.download(&Request::new("GET", path));
    assert_eq!(get(&cloud, "/fw/next.zip").status, 200);
    assert_eq!(
        get(&cloud, "/moved/fw/next.zip").body,
        get(&cloud, "/fw/next.zip").body
    );
    let spoilt = json!({"artifact": "next", "variant": "flipped"});
    let (given, _) = act(&mut cloud, at(0), "publish", spoilt);
    let other = get(&cloud, given["path"].as_str().unwrap());
    assert_eq!(other.body.len(), get(&cloud, "/fw/next.zip").body.len());
    assert_ne!(other.body, get(&cloud, "/fw/next.zip").body);
    act(&mut cloud, at(0), "withdraw", json!({"path": "/fw/next.zip"}));
    assert_eq!(get(&cloud, "/fw/next.zip").status, 404);
}

#[test]
fn a_unit_that_calls_is_told_that_there_is_no_such_method() {
    let mut cloud = cloud();
    let mut out = Outputs::default();
    cloud.opened(Name::UnitSocket, 4, &mut out);
    let request = Frame::request(8, "RPC.Ping", None).with_src("unit");
    cloud.websocket_message(at(0), 4, 1, &hil_wire::ota_rpc::encode(&request), &mut out);
    let [Send::WebSocket { payload, .. }] = &out.sends[..] else {
        panic!("{:?}", out.sends)
    };
    let reply = decode(payload).value.unwrap();
    assert_eq!(reply.error, Some(RpcError::no_handler("RPC.Ping")));
    let waits = json!({"method": "OTA.Commit", "transport": "unit_websocket", "notification": true});
    let (_, out) = act(&mut cloud, at(0), "call", waits);
    assert_eq!(out.sends.len(), 1);
    assert_eq!(cloud.next_wake(), None);
}

#[test]
fn a_unit_nobody_provisioned_is_committed_before_anybody_waits_for_it() {
    let mut cloud = cloud();
    cloud.unsettled = true;
    let called = |out: &Outputs| {
        let (call, request) = sent_call(out);
        let frame = decode(&request.body).value.unwrap();
        (
            call,
            frame.called_method().unwrap_or_default().to_owned(),
            frame.id.unwrap(),
        )
    };
    let answer = |cloud: &mut OtaRpcCloud, now: Now, call: u64, id: &Id, result: Value| {
        let mut out = Outputs::default();
        let body = json!({"id": id.to_value(), "result": result}).to_string();
        let mut response = hil_wire::http::Response::new(200);
        response.body = body.into_bytes();
        cloud.answered(now, call, Ok(response), &mut out);
        let mut out = Outputs::default();
        cloud.wake(now, &mut out);
        out
    };
    let state = |committed: bool| json!({"active_slot": 1, "is_committed": committed, "revert_slot": 0, "commit_timeout": 0});
    let (_, out) = act(&mut cloud, at(0), "await", json!({}));
    let (call, method, id) = called(&out);
    assert_eq!(method, "OTA.GetBootState");
    let out = answer(&mut cloud, at(0), call, &id, state(false));
    let (call, method, id) = called(&out);
    assert_eq!(method, "OTA.Commit");
    let out = answer(&mut cloud, at(1), call, &id, Value::Null);
    let (call, method, id) = called(&out);
    assert_eq!(method, "OTA.GetBootState");
    let out = answer(&mut cloud, at(1), call, &id, state(true));
    assert_eq!(called(&out).1, "Sys.GetInfo");
    // Once is enough.
    act(&mut cloud, at(2), "stop_polling", json!({}));
    let (_, out) = act(&mut cloud, at(2), "await", json!({}));
    assert_eq!(called(&out).1, "Sys.GetInfo");
}

#[test]
fn an_image_made_here_is_told_from_the_same_one_that_runs() {
    let mut cloud = cloud();
    let publish = |cloud: &mut OtaRpcCloud| {
        let (given, _) = act(
            cloud,
            at(0),
            "publish",
            json!({"artifact": "next", "version": "9.0+hil"}),
        );
        let archive = cloud.archives["/fw/next.zip"].clone();
        (given["version"].clone(), archive)
    };
    assert_eq!(publish(&mut cloud).0, json!("9.0+hil"));
    let mut out = Outputs::default();
    let archive = publish(&mut cloud).1;
    let artifacts = |_: &str| {
        Some(Artifact {
            name: "demo".into(),
            version: "9.0+hil".into(),
            bytes: Arc::from(archive.clone()),
        })
    };
    let with = json!({"artifact": "next"});
    cloud.running = Some("9.0+hil".to_owned());
    let given = cloud
        .act(at(0), "publish", with.as_object().unwrap(), &artifacts, &mut out)
        .unwrap();
    assert_eq!(given["version"], json!("9.0+hil.again"));
    cloud.running = Some("1.0".to_owned());
    let given = cloud
        .act(at(0), "publish", with.as_object().unwrap(), &artifacts, &mut out)
        .unwrap();
    assert_eq!(given["version"], json!("9.0+hil"));
}
