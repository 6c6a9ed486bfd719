//! `hil run --waivers`, and judging what it wrote again.

mod support;

use serde_json::Value;
use std::{fs, path::Path};
use support::{Told, hil_in};

const WRONG: [&str; 6] = [
    "run",
    "--path",
    "edge-poll/ack-lost",
    "--defect",
    "ack-wrong-id",
    "--seed=7",
];

fn run(folder: &Path, expires: &str, requirements: &[&str]) -> Told {
    let mut text = "waivers:\n".to_owned();
    for requirement in requirements {
        text +=
            &format!("  - requirement: {requirement}\n    reason: known since 2.3\n    expires: {expires}\n");
    }
    fs::write(folder.join("waivers.yaml"), text).unwrap();
    let mut arguments = WRONG.to_vec();
    arguments.extend(["--report", "out", "--waivers", "waivers.yaml"]);
    hil_in(folder, &arguments)
}

/// The MUSTs that the defect violates in that scenario.
fn violated(folder: &Path) -> Vec<String> {
    let mut arguments = WRONG.to_vec();
    arguments.extend(["--report", "plain"]);
    assert_eq!(hil_in(folder, &arguments).code, 4);
    let report: Value = serde_json::from_slice(&fs::read(folder.join("plain/report.json")).unwrap()).unwrap();
    let coverage = report["coverage"]["edge-poll"].as_object().unwrap();
    let violated = coverage
        .iter()
        .filter(|(_, covered)| covered["state"] == "violated");
    violated.map(|(id, _)| id.clone()).collect()
}

#[test]
fn waivers_change_the_exit_code_and_stand_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let all = violated(folder);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(!all.is_empty());

    let waived = run(folder, "2999-12-31", &all);
    assert_eq!(waived.code, 0, "{}", waived.out);
    assert!(
        waived.out.contains("WAIVED  edge-poll/ack-lost"),
        "{}",
        waived.out
    );
    assert!(
        !waived.out.contains("PASS"),
        "a waived failure is no pass: {}",
        waived.out
    );
    let again = hil_in(folder, &["judge", "out"]);
    assert_eq!(again.code, 0, "{}", again.out);
    assert!(again.out.contains("known since 2.3"), "{}", again.out);

    let expired = run(folder, "2020-01-01", &all);
    assert_eq!(expired.code, 4, "{}", expired.out);
    assert!(expired.out.contains("expired"), "{}", expired.out);
    assert_eq!(hil_in(folder, &["judge", "out"]).code, 4);
}

#[test]
fn a_waiver_that_is_not_needed_is_loud_and_unknown_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let told = run(folder, "2999-12-31", &["POLL-AUTH-001"]);
    assert_eq!(told.code, 4);
    assert!(
        told.out.contains("take the waiver away") && told.out.contains("1 stale waiver"),
        "{}",
        told.out
    );
    let told = run(folder, "soon", &["POLL-AUTH-901"]);
    assert_eq!(told.code, 3);
    assert!(told.err.contains("--> waivers.yaml:2:18"), "{}", told.err);
    assert_eq!(hil_in(folder, &["lint", "waivers.yaml"]).code, 3);
}
