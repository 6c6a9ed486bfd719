//! `hil run` with units behind adapters: what is not implemented is not exercised, and what is wrong is the lab's.

mod support;

use std::{fs, path::Path};
use support::{Told, hil_in};
use tempfile::TempDir;

const SCENARIO: &str =
    "name: A unit polls\nprotocol: edge-poll\nverifies: [POLL-INTERVAL-001]\nsteps:\n  - do: unit.start\n";
const PROBES: &str = "  - do: unit.probe\n    with: {name: free_space}\n    verifies: none\n";

/// An adapter in Python, and two scenarios: one that starts the unit, one that also probes it.
fn bench(adapter: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let suites = folder.path().join("suites/mine");
    fs::create_dir_all(&suites).unwrap();
    fs::write(suites.join("starts.yaml"), SCENARIO).unwrap();
    fs::write(suites.join("probes.yaml"), format!("{SCENARIO}{PROBES}")).unwrap();
    fs::write(folder.path().join("adapter.py"), adapter).unwrap();
    let unit = "name: unit-1\nprotocol: edge-poll\ndriver: adapter\ncommand: [python3, \"{unit_dir}/adapter.py\"]\n\
                timeouts: {start: 2s}\n";
    fs::write(folder.path().join("unit.yaml"), unit).unwrap();
    folder
}

fn run(folder: &Path) -> Told {
    let arguments = [
        "run",
        "--scenarios",
        "suites",
        "--unit",
        "unit.yaml",
        "--seed",
        "7",
        "--path",
        "mine/",
        "--report",
        "out",
    ];
    hil_in(folder, &arguments)
}

fn adapter(probes: &str, at: &str) -> String {
    format!(
        "import json, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    name, answer = asked['request'], {{'result': {{}}}}
    if name == 'hello':
        answer = {{'result': {{'protocol': 1, 'name': 'x', 'implements': ['provision', 'start', 'stop', 'probe'], 'probes': {probes}}}}}
    {at}
    print(json.dumps({{'id': asked['id'], **answer}}), flush=True)
"
    )
}

#[test]
fn what_an_adapter_does_not_implement_is_not_exercised() {
    for (probes, at, why) in [
        (
            "[]",
            "",
            "not exercised: the unit's adapter has no probe `free_space`",
        ),
        (
            "['free_space']",
            "if name == 'probe': answer = {'not_implemented': True}",
            "not exercised: the unit's adapter does not implement probe `free_space`",
        ),
    ] {
        let folder = bench(&adapter(probes, at));
        let told = run(folder.path());
        assert_eq!(told.code, 0, "{}", told.out);
        let line = |name: &str| {
            let mut lines = told.out.lines().chain(told.err.lines());
            lines
                .find(|line| line.contains(name))
                .unwrap_or_default()
                .to_owned()
        };
        assert!(line("mine/starts@unit-1").contains("PASS"), "{}", told.out);
        let probes = line("mine/probes@unit-1");
        assert!(probes.contains("SKIP") && probes.ends_with(why), "{probes}");
        // A journal says the same.
        let judged = hil_in(folder.path(), &["judge", "out"]);
        assert!(judged.out.contains("1 passed, 1 skipped"), "{}", judged.out);
    }
}

#[test]
fn an_adapter_that_does_wrong_is_an_error_of_the_lab() {
    for (script, why) in [
        (
            adapter(
                "[]",
                "if name == 'start': answer = {'error': 'the bench is locked'}",
            ),
            "the adapter could not do `start`: `the bench is locked`",
        ),
        (
            adapter("[]", "if name == 'start': print('Traceback', flush=True)"),
            "the adapter wrote a line that is no JSON (expected value at line 1 column 1): `Traceback`",
        ),
        (
            adapter("[]", "if name == 'start': time.sleep(600)"),
            "the adapter did not answer `start` within 2 s",
        ),
        (
            adapter("[]", "if name == 'provision': sys.exit(9)"),
            "the adapter ended (exit status: 9)",
        ),
        (
            "import sys\nsys.exit('no such bench')\n".to_owned(),
            "the adapter ended (exit status: 1); its last words on standard error: `no such bench`",
        ),
    ] {
        let folder = bench(&script);
        let told = run(folder.path());
        assert_eq!(told.code, 6, "{}", told.out);
        assert!(told.out.contains(why) && told.out.contains("lab"), "{}", told.out);
        assert!(
            !told.out.contains("PASS") && !told.out.contains("FAIL"),
            "{}",
            told.out
        );
    }
}

#[test]
fn an_adapter_is_looked_at_before_any_run() {
    let lint = |probes: &str, at: &str| {
        let folder = bench(&adapter(probes, at));
        hil_in(folder.path(), &["lint", "--adapter", "unit.yaml"])
    };
    let told = lint("['free_space', 'memory']", "");
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(
        told.out.starts_with(
            "unit.yaml: x\n  implements probe, provision, start, stop\n  probes free_space, memory\n"
        ),
        "{}",
        told.out
    );
    let told = lint("['free_spaec']", "");
    assert_eq!(told.code, 3);
    let said = "unit.yaml: the adapter names probe `free_spaec`, which edge-poll has not; did you mean `free_space`?";
    assert!(told.err.contains(said), "{}", told.err);
    let told = lint("[]", "sys.exit(4)");
    assert_eq!(told.code, 3);
    assert!(
        told.err.contains("unit.yaml: the adapter ended (exit status: 4)"),
        "{}",
        told.err
    );
}
