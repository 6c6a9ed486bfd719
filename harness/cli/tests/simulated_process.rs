//! A simulated unit as the process unit of a run: the same suites, over TCP, in real time.

mod support;

use std::{fs, path::Path};
use support::{error_text, hil};

/// Runs scenarios against `hil simulate` and wants all of them passed.
fn run(folder: &Path, protocol: &str, unit: &str, scenarios: &[&str]) {
    let program = env!("CARGO_BIN_EXE_hil");
    let head = format!(
        "name: simulated\nprotocol: {protocol}\ndriver: process\n\
         command: [{program}, simulate, {protocol}, --state, \"{{state_dir}}/unit\"]\n\
         ready: {{console: \"ready\", timeout: 20s}}\n"
    );
    let file = folder.join("unit.yaml");
    fs::write(&file, head + unit).unwrap();
    let mut command = hil();
    command.arg("run").arg("--unit").arg(&file);
    for scenario in scenarios {
        command.args(["--path", scenario]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &error_text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let passed = format!("{} passed", scenarios.len());
    assert!(text.contains(&passed), "{text}");
    assert!(!text.contains("Warnings"), "{text}");
}

#[test]
fn a_unit_that_dials_the_cloud_keeps_its_word_over_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let unit = "timing: {poll_interval: 1s, boot: 200ms, install: 300ms, health_check: 500ms, patience: 20s}\n\
                facts: {services: [edge-agent, telemetry, gateway], own_service: edge-agent, snap_name: edge-agent}\n";
    let scenarios = ["edge-poll/snap-update", "edge-poll/ack-survives-power-cut"];
    run(folder.path(), "edge-poll", unit, &scenarios);
}

#[test]
fn a_unit_that_is_the_server_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let unit = "timing: {boot: 200ms, patience: 20s}\n\
                faces: {rpc-http: \"127.0.0.1:0\", rpc-websocket: \"127.0.0.1:0\", rpc-serial: \"{state_dir}/line\"}\n";
    run(folder.path(), "ota-rpc", unit, &["ota-rpc/websocket"]);
}

#[test]
fn a_unit_whose_file_leaves_something_out_is_not_accused() {
    let folder = tempfile::tempdir().unwrap();
    let left_out = [
        ("device-command", "direct-issue", "no face device-direct"),
        ("edge-poll", "ack-lost", "no fact `services.1`"),
        (
            "edge-poll",
            "clock-jumps",
            "no probe `service_starts`, stimulus `clock_jump`",
        ),
        ("edge-poll", "long-discovery", "needs virtual time"),
    ];
    for (protocol, scenario, told) in left_out {
        let file = folder.path().join("unit.yaml");
        let program = env!("CARGO_BIN_EXE_hil");
        let unit = format!("name: simulated\nprotocol: {protocol}\ndriver: process\ncommand: [{program}]\n");
        fs::write(&file, unit).unwrap();
        let path = format!("{protocol}/{scenario}");
        let output = hil()
            .args(["run", "--path", &path, "--unit"])
            .arg(&file)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &error_text(&output);
        assert_eq!(output.status.code(), Some(7), "{text}");
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn arguments_a_probe_is_not_given_are_none_and_a_restarted_unit_repeats_no_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let probe = format!(
        "timing: {{poll_interval: 1s, boot: 200ms, patience: 20s}}\n\
         probes:\n  module_resets: {{command: [{}, simulate, device-command, --state, \"{{state_dir}}/unit\", \
         --probe, module_resets]}}\n",
        env!("CARGO_BIN_EXE_hil")
    );
    run(
        folder.path(),
        "device-command",
        &probe,
        &["device-command/delivered-again"],
    );
    let timing = "timing: {ack_timeout: 1s, reconnect_delay: 200ms, status_delay: 500ms, boot: 200ms, patience: 20s}\n";
    run(
        folder.path(),
        "aos-v7",
        timing,
        &["aos-v7/power-cut-while-downloading", "aos-v7/bad-digest."],
    );
}

#[test]
fn a_unit_on_a_bus_is_judged_over_a_unix_socket_and_over_tcp() {
    for bus in ["{state_dir}/bus.socket", "127.0.0.1:0"] {
        let folder = tempfile::tempdir().unwrap();
        let unit = format!(
            "timing: {{poll_interval: 1s, boot: 200ms}}\n\
             faces: {{sota-http: \"127.0.0.1:0\", sota-bus: \"{bus}\"}}\n\
             prepare: {{polling: true, auth: true, auto_download: true, package_manager: false, system_info: true}}\n"
        );
        let scenarios = [
            "sota/dbus-result-codes",
            "sota/dbus-initiate-download",
            "sota/dbus-no-manager",
        ];
        run(folder.path(), "sota", &unit, &scenarios);
    }
}
