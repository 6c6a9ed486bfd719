//! `hil run` from outside: what it prints, what it selects, how it ends.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use support::{Told, hil, hil_in};
use tempfile::TempDir;

/// A folder with scenarios of the tests' own, quick ones, each with an end of its own.
fn bench() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let suites = folder.path().join("suites/mine");
    fs::create_dir_all(&suites).unwrap();
    let head = "protocol: edge-poll\n";
    for (name, text) in [
        (
            "passes",
            "name: A unit polls\nverifies: [POLL-INTERVAL-001]\ntags: [mine]\nsteps:\n  - do: unit.start\n  - expect: unit.poll\n",
        ),
        (
            "warns",
            "name: A SHOULD that is not met\nverifies: [POLL-ACK-010]\ntags: [mine, odd]\nsteps:\n  - do: unit.start\n  - expect: unit.ack\n    within: 5s\n",
        ),
        (
            "undecided",
            "name: A fault that never acts\nverifies: [POLL-ACK-003]\ntags: [odd]\nsteps:\n  - inject: cloud.reset\n    with: {on: ack, when: before_handling}\n    as: lost\n  - do: unit.start\n  - expect: unit.ack\n    stimulus: lost\n    within: 5s\n",
        ),
        (
            "tiers",
            "name: Parameters\nparams: {count: {default: 1, quick: 2}, word: {default: get_status}}\nsteps:\n  - do: cloud.queue\n    with: {command: \"${params.word}\", count: \"${params.count}\"}\n  - do: unit.start\n  - expect: unit.ack\n    times: ${params.count}\n",
        ),
        (
            "long",
            "name: Takes long\ntags: [long]\nsteps:\n  - do: unit.start\n",
        ),
    ] {
        fs::write(suites.join(format!("{name}.yaml")), format!("{head}{text}")).unwrap();
    }
    folder
}

/// Runs scenarios of the tests' own.
fn run(folder: &Path, arguments: &[&str]) -> Told {
    let base = [
        "run",
        "--scenarios",
        "suites",
        "--unit",
        "sim:edge-poll",
        "--seed",
        "7",
    ];
    hil_in(folder, &[&base, arguments].concat())
}

fn shown(folder: &Path, told: &Told) -> String {
    let text = format!("exit {}\n--- out\n{}--- err\n{}", told.code, told.out, told.err);
    redacted(&text.replace(&folder.display().to_string(), "DIR"))
}

/// The same without what differs from run to run: wall time, and counts that grow with the catalogue.
fn redacted(text: &str) -> String {
    let line = |line: &str| {
        let counts = line
            .split("seed 7, ")
            .next()
            .filter(|_| line.contains("seed 7, "));
        if let Some(counts) = counts {
            return format!("{counts}seed 7, WALL");
        }
        let covered = line.contains("not exercised") && line.starts_with("  ");
        match covered.then(|| line.split_once(" of ")).flatten() {
            Some((lead, _)) => format!("{lead} of …"),
            None => line.to_owned(),
        }
    };
    text.lines().map(|l| line(l) + "\n").collect()
}

#[test]
fn a_run_is_told_in_plain_lines_without_a_terminal() {
    let folder = bench();
    let passing = run(folder.path(), &["--path", "mine/passes"]);
    assert!(!passing.out.contains('\u{1b}') && !passing.err.contains('\u{1b}'));
    insta::assert_snapshot!("passing", shown(folder.path(), &passing));
    insta::assert_snapshot!(
        "warning",
        shown(folder.path(), &run(folder.path(), &["--path", "mine/warns"]))
    );
    let failing = run(
        folder.path(),
        &["--path", "edge-poll/ack-lost", "--defect", "ack-wrong-id"],
    );
    assert_eq!(failing.code, 4);
    insta::assert_snapshot!("failing", shown(folder.path(), &failing));
    insta::assert_snapshot!(
        "undecided",
        shown(folder.path(), &run(folder.path(), &["--path", "mine/undecided"]))
    );
    insta::assert_snapshot!(
        "nothing",
        shown(folder.path(), &run(folder.path(), &["--path", "mine/nothing"]))
    );
}

#[test]
fn every_end_has_its_exit_code() {
    let folder = bench();
    let unit = "name: absent\nprotocol: edge-poll\ndriver: process\ncommand: [hil-no-such-program]\nfacts: {services: [a, b, c]}\n";
    fs::write(folder.path().join("absent.yaml"), unit).unwrap();
    let code = |arguments: &[&str]| run(folder.path(), arguments).code;
    assert_eq!(code(&["--path", "mine/passes"]), 0);
    assert_eq!(code(&["--no-such-flag"]), 2);
    assert_eq!(code(&["--unit", "sim:nothing"]), 2);
    assert_eq!(code(&["--unit", "nowhere.yaml"]), 3);
    assert_eq!(
        code(&["--path", "edge-poll/ack-lost", "--defect", "ack-wrong-id"]),
        4
    );
    assert_eq!(code(&["--path", "mine/undecided"]), 5);
    assert_eq!(code(&["--path", "mine/nothing"]), 7);
    let absent = hil_in(
        folder.path(),
        &[
            "run",
            "--scenarios",
            "suites",
            "--unit",
            "absent.yaml",
            "--path",
            "mine/passes",
        ],
    );
    assert_eq!(absent.code, 6, "{}{}", absent.out, absent.err);
    assert!(
        absent.out.contains("blame: lab") && absent.out.contains("hil-no-such-program"),
        "{}",
        absent.out
    );
    // 4 wins over 6, 5 and 7; 6 over 5 and 7; 5 over a pass.
    assert_eq!(
        code(&[
            "--path",
            "edge-poll/ack-lost",
            "--path",
            "mine/",
            "--defect",
            "ack-wrong-id"
        ]),
        4
    );
    assert_eq!(code(&["--path", "mine/undecided", "--path", "mine/passes"]), 5);
    assert_eq!(
        code(&[
            "--path",
            "mine/undecided",
            "--path",
            "mine/passes",
            "--report",
            "absent.yaml"
        ]),
        6
    );
}

#[test]
fn wrong_command_lines_say_what_is_wrong() {
    let folder = bench();
    fs::write(
        folder.path().join("mine.yaml"),
        "name: sim\nprotocol: edge-poll\ndriver: sim\n",
    )
    .unwrap();
    let mut told = String::new();
    for arguments in [
        &["--jobs", "0"][..],
        &["--repeat", "0"],
        &["--repeat", "many"],
        &["--seed", "-1"],
        &["--protocol", "edge_poll"],
        &["--tier", "quik"],
        &["--unit", "sim:edgepoll"],
        &["--unit", "sim:sota:rust"],
        &["--unit", "mine.yaml"],
        &["--defect", "ack-wrong"],
        &["--artifact", "next"],
        &["--artifact", "nxt=image.bin"],
        &["--artifact", "next=nowhere.bin"],
        &["--set", "count"],
        &["--path", "mine/tiers", "--set", "cuont=3"],
        &["--path", "mine/tiers", "--set", "count=many"],
        &["--path", "mine/passes", "--set", "count=3"],
    ] {
        let one = run(folder.path(), arguments);
        assert_eq!(
            (one.code, one.out.as_str()),
            (2, ""),
            "{arguments:?}: {}",
            one.err
        );
        told += &format!("$ hil run … {}\n{}\n", arguments.join(" "), one.err.trim_end());
    }
    let protocols = "edge-poll, device-command, aos-v7, sota, ota-rpc";
    assert!(told.contains("aos-v7") || told.contains(protocols), "{told}");
    insta::assert_snapshot!(told);
}

#[test]
fn strictness_turns_warnings_to_failures() {
    let folder = bench();
    let lax = run(folder.path(), &["--path", "mine/warns", "--report", "out"]);
    let strict = run(folder.path(), &["--path", "mine/warns", "--strict"]);
    assert_eq!((lax.code, strict.code), (0, 4), "{}{}", lax.out, strict.out);
    assert!(lax.out.contains("1 warning"), "{}", lax.out);
    assert_eq!(hil_in(folder.path(), &["judge", "out"]).code, 0);
    assert_eq!(hil_in(folder.path(), &["judge", "out", "--strict"]).code, 4);
}

#[test]
fn filters_select_by_protocol_path_tag_and_requirement() {
    let folder = bench();
    let ran = |arguments: &[&str]| {
        let told = run(folder.path(), &[&["--report", "out"], arguments].concat());
        let text = fs::read_to_string(folder.path().join("out/report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        let instances = report["instances"].as_array().unwrap();
        let mut names: Vec<String> = instances
            .iter()
            .map(|instance| instance["header"]["instance"].as_str().unwrap().to_owned())
            .collect();
        names.retain(|name| !name.starts_with("edge-poll/"));
        (told.code, names.join(" "))
    };
    assert_eq!(
        ran(&["--tag", "mine"]),
        (0, "mine/passes@sim mine/warns@sim".to_owned())
    );
    assert_eq!(
        ran(&["--tag", "mine", "--tag", "odd"]),
        (0, "mine/warns@sim".to_owned())
    );
    assert_eq!(
        ran(&["--tag", "long", "--path", "mine"]),
        (0, "mine/long@sim".to_owned())
    );
    assert_eq!(
        ran(&["--path", "mine", "--requirement", "POLL-INTERVAL-001"]),
        (0, "mine/passes@sim".to_owned())
    );
    assert_eq!(
        ran(&["--path", "mine", "--requirement", "POLL-ACK"]).1,
        "mine/undecided@sim mine/warns@sim"
    );
    assert_eq!(
        ran(&["--path", "mine", "--protocol", "edge-poll"])
            .1
            .split(' ')
            .count(),
        5
    );
    for nothing in [
        &["--tag", "nobody"][..],
        &["--path", "nowhere"],
        &["--requirement", "POLL-NONE"],
        &["--protocol", "sota"],
        &["--tag", "mine", "--path", "undecided"],
    ] {
        assert_eq!(ran(nothing), (7, String::new()), "{nothing:?}");
    }
}

#[test]
fn parameters_come_from_defaults_tiers_and_the_command_line() {
    let folder = bench();
    let counted = |arguments: &[&str]| {
        let told = run(
            folder.path(),
            &[&["--path", "mine/tiers", "--report", "out"], arguments].concat(),
        );
        assert_eq!(told.code, 0, "{}{}", told.out, told.err);
        let text = fs::read_to_string(folder.path().join("out/report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        report["instances"][0]["header"]["params"].clone()
    };
    assert_eq!(
        counted(&[]),
        serde_json::json!({"count": 1, "word": "get_status"})
    );
    assert_eq!(counted(&["--tier", "quick"])["count"], 2);
    assert_eq!(counted(&["--tier", "quick", "--set", "count=3"])["count"], 3);
    // What is typed like a number is text where text is wanted.
    assert_eq!(counted(&["--set", "word=42"])["word"], "42");
}

#[test]
fn repeats_jobs_and_seeds() {
    let folder = bench();
    let digest = |seed: &str, jobs: &str| {
        let arguments = [
            "run",
            "--unit",
            "sim:edge-poll",
            "--path",
            "ack-lost",
            "--repeat",
            "3",
            "--seed",
            seed,
            "--jobs",
            jobs,
            "--report",
            "out",
        ];
        let told = hil_in(folder.path(), &arguments);
        assert_eq!(told.code, 0, "{}", told.err);
        let digest = hil_in(folder.path(), &["judge", "out", "--digest"]);
        assert_eq!((digest.code, digest.out.trim().len()), (0, 64), "{}", digest.err);
        (told.out.lines().last().map(str::to_owned), digest.out)
    };
    let (counts, first) = digest("11", "1");
    assert!(counts.is_some_and(|line| !line.contains("failed")));
    assert_eq!(first, digest("11", "4").1);
    assert_ne!(first, digest("12", "4").1);
    let journal = fs::read_to_string(folder.path().join("out/journal.jsonl")).unwrap();
    for repetition in 0..3 {
        assert!(journal.contains(&format!("\"edge-poll/ack-lost@sim#{repetition}\"")));
    }
}

#[test]
fn the_first_failure_ends_a_run_that_fails_fast() {
    let folder = bench();
    let arguments = [
        "--path",
        "edge-poll/ack-",
        "--path",
        "mine/passes",
        "--defect",
        "ack-wrong-id",
    ];
    let whole = run(folder.path(), &arguments);
    let fast = run(folder.path(), &[&arguments[..], &["--fail-fast"]].concat());
    assert_eq!((whole.code, fast.code), (4, 4));
    let told = |told: &Told| told.err.lines().count();
    assert!(told(&fast) < told(&whole), "{}\n{}", fast.err, whole.err);
    assert!(fast.out.contains("the run was cut short"), "{}", fast.out);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_reports_what_it_has_and_leaves_nothing_behind() {
    let folder = bench();
    let stubborn = "name: stubborn\nprotocol: edge-poll\ndriver: process\ncommand: [sh, -c, \"trap '' TERM INT; echo $$ >> {unit_dir}/pids; while :; do sleep 0.2; done\"]\nstop: {timeout: 60s}\nfacts: {services: [a, b, c]}\n";
    fs::write(folder.path().join("stubborn.yaml"), stubborn).unwrap();
    let child = hil()
        .args([
            "run",
            "--scenarios",
            "suites",
            "--path",
            "mine",
            "--unit",
            "stubborn.yaml",
            "--jobs",
            "2",
            "--report",
            "out",
        ])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let signal = |name: &str| Command::new("kill").args([name, &pid]).status().unwrap();
    wait_for(|| folder.path().join("pids").exists());
    signal("-INT");
    // The unit ignores the request to end, and has a minute to follow it; the second request does not wait.
    thread::sleep(Duration::from_millis(500));
    signal("-TERM");
    let output = child.wait_with_output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(5), "{out}{err}");
    assert!(out.contains("the run was cut short"), "{out}");
    assert!(err.contains("ending") && err.contains("killing units"), "{err}");
    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    for pid in pids.lines() {
        wait_for(|| {
            !Command::new("kill")
                .args(["-0", pid])
                .stderr(Stdio::null())
                .status()
                .unwrap()
                .success()
        });
    }
    let judged = hil_in(folder.path(), &["judge", "out"]);
    assert_eq!((judged.code, judged.err.as_str()), (5, ""), "{}", judged.out);
}

fn wait_for(happened: impl Fn() -> bool) {
    for _ in 0..400 {
        if happened() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it never happened");
}

#[test]
fn the_example_of_the_suites_readme_passes_as_it_stands() {
    let readme = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/suites/README.md"
    ));
    let readme = readme.unwrap();
    let example = readme.split("```yaml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let suites = folder.path().join("suites/mine");
    fs::create_dir_all(&suites).unwrap();
    fs::write(suites.join("example.yaml"), example).unwrap();
    let told = run(folder.path(), &["--path", "mine/example"]);
    assert_eq!(told.code, 0, "{}{}", told.out, told.err);
    assert!(told.out.contains("1 passed"), "{}", told.out);
}

#[test]
fn a_unit_that_runs_already_and_speaks_plain_http_is_asked_nothing_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("unit.yaml");
    let text = "name: far\nprotocol: device-command\ndriver: remote\nics: {lab-mode: true}\n";
    fs::write(&unit, text).unwrap();
    let unit = unit.display().to_string();
    let asked = ["run", "--unit", &unit, "--path", "device-command/tls-inv"];
    let told = hil_in(folder.path(), &asked);
    assert_eq!(told.code, 7, "{}{}", told.out, told.err);
    assert!(
        told.err
            .contains("this unit runs on plain http (else `ics: {lab-mode: false}`)"),
        "{}",
        told.err
    );
}

#[test]
fn a_run_that_selects_nothing_says_why() {
    let folder = bench();
    let none = run(folder.path(), &["--path", "nonsense"]);
    assert_eq!(none.code, 7, "{}", none.err);
    assert!(none.err.contains("hil list scenarios"), "{}", none.err);
    let none = run(folder.path(), &["--requirement", "AOS7-DISC-902"]);
    assert_eq!(none.code, 7, "{}", none.err);
    assert!(none.err.contains("hil list requirements"), "{}", none.err);
    // Monitors alone judge this one, in every run of its protocol.
    let watched = run(
        folder.path(),
        &["--requirement", "POLL-REPORT-005", "--path", "mine/passes"],
    );
    assert_eq!(watched.code, 0, "{}", watched.err);
}

#[test]
fn what_must_never_come_is_also_looked_for_before_the_last_action() {
    let folder = bench();
    let text = "name: One poll only\nprotocol: edge-poll\nverifies: [POLL-INTERVAL-001]\nsteps:\n  - do: unit.start\n  - expect: \
                unit.poll\n    as: first\n  - wait: 70s\n  - do: cloud.queue\n    with: {command: get_status}\n  - never: \
                unit.poll\n    after: first\n    within: 60s\n    verifies: [POLL-INTERVAL-001]\n";
    fs::write(folder.path().join("suites/mine/once.yaml"), text).unwrap();
    let told = run(folder.path(), &["--path", "mine/once"]);
    assert_eq!(told.code, 4, "{}{}", told.out, told.err);
    assert!(told.out.contains("and must not"), "{}", told.out);
}
