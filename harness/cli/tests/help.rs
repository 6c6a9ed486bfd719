//! What `hil` says of itself: help, lists, completions, templates, schemas.

mod support;

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};
use support::hil_in;

#[test]
fn every_command_explains_itself() {
    for command in [
        "",
        "run",
        "list",
        "explain",
        "lint",
        "judge",
        "report",
        "report merge",
        "compare",
        "cloud",
        "call",
        "init",
        "schema",
        "completions",
        "simulate",
        "keygen",
        "certify",
        "verify",
    ] {
        let arguments: Vec<&str> = command
            .split(' ')
            .filter(|word| !word.is_empty())
            .chain(["--help"])
            .collect();
        let told = hil_in(Path::new("."), &arguments);
        assert_eq!((told.code, told.err.as_str()), (0, ""), "{command}");
        assert!(
            told.out.lines().all(|line| line.chars().count() <= 110),
            "{command}: {}",
            told.out
        );
        let name = if command.is_empty() { "hil" } else { command };
        insta::assert_snapshot!(format!("help_{}", name.replace(" ", "_")), told.out);
    }
    let version = hil_in(Path::new("."), &["--version"]);
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("hil ", env!("CARGO_PKG_VERSION")))
    );
    let nothing = hil_in(Path::new("."), &[]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("Usage: hil"), "{}", nothing.err);
}

#[test]
fn the_examples_of_run_run() {
    let folder = tempfile::tempdir().unwrap();
    let help = hil_in(Path::new("."), &["run", "--help"]).out;
    let examples = help.split("Examples:").nth(1).unwrap().lines();
    let mut tried = 0;
    for example in examples.filter_map(|line| line.trim().strip_prefix("hil ")) {
        let arguments = words(example);
        // All of it takes long, and nobody here has a unit file of their own.
        if arguments.len() == 1 || example.contains("unit.yaml") {
            continue;
        }
        let once: Vec<&str> = arguments
            .iter()
            .map(|word| if *word == "10" { "1" } else { word })
            .collect();
        let told = hil_in(folder.path(), &[&once[..], &["--fail-fast"]].concat());
        assert_eq!(told.code, 0, "{example}: {}{}", told.out, told.err);
        tried += 1;
    }
    assert!(tried >= 3);
}

/// The words of a command line; what stands in single quotes is one word.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('\'').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split(' ').filter(|word| !word.is_empty()).collect(),
        _ => vec![part],
    });
    words.collect()
}

#[test]
fn lists_name_scenarios_units_and_requirements() {
    let scenarios = hil_in(Path::new("."), &["list", "scenarios", "--protocol", "ota-rpc"]);
    assert_eq!(scenarios.code, 0);
    let last = scenarios.out.lines().last().unwrap();
    assert_eq!(last, format!("{} scenarios", scenarios.out.lines().count() - 1));
    assert!(
        scenarios
            .out
            .lines()
            .rev()
            .skip(1)
            .all(|line| line.starts_with("ota-rpc/"))
    );

    let units = hil_in(Path::new("."), &["list", "units"]);
    for protocol in ["edge-poll", "device-command", "aos-v7", "sota", "ota-rpc"] {
        assert!(units.out.contains(&format!("sim:{protocol}\n")), "{}", units.out);
    }
    let requirements = hil_in(Path::new("."), &["list", "requirements"]);
    let requirements = requirements.out.lines();
    assert_eq!(
        requirements.filter(|line| !line.starts_with(' ')).count(),
        557,
        "and a last line"
    );
    let few = hil_in(
        Path::new("."),
        &["list", "requirements", "--requirement", "POLL-ACK-003"],
    );
    insta::assert_snapshot!("list_one_requirement", few.out);
}

#[test]
fn completions_load_in_every_shell_there_is() {
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = hil_in(Path::new("."), &["completions", shell]);
        assert_eq!(script.code, 0, "{shell}: {}", script.err);
        assert!(script.out.contains("requirements"), "{shell}");
        // Those of fish are for options only.
        assert!(shell == "fish" || script.out.contains("POLL-ACK-003"), "{shell}");
        let child = Command::new(shell)
            .arg(check)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else { continue };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script.out.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{shell}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(hil_in(Path::new("."), &["completions", "tcsh"]).code, 2);
}

#[test]
fn templates_of_unit_files_have_no_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    for protocol in ["edge-poll", "device-command", "aos-v7", "sota", "ota-rpc"] {
        for driver in ["sim", "process", "adapter", "remote"] {
            let told = hil_in(folder.path(), &["init", protocol, "--driver", driver]);
            assert_eq!(told.code, 0, "{}", told.err);
            // The one program a template cannot know.
            let text = told
                .out
                .replace("[./agent,", "[/bin/true,")
                .replace("[./adapter]", "[/bin/true]");
            std::fs::write(folder.path().join("unit.yaml"), text).unwrap();
            let linted = hil_in(folder.path(), &["lint", "unit.yaml"]);
            assert_eq!(linted.code, 0, "{protocol} {driver}: {}", linted.err);
        }
    }
}

#[test]
fn schemas_are_json() {
    for of in ["scenario", "unit", "report"] {
        let told = hil_in(Path::new("."), &["schema", of]);
        let schema: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        assert!(schema["$schema"].is_string(), "{of}");
    }
}
