//! The recorded exchanges, faults and bodies of the reference that a client decides, replayed to the simulated one.

use super::tests::*;
use crate::{HttpCall, RequestId, testing::Desk};
use hil_wire::{
    http::Response,
    sota::{Event, core::TokenAnswer},
};
use serde_json::{Value, json};

#[test]
fn recorded_faults_have_their_recorded_outcome() {
    let faults: Vec<Value> = serde_json::from_str(FAULTS).unwrap();
    assert!(faults.iter().all(|case| case["class"] == "unit"));
    for case in &faults {
        let name = case["name"].as_str().unwrap();
        let mut desk = desk(json!({"polling": false, "system_info": false}));
        let asked = case["exchange"].as_str().unwrap();
        if asked != "token" {
            token(&mut desk);
        }
        command(&mut desk, 1, &command_for(asked));
        let (request, _) = desk.next_request();
        fault(&mut desk, request, case);
        let (status, event) = answer(&mut desk, 1);
        let event = event.unwrap_or_else(|| panic!("{name}: no event"));
        assert_eq!(
            (status, event.name()),
            (200, case["event"].as_str().unwrap()),
            "{name}"
        );
        if let Event::Error(text) | Event::DownloadFailed(_, text) = &event {
            assert!(!text.is_empty(), "{name}");
        }
        if let Some(code) = case["report_code"].as_u64() {
            let (_, call) = reported(&mut desk);
            assert_eq!(body(&call)[0]["result_code"], code, "{name}");
        }
    }
}

#[test]
fn recorded_uploads_are_made_as_recorded() {
    let exchanges: Vec<Value> = serde_json::from_str(EXCHANGES).unwrap();
    let uploads = exchanges.iter().filter(|case| case["class"] == "unit");
    for case in uploads.clone() {
        let name = case["name"].as_str().unwrap();
        let sent = case["request_body"].as_str().unwrap();
        let mut desk = desk_that_says(
            sent,
            json!({"polling": false, "system_info": name == "system_info"}),
        );
        token(&mut desk);
        if name != "system_info" {
            command(&mut desk, 1, &upload_of(name, sent));
        }
        let (request, call) = desk.next_request();
        assert_eq!(call.request.method, case["method"].as_str().unwrap(), "{name}");
        let path = case["path"].as_str().unwrap().replace(DEVICE, "dev");
        assert_eq!(call.url, format!("http://core{path}"), "{name}");
        match name {
            // Verbatim: it is no JSON to the client.
            "system_info" => assert_eq!(call.request.body, sent.as_bytes(), "{name}"),
            _ => assert_eq!(
                body(&call),
                serde_json::from_str::<Value>(sent).unwrap(),
                "{name}"
            ),
        }
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        desk.answer(request, Response::new(status));
        if name != "system_info" {
            let event = answer(&mut desk, 1).1.unwrap();
            assert!(event.name().ends_with("Sent"), "{name}: {}", event.name());
        }
    }
    assert_eq!(uploads.count(), 3);
}

#[test]
fn bodies_left_to_the_client_are_taken_or_rejected_whole() {
    let cases: Vec<Value> = serde_json::from_str(LEFT_TO_THE_CLIENT).unwrap();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let sent = case["body"].as_str().unwrap();
        let mut desk = desk(json!({"polling": false, "system_info": false}));
        token(&mut desk);
        command(&mut desk, 1, sent);
        if case["weight"] == "invalid" {
            assert_eq!(answer(&mut desk, 1).0, 400, "{name}");
            continue;
        }
        let (request, call) = desk.next_request();
        let told: Value = serde_json::from_str(sent).unwrap();
        match told["variant"].as_str().unwrap() {
            "SendInstalledPackages" => {
                assert_eq!(body(&call), json!([{"name": "a", "version": "1"}]), "{name}");
            }
            _ => assert!(call.url.ends_with("/download"), "{name}: {}", call.url),
        }
        desk.answer(request, Response::new(200));
        assert_eq!(answer(&mut desk, 1).0, 200, "{name}");
    }
}

/// The command that leads to an exchange.
fn command_for(exchange: &str) -> String {
    let value = match exchange {
        "token" => json!({"variant": "Authenticate", "fields": [null]}),
        "updates" => json!("GetUpdateRequests"),
        "download" => json!({"variant": "StartDownload", "fields": [ID]}),
        "report" => json!({"variant": "SendUpdateReport", "fields": [{
            "update_id": ID, "operation_results": [{"id": ID, "result_code": "OK", "result_text": ""}],
        }]}),
        "installed" => json!({"variant": "SendInstalledPackages", "fields": [[]]}),
        other => panic!("no exchange {other}"),
    };
    value.to_string()
}

/// The command that uploads a recorded body.
fn upload_of(name: &str, sent: &str) -> String {
    let mut members: Value = serde_json::from_str(sent).unwrap();
    if name == "installed" {
        return json!({"variant": "SendInstalledPackages", "fields": [members]}).to_string();
    }
    for result in members.as_array_mut().into_iter().flatten() {
        // Commands carry names where uploads carry numbers.
        let code = result["result_code"]
            .as_u64()
            .and_then(hil_wire::sota::ResultCode::from_number);
        result["result_code"] = json!(code.unwrap().name());
    }
    json!({"variant": "SendUpdateReport", "fields": [{"update_id": ID, "operation_results": members}]})
        .to_string()
}

/// The fault of a case; a token call that came first for the client's own start is answered the same.
fn fault(desk: &mut Desk, request: RequestId, case: &Value) {
    let mut response = Response::new(u16::try_from(case["status"].as_u64().unwrap()).unwrap());
    response.body = case["response_body"]
        .as_str()
        .unwrap_or_default()
        .as_bytes()
        .to_vec();
    if case["content_length_beyond_body"].is_u64() {
        // The connection ends before the announced length.
        desk.fail(request);
        return;
    }
    desk.answer(request, response.clone());
    if case["exchange"] == "token" {
        let (again, _) = desk.next_request();
        desk.answer(again, response);
    }
}

/// The report of a failed download.
fn reported(desk: &mut Desk) -> (RequestId, HttpCall) {
    let (request, call) = desk.next_request();
    if call.url.ends_with("/token") {
        let token = TokenAnswer::for_device("t", "dev", 60).to_value();
        desk.answer(request, Response::json(200, &token));
        return desk.next_request();
    }
    (request, call)
}

fn body(call: &HttpCall) -> Value {
    serde_json::from_slice(&call.request.body).unwrap()
}

const DEVICE: &str = "123e4567-e89b-12d3-a456-426655440000";
const FAULTS: &str = include_str!("../../../../harness/wire/fixtures/sota/faults.json");
const EXCHANGES: &str = include_str!("../../../../harness/wire/fixtures/sota/exchanges.json");
const LEFT_TO_THE_CLIENT: &str =
    include_str!("../../../../harness/wire/fixtures/sota/implementation_defined.json");
