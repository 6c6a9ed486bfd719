//! `hil simulate` from outside: simulated units called by plain clients, and dialling a cloud, over TCP.

mod support;

use serde_json::{Value, json};
use std::{net::TcpListener, path::Path, thread, time::Duration};
use support::{Cloud, PATIENCE, Simulated, error_text, http, run};

#[test]
fn a_served_unit_answers_plain_clients_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let line = folder.path().join("board");
    let serial = format!("rpc-serial={}", line.display());
    let unit = Simulated::start(&["ota-rpc", "--listen", &serial]);
    let url = format!("http://{}/rpc", unit.settings["HIL_RPC_HTTP"]);
    let answer = http("POST", &url, &[], br#"{"id": 7, "method": "Sys.GetInfo"}"#).json();
    assert_eq!(
        (&answer["id"], &answer["result"]["fw_version"]),
        (&json!(7), &json!("1.0.0+hil"))
    );
    for target in [
        line.to_str().unwrap(),
        &format!("ws://{}/rpc", unit.settings["HIL_RPC_WEBSOCKET"]),
    ] {
        let called = run(&["call", target, "OTA.GetBootState"]);
        assert!(called.status.success(), "{target}: {}", error_text(&called));
        let state: Value = serde_json::from_slice(&called.stdout).unwrap();
        assert_eq!(state["is_committed"], true);
    }
    assert_eq!(unit.terminate(), Some(0));
    assert!(!line.is_symlink(), "the line is taken away");
}

#[test]
fn a_serial_line_stays_over_a_reboot() {
    let folder = tempfile::tempdir().unwrap();
    let line = folder.path().join("board");
    let serial = format!("rpc-serial={}", line.display());
    let unit = Simulated::start(&["ota-rpc", "--listen", &serial, "--timing", "boot=200ms"]);
    let line = line.to_str().unwrap();
    assert!(run(&["call", line, "Sys.Reboot"]).status.success());
    unit.wait_for("boot=2");
    let info = run(&["call", line, "Sys.GetInfo"]);
    assert!(info.status.success(), "{}", error_text(&info));
}

#[test]
fn a_unit_finds_the_cloud_and_carries_out_what_is_queued() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = Cloud::start(&data, &[]);
    let queue = |id: &str| {
        let body = json!({"command": "run_discovery", "id": id, "payload": {"subnet": "192.168.7.0/30"}})
            .to_string();
        cloud.admin("POST", "edge-poll/act/queue", &body);
    };
    queue("found");
    let endpoints = data.to_str().unwrap();
    let unit = Simulated::start(&[
        "edge-poll",
        "--endpoints",
        endpoints,
        "--timing",
        "poll_interval=1s",
    ]);
    wait_for_ack(&cloud, "found", "completed");
    assert_eq!(unit.terminate(), Some(0));

    queue("mixed");
    let address = format!("base_url={}", cloud.base());
    let key = format!("device_key={}", cloud.key());
    let _unit = Simulated::start(&[
        "edge-poll",
        "--cloud",
        &address,
        "--setting",
        &key,
        "--defect",
        "ack-wrong-id",
    ]);
    wait_for_trace(&cloud, "an acknowledgement of another id", |what| {
        let target = what["http_request"]["target"].as_str().unwrap_or_default();
        target.ends_with("/ack") && !target.contains("mixed") && !target.contains("found")
    });
}

#[test]
fn mistakes_are_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let in_use = format!("rpc-http={}", taken.local_addr().unwrap());
    for (arguments, code, text) in [
        (&["edge-poll"][..], 2, "--cloud URL"),
        (&["edge-poll", "--cloud", "nowhere"], 2, "no URL"),
        (&["edge-poll", "--cloud", "base_uri=http://a"], 2, "device_key"),
        (
            &["ota-rpc", "--listen", "rpc-https=127.0.0.1:1"],
            2,
            "rpc-websocket",
        ),
        (&["ota-rpc", "--defect", "ack-wrong-id"], 2, "ack-wrong-id"),
        (&["ota-rpc", "--timing", "boot=fast"], 2, "500ms"),
        (&["ota-rpc", "--prepare", "ACL=[]"], 2, "committed, acl, users"),
        (&["ota-rpc", "--prepare", "users=admin"], 2, "a JSON object"),
        (&["ota-rpc", "--prepare", "running=nothing"], 2, "nothing"),
        (
            &["edge-poll", "--endpoints", "/nowhere/a.env"],
            2,
            "/nowhere/a.env",
        ),
        (&["ota-rpc", "--listen", &in_use], 1, "in use"),
        (
            &["sota", "--listen", "sota-commands=/etc/hostname"],
            1,
            "something else",
        ),
    ] {
        let output = run(&[&["simulate"], arguments].concat());
        let error = error_text(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
    assert!(Path::new("/etc/hostname").exists());
}

fn wait_for_ack(cloud: &Cloud, id: &str, status: &str) {
    wait_for_trace(cloud, "the acknowledgement", |what| {
        let request = &what["http_request"];
        let body = request["body"]["text"].as_str().unwrap_or_default();
        request["target"]
            .as_str()
            .is_some_and(|target| target.ends_with(&format!("/{id}/ack")))
            && serde_json::from_str::<Value>(body).is_ok_and(|body| body["status"] == status)
    });
}

fn wait_for_trace(cloud: &Cloud, what: &str, fits: impl Fn(&Value) -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while std::time::Instant::now() < end {
        let trace = cloud.admin("GET", "edge-poll/trace", "");
        let records = trace["records"].as_array().unwrap();
        if records.iter().any(|record| fits(&record["what"])) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} never came");
}
