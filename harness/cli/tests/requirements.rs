//! `hil list requirements` and `hil explain`: what shows each requirement, and what a run came to.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{Told, hil_in};

fn hil(arguments: &[&str]) -> Told {
    hil_in(Path::new("."), arguments)
}

fn parsed(told: &Told) -> Value {
    assert_eq!(told.code, 0, "{}", told.err);
    serde_json::from_str(&told.out).unwrap()
}

/// Lists requirements and holds the list against its schema.
fn listed(arguments: &[&str]) -> Vec<Value> {
    let list = parsed(&hil(&[&["list", "requirements", "--json"], arguments].concat()));
    let schema = parsed(&hil(&["schema", "requirements"]));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&list)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    list["requirements"].as_array().unwrap().clone()
}

#[test]
fn every_requirement_is_listed_with_what_shows_it() {
    let all = listed(&[]);
    assert_eq!(all.len(), 556);
    for requirement in &all {
        let shown = |member: &str| !requirement[member].as_array().unwrap().is_empty();
        let evidenced = shown("monitors") || shown("scenarios");
        assert!(
            evidenced != requirement["unobservable"].is_string(),
            "{requirement:#}"
        );
        assert_eq!(evidenced, requirement["tier"].is_string(), "{requirement:#}");
        assert!(requirement.get("coverage").is_none());
    }
    let musts = || all.iter().filter(|requirement| requirement["level"] == "MUST");
    let unobservable = musts().filter(|requirement| requirement["unobservable"].is_string());
    assert!(unobservable.count() * 10 < musts().count());
    let some = listed(&["--requirement", "POLL-ACK", "--protocol", "edge-poll"]);
    assert_eq!(some.len(), 12);
}

#[test]
fn a_requirement_is_explained_with_commands_to_see_it_judged() {
    for (name, id) in [
        ("explain_by_scenarios", "poll-ack-003"),
        ("explain_by_a_monitor", "AOS7-ENV-010"),
        ("explain_of_a_dialect", "SOTA-CONS-001"),
    ] {
        let told = hil(&["explain", id]);
        assert_eq!(told.code, 0, "{}", told.err);
        let long = told
            .out
            .lines()
            .find(|line| line.chars().count() > 80 && !line.starts_with("hil "));
        assert_eq!(long, None);
        insta::assert_snapshot!(name, told.out);
    }
}

#[test]
fn an_id_nobody_knows_is_told_with_those_it_may_mean() {
    for (name, id) in [
        ("explain_prefix", "OTA-REVERT"),
        ("explain_wide_prefix", "ota"),
        ("explain_typo", "OTA-RVERT-001"),
        ("explain_nonsense", "nothing"),
    ] {
        let told = hil(&["explain", id]);
        assert_eq!((told.code, told.out.as_str()), (2, ""));
        insta::assert_snapshot!(name, told.err);
    }
}

#[test]
fn a_journal_says_what_a_run_came_to() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().to_str().unwrap();
    let path = ["--path", "ota-rpc/rollback-without-commit", "--seed", "3"];
    let defect = ["--defect", "no-rollback-by-time", "--report", report];
    let run = hil(&[&["run"][..], &path, &defect].concat());
    assert_eq!(run.code, 4, "{}{}", run.out, run.err);

    let explained = hil(&["explain", "OTA-REVERT-001", "--journal", report]);
    insta::assert_snapshot!("explain_violated", explained.out);
    let explained = parsed(&hil(&[
        "explain",
        "OTA-REVERT-001",
        "--journal",
        report,
        "--json",
    ]));
    assert_eq!(explained["coverage"]["state"], "violated");
    let found = &explained["findings"][0];
    assert_eq!(
        found["again"],
        "hil run --unit sim:ota-rpc --defect no-rollback-by-time --path ota-rpc/rollback-without-commit --seed 3"
    );

    let all = listed(&["--journal", report]);
    let state = |id: &str| {
        let one = all.iter().find(|requirement| requirement["id"] == id);
        one.unwrap()["coverage"]["state"].clone()
    };
    assert_eq!(state("OTA-REVERT-001"), "violated");
    assert_eq!(state("OTA-UPDATE-004"), "verified");
    assert_eq!(state("OTA-REVERT-002"), "not_exercised");
    assert_eq!(state("POLL-ACK-001"), "not_exercised");
    let nowhere = hil(&["explain", "OTA-REVERT-001", "--journal", "/nowhere"]);
    assert_eq!((nowhere.code, nowhere.out.as_str()), (1, ""));
}
