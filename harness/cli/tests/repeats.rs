//! Repeats of a scenario: figures of those that passed, evidence of the extremes, and the same judgement again.

mod support;

use serde_json::Value;
use std::{fs, path::Path};
use support::hil_in;

fn run(folder: &Path, repeat: &str, more: &[&str]) -> i32 {
    let arguments = [
        "run",
        "--path",
        "ota-rpc/rollback-timing",
        "--seed",
        "3",
        "--repeat",
        repeat,
        "--report",
        "out",
    ];
    hil_in(folder, &[&arguments, more].concat()).code
}

fn report(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let mut report: Value = serde_json::from_str(&text).unwrap();
    report["wall_seconds"] = Value::Null;
    report
}

#[test]
fn a_judged_journal_has_the_statistics_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), "100", &[]), 0);
    let arguments = ["report", "out", "--format", "json", "--output", "again.json"];
    assert_eq!(hil_in(folder.path(), &arguments).code, 0);
    let live = report(folder.path(), "out/report.json");
    assert_eq!(live, report(folder.path(), "again.json"));
    assert_eq!(live["counts"]["passed"], 100);

    let group = &live["instances"][0];
    assert_eq!(group["header"]["instance"], "ota-rpc/rollback-timing@sim");
    let repeats = &group["repeats"];
    assert_eq!((&repeats["ran"], &repeats["passed"]), (&100.into(), &100.into()));
    let series = &repeats["series"][0];
    assert_eq!(series["statistics"]["n"], 100);
    assert!(
        series["statistics"]["p99"]
            .as_f64()
            .is_some_and(|p99| p99 >= 300.0)
    );

    let journal = fs::read_to_string(folder.path().join("out/journal.jsonl")).unwrap();
    let lines = |begin: &str| journal.lines().filter(|line| line.starts_with(begin)).count() as u64;
    let by_figures = repeats["by_figures"].as_u64().unwrap();
    assert_eq!(lines("{\"repeats\""), 1);
    assert_eq!(lines("{\"figures\""), by_figures);
    assert_eq!(lines("{\"header\""), 100 - by_figures);
    assert!(by_figures >= 95, "{by_figures}");

    let junit = fs::read_to_string(folder.path().join("out/junit.xml")).unwrap();
    assert!(junit.contains("name=\"measured.since_boot.p99\""), "{junit}");
    assert!(junit.contains("name=\"measured.since_boot.drift\""));
    let markdown = fs::read_to_string(folder.path().join("out/summary.md")).unwrap();
    assert!(markdown.contains("| `since_boot` | 100 |"), "{markdown}");

    // Without its end, or without one of its lines, it says less, and no other thing.
    let lines: Vec<&str> = journal.split_inclusive('\n').collect();
    let figures = lines
        .iter()
        .position(|line| line.starts_with("{\"figures\""))
        .unwrap();
    let without = |at: usize| [&lines[..at], &lines[at + 1..]].concat().concat();
    let common = lines
        .iter()
        .position(|line| line.starts_with("{\"repeats\""))
        .unwrap();
    for (name, text, code, says) in [
        ("torn", lines[..lines.len() / 2].concat(), 5, "breaks off"),
        ("one_less", without(figures), 5, "only 99 of 100 repeats"),
        ("headless", without(common), 1, "whose header is missing"),
    ] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("journal.jsonl"), text).unwrap();
        let told = hil_in(folder.path(), &["judge", name]);
        assert_eq!(told.code, code, "{name}: {}{}", told.out, told.err);
        assert!(
            format!("{}{}", told.out, told.err).contains(says),
            "{name}: {}{}",
            told.out,
            told.err
        );
    }
}

#[test]
fn too_few_repeats_decide_nothing_and_one_alone_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), "5", &[]), 5);
    let live = report(folder.path(), "out/report.json");
    assert_eq!(
        (&live["counts"]["passed"], &live["counts"]["inconclusive"]),
        (&5.into(), &1.into())
    );
    let text = live["instances"][0]["findings"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("it takes 100 repeats to say, and there are 5"),
        "{text}"
    );
    assert_eq!(run(folder.path(), "1", &[]), 0);
    assert_eq!(
        report(folder.path(), "out/report.json")["instances"][0]["repeats"],
        Value::Null
    );
}

#[test]
fn what_is_kept_does_not_depend_on_how_many_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let digest = |jobs: &str| {
        assert_eq!(run(folder.path(), "20", &["--jobs", jobs]), 5);
        hil_in(folder.path(), &["judge", "out", "--digest"]).out
    };
    assert_eq!(digest("1"), digest("3"));
}
