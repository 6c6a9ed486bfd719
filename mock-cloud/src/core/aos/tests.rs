//! The cloud from outside, without I/O: samples of the codec that only a cloud can judge, and its own duties.

use super::{AosCloud, DISCOVERY, Send, Urls, Value, WEBSOCKET, json};
use crate::{
    CloudSettings,
    core::{Core, HttpCall, Now, Outputs},
};
use hil_fault::Artifact;
use hil_link::{Clock, pki::Authority};
use hil_trace::{CertificateFacts, Stamp};
use hil_wire::{
    Protocol,
    aos::{Dialect, Direction, decode, state_checksum},
    http::Request,
};
use serde_json::Map;
use std::{collections::BTreeMap, rc::Rc, sync::Arc};

const NOW: Now = Now {
    stamp: Stamp(0),
    unix_ms: Clock::VIRTUAL_EPOCH_US / 1000,
};

fn cloud(options: Value) -> AosCloud {
    let settings = CloudSettings {
        protocol: Protocol::AosV7,
        bind: "cloud".into(),
        advertised_host: "cloud".into(),
        ports: BTreeMap::new(),
        public_url: None,
        unit_id: "hil-unit-0001".into(),
        unit_key: "hil-bearer-token".into(),
        admin_token: String::new(),
        publish_token: String::new(),
        options: options.as_object().cloned().unwrap_or_default(),
        seed: 1,
    };
    let urls = Urls {
        discovery: "https://cloud:1001".into(),
        websocket: "https://cloud:1002".into(),
        blobs: "https://cloud:1003".into(),
    };
    let authority = Authority::new("test", Clock::VIRTUAL_EPOCH_US, 1).unwrap();
    AosCloud::new(settings, urls, Rc::new(authority))
}

fn peer(name: &str) -> CertificateFacts {
    CertificateFacts {
        common_name: name.into(),
        subject: format!("CN={name}"),
        serial: "01".into(),
    }
}

fn discover(cloud: &mut AosCloud, request: &Request, name: &str) -> (u16, Value) {
    let peer = peer(name);
    let call = HttpCall {
        face: DISCOVERY,
        request,
        peer: Some(&peer),
    };
    let response = cloud.http(NOW, call, &mut Outputs::default());
    let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    (response.status, body)
}

fn upgrade(cloud: &mut AosCloud, name: &str, token: Option<&str>) -> u16 {
    let mut request = Request::new("GET", "/ws/v7/");
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let peer = peer(name);
    let call = HttpCall {
        face: WEBSOCKET,
        request: &request,
        peer: Some(&peer),
    };
    match cloud.upgrade(NOW, call, &mut Outputs::default()) {
        Ok(()) => 101,
        Err(refusal) => refusal.status,
    }
}

fn connect(cloud: &mut AosCloud, connection: u32) -> Vec<Value> {
    let request = Request::new("GET", "/ws/v7/");
    let call = HttpCall {
        face: WEBSOCKET,
        request: &request,
        peer: None,
    };
    let mut out = Outputs::default();
    cloud.websocket_opened(NOW, connection, call, &mut out);
    messages(&out)
}

fn receive(cloud: &mut AosCloud, payload: &[u8]) -> Outputs {
    let mut out = Outputs::default();
    cloud.websocket_message(NOW, 1, 2, payload, &mut out);
    out
}

fn act(cloud: &mut AosCloud, action: &str, with: Value) -> (Map<String, Value>, Outputs) {
    let mut out = Outputs::default();
    let artifacts = |role: &str| {
        Some(Artifact {
            name: "service".into(),
            version: "1.0.0".into(),
            bytes: Arc::from(role.as_bytes()),
        })
    };
    let with = with.as_object().cloned().unwrap_or_default();
    let given = cloud.act(NOW, action, &with, &artifacts, &mut out).unwrap();
    (given, out)
}

/// Every message sent; each must be valid for a unit.
fn messages(out: &Outputs) -> Vec<Value> {
    let payloads = out.sends.iter().filter_map(|send| match send {
        Send::WebSocket {
            payload, opcode: 2, ..
        } => Some(payload),
        _ => None,
    });
    payloads
        .map(|payload| {
            let decoded = decode(payload, Direction::CloudToUnit, Dialect::Seed);
            assert!(decoded.is_valid(), "{:?}", decoded.oddities);
            serde_json::from_slice(payload).unwrap()
        })
        .collect()
}

fn types(messages: &[Value]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message["data"]["messageType"].as_str().unwrap_or_default())
        .collect()
}

fn message(message_type: &str, txn: &str, mut data: Value) -> Vec<u8> {
    data["messageType"] = json!(message_type);
    let header = json!({
        "version": 7,
        "systemId": "hil-unit-0001",
        "createdAt": "2026-03-02T09:15:07.151352Z",
        "txn": txn,
    });
    json!({"header": header, "data": data}).to_string().into_bytes()
}

const TXN: &str = "2c0a4b0e-7f0b-4c3e-9d2b-5a7f6f1f2a90";
const OTHER_TXN: &str = "3c0a4b0e-7f0b-4c3e-9d2b-5a7f6f1f2a90";

fn samples() -> Vec<Value> {
    let text = include_str!("../../../../harness/wire/fixtures/aos-v7/invalid.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn discovery_names_the_websocket_of_the_unit_in_the_certificate() {
    let mut cloud = cloud(json!({}));
    let request = Request::new("POST", "/sd/v7/").json(&json!({"systemId": "hil-unit-0001"}));
    let (status, body) = discover(&mut cloud, &request, "hil-unit-0001");
    assert_eq!(status, 200);
    assert_eq!(body["connectionInfo"], json!(["wss://cloud:1002/ws/v7/"]));
    assert_eq!(body["authToken"], "hil-bearer-token");
    assert_eq!(discover(&mut cloud, &request, "hil-unit-0001-online").0, 200);
    for name in ["hil-unit-0001-offline", "hil-unit-0002", "hil-unit-00011"] {
        assert_eq!(discover(&mut cloud, &request, name).0, 403, "{name}");
    }
    let other = Request::new("POST", "/sd/v7/").json(&json!({"systemId": "hil-unit-0002"}));
    assert_eq!(discover(&mut cloud, &other, "hil-unit-0001").0, 403);
    let without = Request::new("POST", "/sd/v7/").json(&json!({"version": 7}));
    assert_eq!(discover(&mut cloud, &without, "hil-unit-0001").0, 400);
    assert_eq!(
        discover(&mut cloud, &Request::new("GET", "/sd/v7/"), "hil-unit-0001").0,
        405
    );
    assert_eq!(
        discover(&mut cloud, &Request::new("POST", "/sd/v6/"), "hil-unit-0001").0,
        404
    );
}

#[test]
fn an_upgrade_needs_the_right_certificate_and_where_demanded_the_token() {
    let mut open = cloud(json!({}));
    assert_eq!(upgrade(&mut open, "hil-unit-0001", None), 101);
    assert_eq!(upgrade(&mut open, "hil-unit-0001-offline", None), 403);
    let mut strict = cloud(json!({"bearer": true}));
    assert_eq!(upgrade(&mut strict, "hil-unit-0001", None), 401);
    assert_eq!(upgrade(&mut strict, "hil-unit-0001", Some("wrong")), 401);
    assert_eq!(
        upgrade(&mut strict, "hil-unit-0001", Some("hil-bearer-token")),
        101
    );
}

#[test]
fn a_unit_that_runs_already_is_sent_to_discovery_first() {
    let mut cloud = cloud(json!({"unsettled": true}));
    assert_eq!(
        upgrade(&mut cloud, "hil-unit-0001", Some("of an earlier cloud")),
        401
    );
    let request = Request::new("POST", "/sd/v7/").json(&json!({"systemId": "hil-unit-0001"}));
    assert_eq!(discover(&mut cloud, &request, "hil-unit-0001").0, 200);
    assert_eq!(upgrade(&mut cloud, "hil-unit-0001", None), 101);
}

#[test]
fn only_the_part_that_is_meant_is_wrong() {
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    act(
        &mut cloud,
        "blobs",
        json!({"answer": "bad_digest", "part": "layer"}),
    );
    let layer = cloud.add_blob(b"layer".to_vec(), "next", "layer");
    let index = cloud.add_blob(b"index".to_vec(), "next", "index");
    let request = json!({"correlationId": OTHER_TXN, "digests": [layer, index]});
    let answer = messages(&receive(&mut cloud, &message("requestBlobUrls", TXN, request)));
    let urls: Vec<&str> = answer[1]["data"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["urls"][0].as_str())
        .collect();
    let wrong: Vec<bool> = urls.iter().map(|url| url.contains("/wrong/")).collect();
    assert_eq!(wrong, [true, false]);
}

#[test]
fn an_ack_echoes_the_transaction_and_becomes_a_nack_where_a_fault_wants_it() {
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    let out = receive(&mut cloud, &message("monitoringData", TXN, json!({"nodes": []})));
    let sent = messages(&out);
    assert_eq!(types(&sent), ["ack"]);
    assert_eq!(sent[0]["header"]["txn"], TXN);
    let Some(Send::WebSocket {
        payload, operation, ..
    }) = out.sends.first()
    else {
        panic!("no ack");
    };
    assert_eq!(operation.facts["answers"], "monitoringData");
    let nack = cloud.nack_for(operation, payload, Some(3000)).unwrap();
    let nack: Value = serde_json::from_slice(&nack).unwrap();
    assert_eq!(nack["data"], json!({"messageType": "nack", "retryAfter": 3000}));
    assert_eq!(nack["header"]["txn"], TXN);
}

#[test]
fn what_the_unit_has_not_acknowledged_comes_again_after_a_restart_of_the_cloud() {
    let mut first = cloud(json!({}));
    let (given, out) = act(
        &mut first,
        "desire",
        json!({"artifacts": ["next"], "num_instances": 2}),
    );
    let mut documents: BTreeMap<&'static str, Vec<(String, Value)>> = BTreeMap::new();
    for change in out.changes {
        if let super::Change::Put {
            collection,
            key,
            document,
        } = change
        {
            documents.entry(collection).or_default().push((key, document));
        }
    }
    let mut second = cloud(json!({}));
    second.load(documents);
    let sent = connect(&mut second, 1);
    assert_eq!(types(&sent), ["desiredStatus"]);
    assert_eq!(sent[0]["header"]["txn"], given["txn"]);
    let txn = given["txn"].as_str().unwrap();
    receive(&mut second, &message("ack", txn, json!({})));
    assert!(connect(&mut second, 2).is_empty());
    let index = &sent[0]["data"]["items"][0]["indexDigest"];
    let request = json!({"correlationId": OTHER_TXN, "digests": [index]});
    let answer = messages(&receive(&mut second, &message("requestBlobUrls", TXN, request)));
    assert_eq!(types(&answer), ["ack", "blobUrls"]);
    assert_eq!(answer[1]["data"]["items"][0]["digest"], *index);
}

#[test]
fn a_message_that_comes_again_is_acknowledged_again_and_answered_once() {
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    let request = message(
        "requestBlobUrls",
        TXN,
        json!({"correlationId": OTHER_TXN, "digests": []}),
    );
    assert_eq!(
        types(&messages(&receive(&mut cloud, &request))),
        ["ack", "blobUrls"]
    );
    assert_eq!(types(&messages(&receive(&mut cloud, &request))), ["ack"]);
}

#[test]
fn broken_messages_of_the_unit_get_no_ack() {
    for sample in samples() {
        let broken = sample["direction"] == "unit_to_cloud" && sample["class"] == "codec";
        let weighs = |oddity: &Value| oddity["weight"] == "invalid";
        let invalid = sample["expect"]
            .as_array()
            .is_some_and(|list| list.iter().any(weighs));
        if broken && invalid && sample["message"].is_object() {
            let mut cloud = cloud(json!({}));
            connect(&mut cloud, 1);
            let out = receive(&mut cloud, sample["message"].to_string().as_bytes());
            assert!(out.sends.is_empty(), "{}", sample["id"]);
            assert_eq!(out.notes.first().map(|(name, _)| name.as_str()), Some("refused"));
        }
    }
}

#[test]
fn samples_only_a_cloud_can_judge() {
    let mut judged = 0;
    for sample in samples().into_iter().filter(|sample| sample["class"] == "cloud") {
        let mut cloud = cloud(json!({}));
        connect(&mut cloud, 1);
        let out = receive(&mut cloud, sample["message"].to_string().as_bytes());
        let sent = messages(&out);
        let answered = types(&sent);
        match sample["id"].as_str() {
            // systemId differs from the certificate
            Some("INV-106") => assert!(answered.is_empty()),
            // an ack nobody waits for
            Some("INV-109") => assert!(answered.is_empty() && out.changes.is_empty()),
            // well-formed; whether they fit is the monitors' business
            Some("INV-113" | "INV-121" | "INV-124") => assert_eq!(answered, ["ack"]),
            other => panic!("a sample without a test: {other:?}"),
        }
        judged += 1;
    }
    assert_eq!(judged, 5);
}

#[test]
fn blobs_open_with_what_blob_urls_says() {
    use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7};
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha3::Digest;
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    let digest = cloud.add_blob(b"content".to_vec(), "next", "layer");
    let request = json!({"correlationId": OTHER_TXN, "digests": [digest]});
    let answer = messages(&receive(&mut cloud, &message("requestBlobUrls", TXN, request)));
    let info = &answer[1]["data"]["items"][0];
    let path = info["urls"][0]
        .as_str()
        .unwrap()
        .replace("https://cloud:1003", "");
    let get = |cloud: &AosCloud, request: &Request| {
        cloud.download(HttpCall {
            face: super::BLOBS,
            request,
            peer: None,
        })
    };
    let whole = get(&cloud, &Request::new("GET", path.clone()));
    assert_eq!(
        (whole.status, whole.body.len() as u64),
        (200, info["size"].as_u64().unwrap())
    );
    let rest = get(
        &cloud,
        &Request::new("GET", path.clone()).header("Range", "bytes=5-"),
    );
    assert_eq!((rest.status, &rest.body[..]), (206, &whole.body[5..]));
    assert_eq!(
        get(&cloud, &Request::new("GET", path).header("Range", "bytes=99-")).status,
        416
    );
    assert_eq!(get(&cloud, &Request::new("GET", "/b/none")).status, 404);
    let checksum: String = sha3::Sha3_256::digest(&whole.body)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(info["sha256"], checksum);
    let part = |name: &str| {
        STANDARD
            .decode(info["decryptInfo"][name].as_str().unwrap())
            .unwrap()
    };
    let plain = cbc::Decryptor::<aes::Aes256>::new_from_slices(&part("blockKey"), &part("blockIv"))
        .unwrap()
        .decrypt_padded_vec_mut::<Pkcs7>(&whole.body);
    assert_eq!(plain.unwrap(), b"content");
}

#[test]
fn certificates_are_issued_for_the_key_that_asks() {
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    let csr = hil_link::pki::CertificateRequest::new(&"whoever".into()).unwrap();
    let request =
        json!({"requests": [{"type": "online", "node": {"codename": "main-node"}, "csr": csr.request}]});
    let out = receive(&mut cloud, &message("issueUnitCertificates", TXN, request));
    let sent = messages(&out);
    assert_eq!(types(&sent), ["ack", "issuedUnitCertificates"]);
    let chain = sent[1]["data"]["certificates"][0]["certificateChain"]
        .as_str()
        .unwrap();
    let identity = hil_link::pki::Identity {
        certificate_chain: chain.to_owned(),
        private_key: csr.private_key,
    };
    let facts = identity.facts().unwrap();
    assert_eq!(facts.common_name, "hil-unit-0001");
    assert_eq!(out.notes[0].1["serial"], facts.serial);
}

#[test]
fn a_rejected_state_is_answered_in_the_publisher_dialect() {
    let mut cloud = cloud(json!({"dialect": "publisher"}));
    connect(&mut cloud, 1);
    act(
        &mut cloud,
        "answer_state",
        json!({"result": "rejected", "reason": "no"}),
    );
    let checksum = state_checksum("x");
    let state = json!({"item": {"id": "a"}, "subject": {"id": "b"}, "instance": 0, "stateChecksum": checksum, "state": "x"});
    let out = receive(&mut cloud, &message("newState", TXN, state));
    assert_eq!(out.sends.len(), 2);
    let Some(Send::WebSocket { payload, .. }) = out.sends.last() else {
        panic!("no answer");
    };
    let decoded = decode(payload, Direction::CloudToUnit, Dialect::Publisher);
    assert!(decoded.is_valid(), "{:?}", decoded.oddities);
    let answer: Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(
        (&answer["data"]["result"], &answer["data"]["checksum"]),
        (&json!("rejected"), &json!(checksum))
    );
}

fn woken(cloud: &mut AosCloud, seconds: u64) -> Outputs {
    let mut out = Outputs::default();
    let now = Now {
        stamp: Stamp(seconds * 1_000_000),
        ..NOW
    };
    cloud.wake(now, &mut out);
    out
}

#[test]
fn without_an_ack_the_connection_is_given_up_and_the_message_comes_on_the_next() {
    let mut cloud = cloud(json!({"ack_timeout": 5}));
    connect(&mut cloud, 1);
    act(&mut cloud, "request_log", json!({"log_type": "systemLog"}));
    assert_eq!(cloud.next_wake(), Some(Stamp(5_000_000)));
    let out = woken(&mut cloud, 5);
    let closes = matches!(
        out.sends[..],
        [Send::CloseWebSocket {
            connection: 1,
            code: 1001
        }]
    );
    assert!(closes, "{:?}", out.sends);
    assert_eq!(cloud.next_wake(), None);
    assert_eq!(types(&connect(&mut cloud, 2)), ["requestLog"]);
}

#[test]
fn a_connection_the_unit_leaves_open_is_closed_a_little_later() {
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    connect(&mut cloud, 2);
    assert_eq!(cloud.next_wake(), Some(Stamp(3_000_000)));
    assert!(woken(&mut cloud, 2).sends.is_empty());
    let out = woken(&mut cloud, 3);
    let closes = matches!(
        out.sends[..],
        [Send::CloseWebSocket {
            connection: 1,
            code: 1000
        }]
    );
    assert!(closes, "{:?}", out.sends);
    connect(&mut cloud, 3);
    cloud.connection_closed(NOW, 2, &mut Outputs::default());
    assert_eq!(cloud.next_wake(), None);
}

#[test]
fn the_publisher_dialect_repeats_three_times_before_that() {
    let mut cloud = cloud(json!({"ack_timeout": 5, "dialect": "publisher"}));
    connect(&mut cloud, 1);
    act(&mut cloud, "request_log", json!({"log_type": "systemLog"}));
    for round in 1..=3 {
        let out = woken(&mut cloud, 5 * round);
        assert!(
            matches!(out.sends[..], [Send::WebSocket { .. }]),
            "{:?}",
            out.sends
        );
    }
    let out = woken(&mut cloud, 20);
    assert!(
        matches!(out.sends[..], [Send::CloseWebSocket { .. }]),
        "{:?}",
        out.sends
    );
}

#[test]
fn requests_go_to_the_nodes_the_unit_reported() {
    let mut cloud = cloud(json!({}));
    connect(&mut cloud, 1);
    let node = |name: &str, main: &str| {
        json!({
            "identity": {"codename": name}, "nodeGroupSubject": {"codename": "t"}, "maxDmips": 1, "totalRam": 1,
            "osInfo": {"os": "linux"}, "state": "provisioned", "isConnected": true, "attrs": {"MainNode": main},
        })
    };
    let nodes = json!([node("edge", "false"), node("brain", "true")]);
    let status = json!({"isDeltaInfo": false, "unitConfig": [], "nodes": nodes, "items": [], "instances": [], "subjects": []});
    receive(&mut cloud, &message("unitStatus", TXN, status));
    let (_, out) = act(&mut cloud, "request_log", json!({"log_type": "systemLog"}));
    let asked = messages(&out);
    assert_eq!(
        asked[0]["data"]["filter"]["nodeIds"],
        json!([{"codename": "brain"}])
    );
    let (given, _) = act(&mut cloud, "start_provisioning", json!({}));
    assert_eq!(given["node"], "edge");
}
