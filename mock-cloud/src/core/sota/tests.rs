//! The core without a front: the recorded exchanges of the reference, side effects, and what goes to gateways.

use super::*;
use crate::core::Send;
use hil_trace::Stamp;
use hil_wire::{Protocol, sota::ClientCredentials, sota::core::basic};
use std::sync::Arc;

const DEVICE: &str = "123e4567-e89b-12d3-a456-426655440000";

pub(super) fn settings(options: Value) -> CloudSettings {
    CloudSettings {
        protocol: Protocol::Sota,
        bind: "cloud".into(),
        advertised_host: "cloud".into(),
        ports: BTreeMap::new(),
        public_url: None,
        unit_id: DEVICE.into(),
        unit_key: "secret".into(),
        admin_token: "admin".into(),
        publish_token: String::new(),
        options: options.as_object().cloned().unwrap_or_default(),
        seed: 7,
    }
}

fn cloud(options: Value) -> SotaCloud {
    SotaCloud::new(settings(options), "http://core".into(), "http://second".into())
}

const NOW: Now = Now {
    stamp: Stamp(0),
    unix_ms: 1_479_808_800_000,
};

pub(super) fn act(cloud: &mut SotaCloud, action: &str, with: Value) -> (Map<String, Value>, Outputs) {
    let mut out = Outputs::default();
    let artifact = Artifact {
        name: "app".into(),
        version: "2".into(),
        bytes: Arc::from(b"image".as_slice()),
    };
    let artifacts = |role: &str| (role == "next").then(|| artifact.clone());
    let with = with.as_object().cloned().unwrap_or_default();
    let given = cloud.act(NOW, action, &with, &artifacts, &mut out).unwrap();
    (given, out)
}

pub(super) fn ask(cloud: &mut SotaCloud, face: &str, request: &Request) -> Response {
    let call = HttpCall {
        face,
        request,
        peer: None,
    };
    cloud.http(NOW, call, &mut Outputs::default())
}

fn token(cloud: &mut SotaCloud) -> String {
    let credentials = ClientCredentials {
        client_id: DEVICE.into(),
        client_secret: "secret".into(),
    };
    let mut request = Request::new("POST", "/token").header("Authorization", basic(&credentials));
    request.body = b"grant_type=client_credentials".to_vec();
    let answer = ask(cloud, AUTH, &request);
    assert_eq!(answer.status, 200);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(answer["expires_in"].is_i64() && answer["token_type"] == "Bearer");
    answer["access_token"].as_str().unwrap().to_owned()
}

fn device(method: &str, rest: &str, token: &str, body: &str) -> Request {
    let mut request = Request::new(method, format!("/api/v1/mydevice/{DEVICE}/{rest}"));
    if !token.is_empty() {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    request.body = body.as_bytes().to_vec();
    request
}

fn listed(cloud: &mut SotaCloud, token: &str) -> Value {
    let answer = ask(cloud, CORE, &device("GET", "updates", token, ""));
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
fn an_update_goes_from_pending_to_finished() {
    let mut cloud = cloud(json!({}));
    let token = token(&mut cloud);
    assert_eq!(listed(&mut cloud, &token), json!([]));
    let (given, _) = act(&mut cloud, "queue", json!({"artifact": "next"}));
    let id = given["id"].as_str().unwrap().to_owned();
    let list = listed(&mut cloud, &token);
    let expected = json!([{
        "requestId": id, "status": "Pending", "packageId": {"name": "app", "version": "2"}, "installPos": 0,
        "createdAt": "2016-11-22T10:00:00.000Z", "updatedAt": "2016-11-22T10:00:00.000Z",
    }]);
    assert_eq!(list, expected);
    let download = device("GET", &format!("updates/{id}/download"), &token, "");
    assert_eq!(ask(&mut cloud, CORE, &download).body, b"image");
    assert_eq!(listed(&mut cloud, &token)[0]["status"], "InFlight");
    let body = json!([{"id": id, "result_code": 0, "result_text": ""}]).to_string();
    let report = device("POST", &format!("updates/{id}"), &token, &body);
    assert_eq!(ask(&mut cloud, CORE, &report).status, 204);
    assert_eq!(listed(&mut cloud, &token), json!([]));
    assert!(!cloud.blocked);
}

#[test]
fn a_failure_blocks_the_queue_until_it_is_unblocked() {
    let mut cloud = cloud(json!({"auth": false}));
    let (given, _) = act(&mut cloud, "queue", json!({"artifact": "next", "count": 2}));
    let id = given["id"].as_str().unwrap();
    let body = json!([{"id": id, "result_code": 19, "result_text": "no"}]).to_string();
    ask(
        &mut cloud,
        CORE,
        &device("POST", &format!("updates/{id}"), "", &body),
    );
    assert_eq!(listed(&mut cloud, ""), json!([]));
    act(&mut cloud, "unblock", json!({}));
    assert_eq!(listed(&mut cloud, "").as_array().map(Vec::len), Some(1));
}

#[test]
fn tokens_and_scopes_are_checked() {
    let mut cloud = cloud(json!({}));
    let list =
        |cloud: &mut SotaCloud, token: &str| ask(cloud, CORE, &device("GET", "updates", token, "")).status;
    assert_eq!(list(&mut cloud, ""), 401);
    assert_eq!(list(&mut cloud, "tok-1"), 401);
    let token = token(&mut cloud);
    act(&mut cloud, "limit_scope", json!({"scope": "write"}));
    assert_eq!(list(&mut cloud, &token), 403);
    act(&mut cloud, "limit_scope", json!({"scope": "both"}));
    assert_eq!(list(&mut cloud, &token), 200);
    act(&mut cloud, "revoke_token", json!({}));
    assert_eq!(list(&mut cloud, &token), 401);
    act(&mut cloud, "refuse_credentials", json!({"status": 403}));
    assert_eq!(ask(&mut cloud, AUTH, &Request::new("POST", "/token")).status, 403);
    let other = Request::new("GET", "/api/v1/mydevice/other/updates");
    assert_eq!(ask(&mut cloud, CORE, &other).status, 401);
}

#[test]
fn malformed_uploads_and_unknown_things_are_refused() {
    let mut cloud = cloud(json!({"auth": false}));
    let mut status =
        |method: &str, rest: &str, body: &str| ask(&mut cloud, CORE, &device(method, rest, "", body)).status;
    assert_eq!(status("PUT", "installed", "{}"), 400);
    assert_eq!(status("PUT", "installed", "[]"), 204);
    assert_eq!(status("PUT", "system_info", "{}"), 200);
    assert_eq!(status("POST", "updates/none", "[]"), 404);
    assert_eq!(status("POST", "updates/none", "nonsense"), 400);
    assert_eq!(status("GET", "updates/none/download", ""), 404);
    assert_eq!(status("DELETE", "updates", ""), 405);
}

#[test]
fn the_store_keeps_everything() {
    let mut first = cloud(json!({}));
    let token = token(&mut first);
    let (_, out) = act(&mut first, "queue", json!({"artifact": "next"}));
    let mut documents: BTreeMap<&'static str, Vec<(String, Value)>> = BTreeMap::new();
    for change in out.changes {
        if let crate::store::Change::Put {
            collection,
            key,
            document,
        } = change
        {
            documents.entry(collection).or_default().push((key, document));
        }
    }
    documents
        .entry(token::COLLECTION)
        .or_default()
        .push((token.clone(), json!({"valid": true})));
    let mut second = cloud(json!({}));
    second.load(documents);
    assert_eq!(listed(&mut second, &token), listed(&mut first, &token));
}

#[test]
fn commands_take_the_form_of_their_gateway() {
    let mut cloud = cloud(json!({}));
    let with = json!({"command": "SendUpdateReport", "id": "u", "result_code": 7});
    let (_, out) = act(&mut cloud, "command", with);
    let body = match &out.sends[..] {
        [Send::Call { face, request, .. }] if face == "sota-http" => request.body.clone(),
        other => panic!("{other:?}"),
    };
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        body["fields"][0]["operation_results"][0]["result_code"],
        "FLASH_FAILED"
    );

    let with = json!({"command": "SendUpdateReport", "id": "u", "result_code": 7, "gateway": "socket", "short": true});
    let (_, out) = act(&mut cloud, "command", with);
    assert!(matches!(&out.sends[..], [Send::Open { link: 1, face, .. }] if face == "sota-commands"));
    let mut out = Outputs::default();
    cloud.link_opened(NOW, 1, Ok(9), &mut out);
    match &out.sends[..] {
        [
            Send::Bytes {
                connection: 9,
                payload,
                ..
            },
            Send::End { connection: 9 },
        ] => {
            assert_eq!(payload, b"sendup u FLASH_FAILED");
        }
        other => panic!("{other:?}"),
    }
    let mut out = Outputs::default();
    cloud.bytes(NOW, 9, b"", &mut out);
    assert!(
        out.notes
            .iter()
            .any(|(name, facts)| name == "unanswered" && facts["call"] == 2)
    );

    let with = json!({"command": "GetUpdateRequests", "gateway": "websocket"});
    let (_, out) = act(&mut cloud, "command", with);
    assert!(matches!(&out.sends[..], [Send::Open { link: 2, .. }]));
    let mut out = Outputs::default();
    cloud.link_opened(NOW, 2, Ok(4), &mut out);
    assert!(matches!(
        &out.sends[..],
        [Send::WebSocket {
            connection: 4,
            opcode: 1,
            ..
        }]
    ));
}

#[test]
fn packages_are_made_up_on_demand() {
    let mut cloud = cloud(json!({}));
    let with = json!({"command": "SendInstalledPackages", "many": 3});
    let (_, out) = act(&mut cloud, "command", with);
    let body: Value = match &out.sends[..] {
        [Send::Call { request, .. }] => serde_json::from_slice(&request.body).unwrap(),
        other => panic!("{other:?}"),
    };
    let packages = body["fields"][0].as_array().unwrap();
    assert_eq!(packages.len(), 3);
    assert!(packages[2]["name"].as_str().unwrap().ends_with("套件-3"));
    assert_eq!(packages[2]["version"], "1.3-größe~ü");
}
