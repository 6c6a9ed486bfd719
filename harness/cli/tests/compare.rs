//! `hil compare`: what a release gate is told, and the exit code that goes with it.

mod support;

use std::{fs, path::Path};
use support::{Told, hil_in};

/// Runs a few scenarios into a folder.
fn run(folder: &Path, name: &str, more: &[&str]) -> Told {
    let few = [
        "run",
        "--protocol",
        "edge-poll",
        "--path",
        "idle",
        "--path",
        "ack-lost",
        "--report",
        name,
    ];
    hil_in(folder, &[&few[..], more].concat())
}

fn compare(folder: &Path, arguments: &[&str]) -> Told {
    hil_in(folder, &[&["compare"][..], arguments].concat())
}

#[test]
fn a_gate_is_told_what_got_worse_and_what_got_better() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(run(folder, "good", &["--seed", "7"]).code, 0);
    assert_eq!(
        run(folder, "bad", &["--seed", "7", "--defect", "polls-too-fast"]).code,
        4
    );

    let same = compare(folder, &["good", "good"]);
    assert_eq!((same.code, same.err.as_str()), (0, ""));
    let worse = compare(folder, &["good", "bad"]);
    assert_eq!(worse.code, 10);
    insta::assert_snapshot!("worse_text", worse.out);
    let note = compare(folder, &["good", "bad", "--format", "markdown"]);
    assert_eq!(note.code, 10);
    insta::assert_snapshot!("worse_markdown", note.out);
    let better = compare(folder, &["bad", "good"]);
    assert_eq!(better.code, 0);
    insta::assert_snapshot!("better_text", better.out);
    let blocked = compare(folder, &["bad", "good", "--block", "fixed"]);
    assert_eq!(blocked.code, 26);
    let still = compare(folder, &["bad", "bad", "--block", "still-failing"]);
    assert_eq!(still.code, 23);

    // A report alone says the same as its journal.
    let data = compare(
        folder,
        &["good/report.json", "bad/report.json", "--format", "json"],
    );
    assert_eq!(data.code, 10);
    let data: serde_json::Value = serde_json::from_str(&data.out).unwrap();
    assert_eq!(
        (&data["schema"], &data["exit_code"]),
        (&"hil-comparison/1".into(), &10.into())
    );
    assert_eq!(data["outcomes"][0]["name"], "new-failures");
    let allowed = [
        "good",
        "bad",
        "--allow",
        "new-failures",
        "--allow",
        "new-warnings",
    ];
    assert_eq!(compare(folder, &allowed).code, 0);

    // Filtered out is not exercised.
    let few = [
        "run",
        "--path",
        "edge-poll/idle-rhythm",
        "--seed",
        "7",
        "--report",
        "less",
    ];
    assert_eq!(hil_in(folder, &few).code, 0);
    let less = compare(folder, &["good", "less"]);
    assert_eq!(less.code, 14, "{}", less.out);
}

#[test]
fn what_is_missing_or_torn_has_codes_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(run(folder, "good", &["--seed", "7"]).code, 0);
    for (arguments, code) in [
        (["none", "good"], 19),
        (["empty", "good"], 19),
        (["good", "none"], 1),
        (["torn", "good"], 18),
        (["good", "torn"], 12),
        (["garbage.json", "good"], 18),
        (["garbage.jsonl", "good"], 18),
        (["good", "garbage.json"], 1),
        (["other", "good"], 20),
    ] {
        fs::create_dir_all(folder.join("torn")).unwrap();
        fs::create_dir_all(folder.join("empty")).unwrap();
        let journal = fs::read(folder.join("good/journal.jsonl")).unwrap();
        fs::write(folder.join("torn/journal.jsonl"), &journal[..journal.len() - 20]).unwrap();
        fs::write(folder.join("garbage.json"), "{").unwrap();
        fs::write(folder.join("garbage.jsonl"), "{").unwrap();
        if !folder.join("other").exists() {
            let other = [
                "run",
                "--protocol",
                "sota",
                "--path",
                "install",
                "--seed",
                "7",
                "--report",
                "other",
            ];
            assert_eq!(hil_in(folder, &other).code, 0);
        }
        let told = compare(folder, &arguments);
        assert_eq!(told.code, code, "{arguments:?}: {}{}", told.out, told.err);
        assert!(
            !told.out.is_empty() || told.err.contains("the new run"),
            "{arguments:?}"
        );
    }
    assert_eq!(compare(folder, &["good", "good", "--allow", "nonsense"]).code, 2);
}

#[test]
fn times_over_repeats_are_held_against_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let timed = |name: &str, more: &[&str]| {
        let few = ["run", "--path", "edge-poll/rollback-hang", "--report", name];
        hil_in(folder, &[&few[..], more].concat())
    };
    assert_eq!(timed("five", &["--seed", "7", "--repeat", "5"]).code, 0);
    assert_eq!(timed("two", &["--seed", "8", "--repeat", "2"]).code, 0);
    let few = compare(folder, &["five", "two"]);
    assert_eq!(few.code, 21, "{}", few.out);
    assert!(few.out.contains("too few values"), "{}", few.out);
    let same = compare(folder, &["five", "five"]);
    assert_eq!(same.code, 0, "{}", same.out);
}

#[test]
fn annotations_point_at_the_step_of_the_scenario() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir_all(folder.join("tests/hil")).unwrap();
    fs::write(folder.join("tests/hil/never-polls.yaml"), NEVER_POLLS).unwrap();
    let run = [
        "run",
        "--scenarios",
        "tests/hil",
        "--path",
        "never-polls",
        "--seed",
        "7",
    ];
    let with = |more: &[&str]| hil_in(folder, &[&run[..], more].concat());
    let told = with(&["--annotations", "github", "--report", "out"]);
    assert_eq!(told.code, 4, "{}", told.out);
    let line = told
        .out
        .lines()
        .find(|line| line.starts_with("::error "))
        .unwrap();
    let place = "::error file=tests/hil/never-polls.yaml,line=10,title=POLL-INTERVAL-001 MUST fail::";
    assert!(line.starts_with(place), "{line}");
    assert!(line.contains("%0Ain never-polls@sim, step 3.1#1"), "{line}");
    let again = ["report", "out", "--format", "github", "--scenarios", "tests/hil"];
    assert!(hil_in(folder, &again).out.starts_with(place));
    // Who does not have the file is told all the same.
    let elsewhere = hil_in(folder, &["report", "out", "--format", "github"]);
    assert!(
        elsewhere
            .out
            .starts_with("::error title=POLL-INTERVAL-001 MUST fail::"),
        "{}",
        elsewhere.out
    );

    assert_eq!(with(&["--annotations", "gitlab"]).code, 2);
    assert_eq!(with(&["--annotations", "gitlab", "--report", "out"]).code, 4);
    let issues = fs::read_to_string(folder.join("out/code-quality.json")).unwrap();
    let issues: serde_json::Value = serde_json::from_str(&issues).unwrap();
    assert_eq!(issues[0]["location"]["path"], "tests/hil/never-polls.yaml");
    assert_eq!(issues[0]["location"]["lines"]["begin"], 10);
    assert_eq!(
        (&issues[0]["severity"], &issues[0]["check_name"]),
        (&"critical".into(), &"POLL-INTERVAL-001".into())
    );
    let good = ["run", "--path", "edge-poll/idle", "--annotations", "github"];
    assert!(!hil_in(folder, &good).out.contains("::"));
}

const NEVER_POLLS: &str = "\
name: Nothing polls, which is wrong of this scenario
protocol: edge-poll
verifies: [POLL-INTERVAL-001]
steps:
  - do: unit.start
  - wait: 1s
  - for_each:
      round: [1]
      steps:
        - never: unit.poll
          within: 300s
          verifies: [POLL-INTERVAL-001]
";
