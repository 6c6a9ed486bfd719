//! `hil selftest` and `hil list defects` as users call them.

mod support;

use serde_json::Value;

fn hil(arguments: &[&str]) -> (i32, String, String) {
    let output = support::hil().args(arguments).output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn a_defect_is_caught_by_its_own_requirement() {
    let (code, out, _) = hil(&["selftest", "--defect", "polls-too-fast", "--seeds", "2", "--json"]);
    let matrix: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &matrix["passed"]), (0, &true.into()), "{out}");
    let line = &matrix["defects"][0];
    assert_eq!(line["primary"], "POLL-INTERVAL-001");
    let runs = line["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for run in runs {
        assert_eq!(run["outcome"]["outcome"], "detected", "{run}");
        assert!(
            !run["outcome"]["evidence"].as_array().unwrap().is_empty(),
            "{run}"
        );
    }
}

/// A scenario that shows nothing stands in for the one that would: the defect is missed, and that is told.
#[test]
fn a_defect_that_nothing_catches_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let suite = folder.path().join("edge-poll");
    std::fs::create_dir(&suite).unwrap();
    let text = "name: x\nprotocol: edge-poll\nverifies: [POLL-CMD-010]\nsteps:\n  - do: unit.start\n  \
                - expect: unit.poll\n    within: 300s\n";
    std::fs::write(suite.join("config-survives-power-cut.yaml"), text).unwrap();
    let scenarios = folder.path().to_str().unwrap();
    let report = folder.path().join("report");
    let (code, out, _) = hil(&[
        "selftest",
        "--defect",
        "configuration-lost",
        "--scenarios",
        scenarios,
        "--report",
        report.to_str().unwrap(),
    ]);
    assert_eq!(code, 4, "{out}");
    assert!(out.contains("configuration-lost (edge-poll)"), "{out}");
    assert!(out.contains("POLL-CMD-010 does not fail in edge-poll/"), "{out}");
    let page = std::fs::read_to_string(report.join("selftest.html")).unwrap();
    assert!(
        page.contains("configuration-lost") && !page.contains("<script"),
        "{page}"
    );
}

#[test]
fn every_defect_names_a_requirement_there_is() {
    let (code, out, _) = hil(&["list", "defects"]);
    assert_eq!(code, 0);
    let (_, requirements, _) = hil(&["list", "requirements"]);
    let known: Vec<&str> = requirements
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let defects: Vec<&str> = out.lines().filter(|line| line.contains("  ")).collect();
    assert!(defects.len() > 50, "{out}");
    for defect in defects {
        let primary = defect.split_whitespace().nth(1).unwrap();
        assert!(known.contains(&primary), "{defect}");
    }
}

#[test]
fn an_unknown_defect_is_a_mistake_on_the_command_line() {
    let (code, _, error) = hil(&["selftest", "--defect", "polls-to-fast"]);
    assert_eq!(code, 2);
    assert!(error.contains("did you mean `polls-too-fast`"), "{error}");
}
