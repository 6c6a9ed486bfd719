//! The device on a desk: what it does with deliveries, power cuts and images.

use super::DeviceCommandKind;
use crate::{Behaviour, ExchangeId, HttpCall, Image, Input, Output, RequestId, Setup, testing::Desk};
use hil_wire::{
    device_command::{CommandObject, Signature, signing_input},
    digest::sha256_tagged,
    http::{Headers, Request, Response},
};
use serde_json::{Value, json};
use std::time::Duration;

const KEY: &str = "key";
const ISSUED: &str = "2026-03-02T09:00:00.000Z";

fn desk(mode: &str) -> Desk {
    let mut setup = Setup::default();
    for (name, value) in [
        ("base_url", "http://cloud"),
        ("device_id", "D1"),
        ("device_token", "token"),
        ("issuer_token", "issuer"),
        ("hmac_key", KEY),
        ("mode", mode),
    ] {
        setup.endpoints.set(name, value);
    }
    Desk::new(&DeviceCommandKind, setup)
}

fn listed(mut commands: Vec<Value>) -> Response {
    for command in &mut commands {
        let read = CommandObject::read(command, "", &mut Vec::new());
        if let Some(read) = read.filter(|_| command["type"] == "firmware_update") {
            let input = signing_input("D1", ISSUED, &read);
            command["signature"] = json!(Signature::hmac(KEY.as_bytes(), &input).to_string());
        }
        command["issued_at"] = json!(ISSUED);
        if command.get("delay_remaining").is_none() {
            command["delay_remaining"] = command.get("execution_delay").cloned().unwrap_or(json!(0));
        }
    }
    Response::json(200, &json!({"commands": commands, "server_time": ISSUED}))
}

fn accepted() -> Response {
    Response::json(
        200,
        &json!({"accepted": true, "commands_pending": false, "server_time": ISSUED}),
    )
}

/// Plays the cloud for a while: fetches get the commands once, statuses are taken. Returns the statuses.
fn play(desk: &mut Desk, commands: Vec<Value>, span: u64) -> Vec<String> {
    let end = desk.seconds() + span as f64;
    let mut commands = Some(commands);
    let mut statuses = Vec::new();
    while let Some((request, call)) = take(desk, end) {
        let response = if call.request.method == "GET" && call.url.contains("/device/command/") {
            listed(commands.take().unwrap_or_default())
        } else if call.url.ends_with("/status") {
            let body: Value = serde_json::from_slice(&call.request.body).unwrap();
            let text = |name: &str| body[name].as_str().unwrap_or("").to_owned();
            statuses.push(
                format!("{} {} {}", text("command_id"), text("status"), text("details"))
                    .trim()
                    .to_owned(),
            );
            accepted()
        } else {
            Response::new(404)
        };
        desk.answer(request, response);
    }
    statuses
}

fn take(desk: &mut Desk, end: f64) -> Option<(RequestId, HttpCall)> {
    loop {
        while let Some(output) = desk.outputs.pop_front() {
            if let Output::Http(request, call) = output {
                return Some((request, *call));
            }
        }
        if desk.seconds() >= end {
            return None;
        }
        desk.advance(Duration::from_millis(100));
    }
}

fn image(version: &str, behaviour: Behaviour) -> Vec<u8> {
    Image::new("firmware", "hil-device", version)
        .behaving(behaviour)
        .render(2000)
}

fn update(id: &str, version: &str, bytes: &[u8]) -> Value {
    json!({"type": "firmware_update", "command_id": id, "parameters": {
        "firmware_url": "http://host/fw", "version": version, "checksum": sha256_tagged(bytes)}})
}

/// Plays the cloud and the firmware host until the device restarts or the time is over.
fn play_update(desk: &mut Desk, command: Value, bytes: &[u8], span: u64) -> (Vec<String>, bool) {
    let end = desk.seconds() + span as f64;
    let mut commands = Some(vec![command]);
    let mut statuses = Vec::new();
    while desk.seconds() < end {
        match desk.outputs.pop_front() {
            None => desk.advance(Duration::from_millis(100)),
            Some(Output::Reboot(_)) => return (statuses, true),
            Some(Output::Http(request, call)) if call.streamed => {
                let headers = Headers::new().with("Content-Length", bytes.len().to_string());
                desk.input(Input::HttpHead {
                    request,
                    status: 200,
                    headers,
                });
                desk.input(Input::HttpChunk {
                    request,
                    bytes: bytes.to_vec().into(),
                });
                desk.input(Input::HttpEnd { request });
            }
            Some(Output::Http(request, call)) if call.url.ends_with("/status") => {
                let body: Value = serde_json::from_slice(&call.request.body).unwrap();
                statuses.push(body["details"].as_str().unwrap_or("").to_owned());
                desk.answer(request, accepted());
            }
            Some(Output::Http(request, _)) => {
                desk.answer(request, listed(commands.take().unwrap_or_default()))
            }
            Some(_) => {}
        }
    }
    (statuses, false)
}

#[test]
fn samples_for_units_get_their_reaction() {
    let samples: Value = serde_json::from_str(include_str!(
        "../../../../harness/wire/fixtures/device-command/samples.json"
    ))
    .unwrap();
    let find = |id: &str| {
        let all = samples["invalid"].as_array().unwrap();
        all.iter().find(|sample| sample["id"] == id).unwrap()["response"]["body"]["commands"][0].clone()
    };
    let mut unit = desk("relay");
    assert_eq!(
        play(&mut unit, vec![find("DC-X48")], 5),
        ["cmd_x_001 failed Unsupported command type"]
    );
    let reset = find("DC-X49");
    let first = play(&mut unit, vec![reset.clone()], 60);
    assert_eq!(first, ["cmd_reset_001 executing", "cmd_reset_001 completed"]);
    assert_eq!(
        play(&mut unit, vec![reset.clone()], 40),
        ["cmd_reset_001 completed"]
    );
    unit.boot();
    assert_eq!(play(&mut unit, vec![reset], 40), ["cmd_reset_001 completed"]);
    assert_eq!(unit.probe("module_resets", json!({})), 1);
    assert_eq!(unit.probe("executions", json!({"id": "cmd_reset_001"})), 1);
}

#[test]
fn commands_start_by_due_time_one_at_a_time() {
    let mut unit = desk("relay");
    let clean = |id: &str, delay: u64| json!({"type": "storage_cleanup", "command_id": id, "execution_delay": delay, "parameters": {}});
    let statuses = play(&mut unit, vec![clean("a", 20), clean("b", 0), clean("c", 10)], 60);
    let heads: Vec<&str> = statuses.iter().map(|s| &s[..8]).collect();
    assert_eq!(
        heads,
        [
            "b execut", "b comple", "c execut", "c comple", "a execut", "a comple"
        ]
    );
}

#[test]
fn queued_commands_and_statuses_survive_power_cuts() {
    let mut unit = desk("relay");
    let command = json!({"type": "system_restart", "command_id": "r", "parameters": {"restart_delay": 3}});
    let later = json!({"type": "storage_cleanup", "command_id": "l", "execution_delay": 100});
    let (fetch, _) = unit.next_request();
    unit.answer(fetch, listed(vec![later, command]));
    let (status, call) = unit.next_request();
    assert!(String::from_utf8_lossy(&call.request.body).contains("executing"));
    unit.fail(status);
    unit.boot();
    let statuses = play(&mut unit, vec![], 150);
    assert_eq!(
        statuses,
        [
            "r executing",
            "r failed Interrupted by restart",
            "l executing Cleaning up storage...",
            "l completed Cleaned 0 files, freed 0 bytes"
        ]
    );
    assert_eq!(unit.probe("unsent_statuses", json!({})), 0);
}

#[test]
fn a_restart_is_promised_first_and_happens_once() {
    let mut unit = desk("relay");
    let command = json!({"type": "system_restart", "command_id": "r", "parameters": {"restart_delay": 3}});
    let (fetch, _) = unit.next_request();
    unit.answer(fetch, listed(vec![command.clone()]));
    for expected in ["executing", "Restarting in 3 seconds"] {
        let (status, call) = unit.next_request();
        assert!(String::from_utf8_lossy(&call.request.body).contains(expected));
        unit.answer(status, accepted());
    }
    let before = unit.seconds();
    while !unit
        .outputs
        .iter()
        .any(|output| matches!(output, Output::Reboot(_)))
    {
        unit.advance(Duration::from_millis(100));
    }
    assert!((2.9..4.0).contains(&(unit.seconds() - before)));
    unit.boot();
    assert_eq!(
        play(&mut unit, vec![command], 60),
        ["r completed Restarting in 3 seconds"]
    );
}

#[test]
fn a_good_image_confirms_itself_before_completed() {
    let mut unit = desk("relay");
    let bytes = image("1.1.0", Behaviour::Healthy);
    let (statuses, restarted) = play_update(&mut unit, update("u", "1.1.0", &bytes), &bytes, 60);
    assert_eq!(
        statuses,
        [
            "Downloading firmware...",
            "Verifying firmware",
            "Installing firmware"
        ]
    );
    assert!(restarted);
    assert_eq!(unit.probe("version", json!({})), "1.0.0");
    unit.boot();
    assert_eq!(unit.probe("version", json!({})), "1.1.0");
    let statuses = play(&mut unit, vec![], 30);
    assert_eq!(statuses.last().unwrap(), "u completed Firmware updated to 1.1.0");
    unit.boot();
    assert_eq!(unit.probe("version", json!({})), "1.1.0");
    let again = update("v", "1.2.0", &bytes);
    assert_eq!(
        play(&mut unit, vec![again], 30),
        ["v failed Firmware update rate limited"]
    );
}

#[test]
fn bad_images_never_run_or_are_rolled_back() {
    let bytes = image("1.1.0", Behaviour::Healthy);
    for (told, version, details) in [
        (&b"other"[..], "1.1.0", "Checksum mismatch"),
        (&bytes[..], "1.1.1", "Update write failed"),
        (&bytes[..], "1.0.0", "Version not newer"),
    ] {
        let mut unit = desk("relay");
        let (statuses, restarted) = play_update(&mut unit, update("u", version, told), &bytes, 60);
        assert_eq!((statuses.last().unwrap().as_str(), restarted), (details, false));
    }
    for behaviour in [Behaviour::Crash, Behaviour::Mute, Behaviour::Hang] {
        let mut unit = desk("relay");
        let bytes = image("1.1.0", behaviour);
        let (_, restarted) = play_update(&mut unit, update("u", "1.1.0", &bytes), &bytes, 60);
        assert!(restarted);
        unit.boot();
        while !unit
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Reboot(_)))
        {
            unit.advance(Duration::from_secs(1));
        }
        unit.boot();
        assert_eq!(
            play(&mut unit, vec![], 30).last().unwrap(),
            "u failed Rolled back to 1.0.0"
        );
    }
}

#[test]
fn a_silent_module_fails_the_reset_in_time() {
    for (behaviour, status) in [("silent", "failed"), ("deaf", "failed"), ("well", "completed")] {
        let mut unit = desk("relay");
        let mut module = super::module::Module::load(&unit.hardware.flash);
        module.behaviour = match behaviour {
            "silent" => super::module::Behaviour::Silent,
            "deaf" => super::module::Behaviour::Deaf,
            _ => super::module::Behaviour::Well,
        };
        module.save(&mut unit.hardware.flash);
        let command =
            json!({"type": "bcgmcu_reset", "command_id": "m", "parameters": {"reset_type": "hard"}});
        let statuses = play(&mut unit, vec![command], 10);
        assert!(
            statuses.last().unwrap().starts_with(&format!("m {status}")),
            "{behaviour}: {statuses:?}"
        );
        assert_eq!(unit.probe("calibration", json!({})), "calibrated");
    }
}

#[test]
fn direct_mode_answers_in_the_order_of_the_reference() {
    let mut unit = desk("direct");
    let mut number = 0;
    let mut post = |unit: &mut Desk, token: &str, body: Value| {
        number += 1;
        let request = Request::new("POST", "/api/v1/device/command/D1")
            .header("Authorization", format!("Bearer {token}"))
            .json(&body);
        unit.input(Input::ServerRequest {
            exchange: ExchangeId(number),
            face: "device-direct".into(),
            request,
        });
        let position = unit
            .outputs
            .iter()
            .position(|o| matches!(o, Output::Answer(..)))
            .unwrap();
        let Some(Output::Answer(_, response)) = unit.outputs.remove(position) else {
            unreachable!()
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        (response.status, body)
    };
    let issue = |kind: &str, id: &str, parameters: Value| {
        json!({"device_id": "D1", "timestamp": ISSUED,
            "command": {"type": kind, "command_id": id, "parameters": parameters}})
    };
    let restart = issue("system_restart", "r", json!({"restart_delay": 60}));
    assert_eq!(post(&mut unit, "wrong", restart.clone()).0, 401);
    let (status, body) = post(&mut unit, "issuer", issue("System_Restart", "x", json!({})));
    assert_eq!(
        (status, body["command_type"].as_str()),
        (400, Some("System_Restart"))
    );
    let (status, body) = post(
        &mut unit,
        "issuer",
        issue("system_restart", "x", json!({"restart_delay": -1})),
    );
    assert_eq!((status, body["parameter"].as_str()), (400, Some("restart_delay")));
    let unsigned = issue("system_restart", "x", json!({"preserve_config": false}));
    assert_eq!(
        post(&mut unit, "issuer", unsigned).1["code"],
        "signature_required"
    );
    let (status, body) = post(&mut unit, "issuer", restart.clone());
    assert_eq!((status, body["expected_downtime"].as_u64()), (200, Some(90)));
    let statuses = play(&mut unit, vec![], 5);
    assert_eq!(statuses, ["r executing", "r completed Restarting in 60 seconds"]);
    let (status, body) = post(&mut unit, "issuer", issue("storage_cleanup", "c", json!({})));
    assert_eq!(
        (status, body["current_command"].as_str()),
        (409, Some("system_restart"))
    );
    assert_eq!(
        post(&mut unit, "issuer", restart).1["command_status"],
        "completed"
    );
    let (status, body) = post(&mut unit, "issuer", issue("storage_cleanup", "r", json!({})));
    assert_eq!(
        (status, body["code"].as_str()),
        (409, Some("command_id_conflict"))
    );
}
