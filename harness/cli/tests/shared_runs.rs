//! Runs that machines share, runs of what failed, and what fails only at first: every instance runs once, and nothing that
//! is not sure counts as a pass.

mod support;

use std::{fs, path::Path};
use support::{Told, hil_in};

/// Some scenarios, with side files among them.
fn run(folder: &Path, more: &[&str]) -> Told {
    let some = [
        "run",
        "--seed",
        "7",
        "--path",
        "edge-poll/ack",
        "--path",
        "edge-poll/download-c",
    ];
    hil_in(folder, &[&some[..], more].concat())
}

fn digest(folder: &Path, report: &str) -> String {
    let told = hil_in(folder, &["judge", "--digest", report]);
    assert_eq!(told.code, 0, "{}", told.err);
    told.out
}

fn instances(folder: &Path, report: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(folder.join(report).join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let instances = report["instances"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    instances
        .map(|i| (text(&i["header"]["instance"]), text(&i["verdict"])))
        .collect()
}

#[test]
fn parts_of_a_run_come_to_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Repeats in one.
    for (deal, more) in [
        ("slice", ["--repeat", "2"]),
        ("hash", ["--path", "edge-poll/idle"]),
    ] {
        let run = |rest: &[&str]| run(folder, &[&more[..], rest].concat());
        assert_eq!(run(&["--report", "whole"]).code, 0);
        let mut names = Vec::new();
        for part in 1..=3 {
            let (partition, name) = (format!("{deal}:{part}/3"), format!("{deal}-{part}"));
            let told = run(&["--partition", &partition, "--report", &name]);
            assert_eq!(told.code, 0, "{}{}", told.out, told.err);
            assert!(told.out.contains(&partition), "{}", told.out);
            names.push(name);
        }
        let [one, two, three] = [&names[0], &names[1], &names[2]].map(String::as_str);
        let sum: usize = names.iter().map(|name| instances(folder, name).len()).sum();
        assert_eq!(sum, instances(folder, "whole").len());
        let joined = hil_in(folder, &["report", "merge", one, two, three, "--out", "joined"]);
        assert_eq!((joined.code, joined.err.as_str()), (0, ""), "{}", joined.out);
        let turned = hil_in(
            folder,
            &["report", "merge", three, one, two, one, "--out", "turned"],
        );
        assert_eq!(turned.code, 0, "{}{}", turned.out, turned.err);
        assert!(turned.err.contains("each is taken once"), "{}", turned.err);
        let whole = digest(folder, "whole");
        assert_eq!(
            (digest(folder, "joined"), digest(folder, "turned")),
            (whole.clone(), whole)
        );
        assert_eq!(instances(folder, "joined"), instances(folder, "whole"));
        let journal = |name: &str| fs::read(folder.join(name).join("journal.jsonl")).unwrap();
        assert_eq!(journal("joined"), journal("turned"));
        assert_eq!(hil_in(folder, &["judge", "joined"]).code, 0);
        assert_eq!(hil_in(folder, &["compare", "whole", "joined"]).code, 0);

        let missing = hil_in(folder, &["report", "merge", one, three, "--out", "joined"]);
        assert_eq!(missing.code, 5, "{}", missing.err);
        assert!(
            missing
                .err
                .contains(&format!("{deal}:2/3 of the run is in no journal")),
            "{}",
            missing.err
        );
        assert_eq!(hil_in(folder, &["judge", "joined"]).code, 5);
        assert_eq!(hil_in(folder, &["compare", "whole", "joined"]).code, 12);
    }
}

#[test]
fn what_does_not_fit_together_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let one = |seed: &str, name: &str| {
        hil_in(
            folder,
            &[
                "run",
                "--path",
                "edge-poll/ack-lost",
                "--seed",
                seed,
                "--report",
                name,
            ],
        )
        .code
    };
    assert_eq!((one("7", "seven"), one("8", "eight")), (0, 0));
    let refused = hil_in(folder, &["report", "merge", "seven", "eight", "--out", "out"]);
    assert_eq!(refused.code, 3);
    assert!(
        refused
            .err
            .contains("`edge-poll/ack-lost@sim` is in eight and in seven"),
        "{}",
        refused.err
    );
    assert!(!folder.join("out").exists());
    let other = [
        "run",
        "--path",
        "edge-poll/idle",
        "--seed",
        "9",
        "--report",
        "nine",
    ];
    assert_eq!(hil_in(folder, &other).code, 0);
    let said = hil_in(folder, &["report", "merge", "seven", "nine", "--out", "out"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.err.contains("not the same seed: 7 in seven; 9 in nine"),
        "{}",
        said.err
    );

    let journal = fs::read(folder.join("nine/journal.jsonl")).unwrap();
    fs::write(folder.join("nine/journal.jsonl"), &journal[..journal.len() / 2]).unwrap();
    let torn = hil_in(folder, &["report", "merge", "seven", "nine", "--out", "out"]);
    assert_eq!(torn.code, 5, "{}", torn.err);
    assert!(
        torn.err.contains("nine: the journal breaks off at line"),
        "{}",
        torn.err
    );
    assert_eq!(instances(folder, "out").len(), 2);

    assert_eq!(
        hil_in(folder, &["report", "merge", "seven", "none", "--out", "out"]).code,
        1
    );
    assert_eq!(
        hil_in(folder, &["report", "merge", "seven", "out", "--out", "out"]).code,
        2
    );
    assert_eq!(hil_in(folder, &["report", "merge", "seven"]).code, 2);
    assert_eq!(hil_in(folder, &["run", "--partition", "slice:4/3"]).code, 2);
    // A part with nothing in it is a part.
    let empty = [
        "run",
        "--path",
        "edge-poll/ack-lost",
        "--seed",
        "7",
        "--partition",
        "slice:2/2",
        "--report",
        "empty",
    ];
    assert_eq!(hil_in(folder, &empty).code, 7);
    let first = [
        "run",
        "--path",
        "edge-poll/ack-lost",
        "--seed",
        "7",
        "--partition",
        "slice:1/2",
        "--report",
        "first",
    ];
    assert_eq!(hil_in(folder, &first).code, 0);
    let both = hil_in(folder, &["report", "merge", "first", "empty", "--out", "out"]);
    assert_eq!((both.code, both.err.as_str()), (0, ""));
}

#[test]
fn only_what_did_not_pass_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let some = [
        "run",
        "--seed",
        "7",
        "--path",
        "edge-poll/idle",
        "--path",
        "edge-poll/ack-lost",
        "--report",
        "out",
    ];
    let with = |more: &[&str]| hil_in(folder, &[&some[..], more].concat());
    let none = with(&["--last-failed"]);
    assert_eq!(none.code, 2);
    assert!(
        none.err
            .contains("there is no report of an earlier run: out/report.json"),
        "{}",
        none.err
    );
    assert_eq!(hil_in(folder, &["run", "--last-failed"]).code, 2);
    assert_eq!(
        with(&["--defect", "polls-too-fast", "--unit", "sim:edge-poll"]).code,
        4
    );
    let names = instances(folder, "out");
    assert_eq!(names.len(), 2);
    let failed: Vec<_> = names
        .into_iter()
        .filter(|(_, verdict)| verdict == "fail")
        .collect();
    let again = with(&[
        "--defect",
        "polls-too-fast",
        "--unit",
        "sim:edge-poll",
        "--last-failed",
    ]);
    assert_eq!(again.code, 4, "{}", again.err);
    assert_eq!(instances(folder, "out"), failed);
    // Together with other options; nothing that passed is left.
    let other = hil_in(
        folder,
        &["run", "--path", "edge-poll/ack-lost", "--last-failed", "out"],
    );
    assert_eq!(other.code, 7);
    assert!(
        other.err.contains("select nothing of what did not pass"),
        "{}",
        other.err
    );
    assert_eq!(with(&[]).code, 0);
    let nothing = hil_in(folder, &["run", "--last-failed", "out"]);
    assert_eq!(nothing.code, 7);
    assert!(nothing.err.contains("everything passed"), "{}", nothing.err);
}

#[test]
fn what_fails_whenever_it_runs_is_no_flake() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let wrong = [
        "run",
        "--seed",
        "7",
        "--path",
        "edge-poll/idle",
        "--defect",
        "polls-too-fast",
        "--report",
        "out",
    ];
    let told = hil_in(folder, &[&wrong[..], &["--retries", "2"]].concat());
    assert_eq!(told.code, 4, "{}", told.out);
    assert!(told.out.contains("1 failed"), "{}", told.out);
    let names: Vec<String> = instances(folder, "out")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let name = "edge-poll/idle-rhythm@sim+polls-too-fast";
    assert_eq!(
        names,
        [
            name.to_owned(),
            format!("{name}#retry-1"),
            format!("{name}#retry-2")
        ]
    );
    assert_eq!(hil_in(folder, &["judge", "out"]).code, 4);
    let suites = fs::read_to_string(folder.join("out/junit.xml")).unwrap();
    assert_eq!(
        (
            suites.matches("<testcase").count(),
            suites.matches("<rerunFailure").count()
        ),
        (1, 2)
    );
}

#[test]
fn what_passes_only_when_run_again_is_flaky() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("suite")).unwrap();
    fs::write(folder.join("suite/now-and-then.yaml"), NOW_AND_THEN).unwrap();
    let run = |seed: u32, retries: &str, report: &str| {
        let seed = seed.to_string();
        let one = [
            "run",
            "--scenarios",
            "suite",
            "--path",
            "now-and-then",
            "--seed",
            &seed,
        ];
        hil_in(
            folder,
            &[&one[..], &["--retries", retries, "--report", report]].concat(),
        )
    };
    // In three of ten runs a fault strikes, without which the scenario decides nothing.
    let first = (1..100).find(|seed| run(*seed, "0", "out").code == 0).unwrap();
    let seed = (1..100).find(|seed| run(*seed, "5", "out").code == 13).unwrap();
    assert_eq!(run(first, "0", "first").code, 0);
    let told = run(seed, "5", "out");
    assert!(
        told.out
            .contains("flaky: 1 of 1 instance passed only when run again"),
        "{}",
        told.out
    );
    assert!(
        told.out.contains("now-and-then@sim  INCONC, then "),
        "{}",
        told.out
    );
    assert_eq!(run(seed, "0", "single").code, 5);
    // The journal says the same, and so does a gate.
    assert_eq!(hil_in(folder, &["judge", "out"]).code, 13);
    assert_eq!(hil_in(folder, &["compare", "first", "out"]).code, 13);
    assert_eq!(
        hil_in(
            folder,
            &[
                "run",
                "--scenarios",
                "suite",
                "--last-failed",
                "out",
                "--seed",
                "1"
            ]
        )
        .code,
        0
    );
    let suites = fs::read_to_string(folder.join("out/junit.xml")).unwrap();
    assert!(
        suites.contains(r#"<error type="flaky""#) || suites.contains(r#"type="flaky""#),
        "{suites}"
    );
    assert_eq!(suites.matches("<testcase").count(), 1);
    assert!(suites.contains("<flakyError"), "{suites}");
    let page = fs::read_to_string(folder.join("out/report.html")).unwrap();
    assert!(page.contains("Flaky: passed only when run again"));
    let note = fs::read_to_string(folder.join("out/summary.md")).unwrap();
    assert!(note.contains("### Flaky: passed only when run again"));
}

const NOW_AND_THEN: &str = "\
name: The unit polls, and a fault strikes now and then
protocol: edge-poll
verifies: [POLL-INTERVAL-003]
steps:
  - do: unit.start
    as: start
  - inject: cloud.status
    with: {on: poll, status: 503, times: 1}
    when: {at: start + 1s, probability: 0.3}
    as: down
  - expect: unit.poll
    within: 300s
    stimulus: down
";
