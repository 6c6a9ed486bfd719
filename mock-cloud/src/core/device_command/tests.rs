//! The samples against the core, and the life of a command.

use super::*;
use crate::core::Send;
use hil_trace::Stamp;
use hil_wire::{Protocol, http::Headers, timestamp::parse_millis};

fn cloud(options: Value) -> DeviceCommandCloud {
    let settings = CloudSettings {
        protocol: Protocol::DeviceCommand,
        bind: "cloud".into(),
        advertised_host: "cloud".into(),
        ports: BTreeMap::new(),
        public_url: None,
        unit_id: "BCGMCU_001".into(),
        unit_key: "dev_test_0123456789abcdef".into(),
        admin_token: "iss_test_0123456789abcdef".into(),
        publish_token: String::new(),
        options: options.as_object().cloned().unwrap(),
        seed: 1,
    };
    let origins = Origins {
        firmware: "http://cloud:2".into(),
        diagnostics: ["http://cloud:3".into(), "http://cloud:4".into()],
    };
    DeviceCommandCloud::new(settings, origins)
}

fn sample_cloud() -> DeviceCommandCloud {
    cloud(json!({"hmac_key": samples()["constants"]["hmac_key_text"]}))
}

fn samples() -> Value {
    serde_json::from_str(include_str!(
        "../../../../harness/wire/fixtures/device-command/samples.json"
    ))
    .unwrap()
}

fn at(time: &str) -> Now {
    Now {
        stamp: Stamp(0),
        unix_ms: parse_millis(time).unwrap(),
    }
}

fn noon() -> Now {
    at("2025-01-27T10:30:00.000Z")
}

fn call(cloud: &mut DeviceCommandCloud, now: Now, request: &Request) -> Response {
    let call = HttpCall {
        face: API,
        request,
        peer: None,
    };
    cloud.http(now, call, &mut Outputs::default())
}

fn request(sample: &Value) -> Option<Request> {
    let given = sample.get("request")?;
    let mut request = Request::new(given["method"].as_str()?, given["path"].as_str()?);
    for (name, value) in given["headers"].as_object()? {
        request.headers.push(name, value.as_str()?);
    }
    request.body = match (given.get("body_text"), given.get("body")) {
        (Some(text), _) => text.as_str()?.as_bytes().to_vec(),
        (None, Some(body)) => body.to_string().into_bytes(),
        (None, None) => Vec::new(),
    };
    Some(request)
}

fn sample(id: &str) -> Value {
    let all = samples();
    let find = |group: &str| {
        let group = all[group].as_array().unwrap().clone();
        group.into_iter().find(|sample| sample["id"] == id)
    };
    find("valid").or_else(|| find("invalid")).unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn report(cloud: &mut DeviceCommandCloud, id: &str, status: &str) -> Response {
    let request = Request::new("POST", "/api/v1/device/command/status")
        .header("Authorization", "Bearer dev_test_0123456789abcdef")
        .json(&json!({"command_id": id, "status": status, "timestamp": "2025-01-27T10:30:01.000Z"}));
    call(cloud, noon(), &request)
}

fn fetch(cloud: &mut DeviceCommandCloud, now: Now) -> Value {
    let request = Request::new("GET", "/api/v1/device/command/BCGMCU_001")
        .header("Authorization", "Bearer dev_test_0123456789abcdef");
    let response = call(cloud, now, &request);
    assert_eq!(response.status, 200);
    body(&response)["commands"].clone()
}

#[test]
fn every_refused_sample_gets_the_expected_answer() {
    let mut seen = 0;
    for sample in samples()["invalid"].as_array().unwrap() {
        let id = sample["id"].as_str().unwrap();
        let (Some(request), Some(status)) = (request(sample), sample["expected"]["status"].as_u64()) else {
            continue;
        };
        let mut cloud = sample_cloud();
        for earlier in ["DC-V01", "DC-V06"] {
            let issued = request_of(earlier);
            assert_eq!(call(&mut cloud, noon(), &issued).status, 200, "{earlier}");
        }
        match id {
            "DC-X38" => {
                report(&mut cloud, "cmd_fw_001", "executing");
                report(&mut cloud, "cmd_fw_001", "failed");
            }
            "DC-X45" => {
                report(&mut cloud, "cmd_reset_001", "completed");
            }
            _ => {}
        }
        let response = call(&mut cloud, noon(), &request);
        let answer = body(&response);
        assert_eq!(u64::from(response.status), status, "{id}: {answer}");
        for (name, value) in sample["expected"].as_object().unwrap() {
            if name != "status" {
                assert_eq!(answer.get(name), Some(value), "{id}: {answer}");
            }
        }
        assert!(response.headers.get("X-Commands-Pending").is_some(), "{id}");
        seen += 1;
    }
    assert!(seen >= 44, "{seen}");
}

fn request_of(id: &str) -> Request {
    request(&sample(id)).unwrap()
}

#[test]
fn every_issued_sample_gets_its_answer() {
    for index in 1..=11 {
        let id = format!("DC-V{index:02}");
        let mut cloud = sample_cloud();
        let response = call(&mut cloud, noon(), &request_of(&id));
        assert_eq!(response.status, 200, "{id}");
        assert_eq!(body(&response), sample(&id)["response"]["body"], "{id}");
        let again = call(&mut cloud, noon(), &request_of(&id));
        assert_eq!(body(&again), body(&response), "{id} again");
    }
    let response = call(&mut sample_cloud(), noon(), &request_of("DC-V41"));
    assert_eq!(
        (response.status, body(&response)),
        (400, sample("DC-V41")["response"]["body"].clone())
    );
}

#[test]
fn a_command_is_listed_until_a_terminal_status_is_stored() {
    let mut cloud = sample_cloud();
    assert_eq!(call(&mut cloud, noon(), &request_of("DC-V11")).status, 200);
    let listed = fetch(&mut cloud, at("2025-01-27T10:30:08.300Z"));
    let given = listed[0].as_object().unwrap();
    let delay = given["execution_delay"].as_u64().unwrap();
    assert_eq!(given["delay_remaining"].as_u64().unwrap(), delay - 8);
    assert_eq!(given["issued_at"], "2025-01-27T10:30:00.000Z");
    let id = given["command_id"].as_str().unwrap().to_owned();
    let executing = body(&report(&mut cloud, &id, "executing"));
    assert_eq!(
        (
            executing["accepted"].clone(),
            executing["commands_pending"].clone()
        ),
        (json!(true), json!(true))
    );
    assert_eq!(fetch(&mut cloud, noon()).as_array().unwrap().len(), 1);
    assert_eq!(
        body(&report(&mut cloud, &id, "completed"))["commands_pending"],
        false
    );
    assert_eq!(body(&report(&mut cloud, &id, "completed"))["duplicate"], true);
    assert_eq!(report(&mut cloud, &id, "executing").status, 409);
    assert_eq!(fetch(&mut cloud, noon()), json!([]));
    let mut out = Outputs::default();
    let with = json!({"id": id});
    cloud
        .act(
            noon(),
            "redeliver",
            with.as_object().unwrap(),
            &|_| None,
            &mut out,
        )
        .unwrap();
    assert_eq!(fetch(&mut cloud, noon()).as_array().unwrap().len(), 1);
    assert_eq!(fetch(&mut cloud, noon()), json!([]));
}

#[test]
fn an_exclusive_command_and_a_full_queue_are_busy() {
    let mut cloud = sample_cloud();
    call(&mut cloud, noon(), &request_of("DC-V06"));
    report(&mut cloud, "cmd_fw_001", "executing");
    let busy = call(&mut cloud, noon(), &request_of("DC-V42"));
    let answer = body(&busy);
    assert_eq!(
        (
            busy.status,
            answer["code"].as_str(),
            answer["current_command"].as_str()
        ),
        (409, Some("device_busy"), Some("firmware_update"))
    );
    let mut cloud = sample_cloud();
    let mut out = Outputs::default();
    let with = json!({"type": "storage_cleanup", "count": 8});
    cloud
        .act(noon(), "issue", with.as_object().unwrap(), &|_| None, &mut out)
        .unwrap();
    assert_eq!(call(&mut cloud, noon(), &request_of("DC-V01")).status, 409);
    assert_eq!(fetch(&mut cloud, noon()).as_array().unwrap().len(), 8);
}

#[test]
fn tokens_sizes_and_types_are_checked() {
    let mut cloud = sample_cloud();
    let mut request = request_of("DC-V01");
    request.headers = Headers::new()
        .with("Authorization", "Bearer dev_test_0123456789abcdef")
        .with("Content-Type", "application/json");
    let refused = call(&mut cloud, noon(), &request);
    assert_eq!(
        (refused.status, body(&refused)["code"].clone()),
        (403, json!("forbidden_device"))
    );
    let mut request = request_of("DC-V01");
    request.headers.0.retain(|(name, _)| name != "Content-Type");
    assert_eq!(call(&mut cloud, noon(), &request).status, 415);
    let mut request = request_of("DC-V01");
    request.body.resize(16 * 1024 + 1, b' ');
    assert_eq!(call(&mut cloud, noon(), &request).status, 413);
    request.body.truncate(16 * 1024);
    assert_eq!(call(&mut cloud, noon(), &request).status, 200);
    let other = Request::new("GET", "/api/v1/device/command/OTHER")
        .header("Authorization", "Bearer dev_test_0123456789abcdef");
    assert_eq!(call(&mut cloud, noon(), &other).status, 403);
}

#[test]
fn exports_are_taken_once_and_checked() {
    for (issued, uploaded, id) in [
        ("DC-V07", "DC-V39", "cmd_export_001"),
        ("DC-V08", "DC-V40", "cmd_export_002"),
    ] {
        let mut cloud = sample_cloud();
        let mut request = request_of(uploaded);
        assert_eq!(call(&mut cloud, noon(), &request).status, 404);
        assert_eq!(call(&mut cloud, noon(), &request_of(issued)).status, 200);
        let response = call(&mut cloud, noon(), &request);
        assert_eq!(
            (response.status, body(&response)),
            (201, sample(uploaded)["response"]["body"].clone()),
            "{id}"
        );
        assert_eq!(call(&mut cloud, noon(), &request).status, 200);
        request.body.push(b'\n');
        let refused = call(&mut cloud, noon(), &request);
        assert_eq!(
            (refused.status, body(&refused)["code"].clone()),
            (422, json!("checksum_mismatch"))
        );
    }
}

#[test]
fn direct_mode_calls_the_unit_and_lists_nothing() {
    let mut cloud = cloud(json!({"mode": "direct"}));
    let mut out = Outputs::default();
    let with = json!({"type": "system_restart", "parameters": {"preserve_config": false}});
    let given = cloud
        .act(noon(), "issue", with.as_object().unwrap(), &|_| None, &mut out)
        .unwrap();
    let [
        Send::Call {
            call, face, request, ..
        },
    ] = &out.sends[..]
    else {
        panic!("{:?}", out.sends)
    };
    assert_eq!(
        (face.as_str(), request.target.as_str()),
        ("device-direct", "/api/v1/device/command/BCGMCU_001")
    );
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert!(
        sent["command"]["signature"]
            .as_str()
            .unwrap()
            .starts_with("hmac-sha256:")
    );
    assert_eq!(fetch(&mut cloud, noon()), json!([]));
    cloud.answered(noon(), *call, Ok(Response::new(409)), &mut Outputs::default());
    assert_eq!(
        report(&mut cloud, given["id"].as_str().unwrap(), "executing").status,
        404
    );
}

#[test]
fn each_origin_serves_its_own_images_and_endpoints() {
    let mut cloud = sample_cloud();
    let artifact = Artifact {
        name: "fw".into(),
        version: "1.1.0".into(),
        bytes: std::sync::Arc::from(&b"image"[..]),
    };
    let mut out = Outputs::default();
    let with = json!({"artifact": "next"});
    let given = cloud
        .act(
            noon(),
            "update",
            with.as_object().unwrap(),
            &|_| Some(artifact.clone()),
            &mut out,
        )
        .unwrap();
    let path = given["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://cloud:2")
        .to_owned();
    let get = |cloud: &mut DeviceCommandCloud, face: &str, path: &str| {
        let request = Request::new("GET", path);
        let call = HttpCall {
            face,
            request: &request,
            peer: None,
        };
        cloud.http(noon(), call, &mut Outputs::default())
    };
    assert_eq!(get(&mut cloud, FIRMWARE_HOST, &path).body, b"image");
    assert_eq!(get(&mut cloud, DIAGNOSTICS_HOST, &path).status, 404);
    assert_eq!(get(&mut cloud, FIRMWARE_HOST, "/firmware/none.bin").status, 404);
    let with = json!({"count": 2, "status": 503, "length": 100});
    let given = cloud
        .act(
            noon(),
            "test_endpoints",
            with.as_object().unwrap(),
            &|_| None,
            &mut out,
        )
        .unwrap();
    let url = given["urls"][1].as_str().unwrap();
    assert_eq!(url.len(), 100);
    let path = url.trim_start_matches("http://cloud:4");
    assert_eq!(get(&mut cloud, SECOND_DIAGNOSTICS_HOST, path).status, 503);
    assert_eq!(get(&mut cloud, DIAGNOSTICS_HOST, path).status, 404);
}
