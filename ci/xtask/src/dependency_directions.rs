//! A crate uses only what stands to its right in the design: checked from `cargo metadata`.

use serde_json::Value;
use std::{collections::BTreeMap, process::Command};

/// What each crate may use of ours; what it may use indirectly follows. Development dependencies are free.
const ALLOWED: &[(&str, &[&str])] = &[
    ("hil-wire", &[]),
    ("hil-diagnostic", &[]),
    ("hil-trace", &["hil-wire"]),
    ("hil-fault", &["hil-trace", "hil-diagnostic"]),
    ("hil-monitor", &["hil-trace", "hil-wire"]),
    ("hil-link", &["hil-trace", "hil-fault"]),
    (
        "hil-unit",
        &["hil-trace", "hil-link", "hil-fault", "hil-wire", "hil-diagnostic"],
    ),
    (
        "hil-sim",
        &["hil-unit", "hil-link", "hil-trace", "hil-wire", "hil-fault"],
    ),
    (
        "hil-mock-cloud",
        &["hil-link", "hil-trace", "hil-wire", "hil-fault"],
    ),
    (
        "hil-scenario",
        &["hil-trace", "hil-wire", "hil-fault", "hil-diagnostic"],
    ),
    ("hil-process", &["hil-unit"]),
    ("hil-adapter", &["hil-unit", "hil-process"]),
    ("hil-lab", &["hil-unit"]),
    ("hil-reports", &["hil-trace", "hil-wire"]),
    (
        "hil-runner",
        &[
            "hil-scenario",
            "hil-monitor",
            "hil-mock-cloud",
            "hil-unit",
            "hil-link",
            "hil-fault",
            "hil-trace",
            "hil-wire",
        ],
    ),
    (
        "hil-certify",
        &[
            "hil-runner",
            "hil-scenario",
            "hil-reports",
            "hil-unit",
            "hil-trace",
            "hil-wire",
            "hil-diagnostic",
        ],
    ),
    (
        "hil-cli",
        &[
            "hil-certify",
            "hil-runner",
            "hil-scenario",
            "hil-monitor",
            "hil-mock-cloud",
            "hil-unit",
            "hil-sim",
            "hil-process",
            "hil-adapter",
            "hil-lab",
            "hil-link",
            "hil-fault",
            "hil-trace",
            "hil-wire",
            "hil-reports",
            "hil-diagnostic",
        ],
    ),
    ("xtask", &[]),
];

/// Compares the workspace with the table; every violation is one line.
pub(crate) fn check() -> Result<String, Vec<String>> {
    let metadata = metadata().map_err(|problem| vec![problem])?;
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut problems = Vec::new();
    let mut edges = 0;
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(may) = allowed.get(name) else {
            problems.push(format!("{name} is not in the table of dependency directions"));
            continue;
        };
        let dependencies = package["dependencies"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        for dependency in dependencies
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
        {
            let used = dependency["name"].as_str().unwrap_or_default();
            if !allowed.contains_key(used) {
                continue;
            }
            edges += 1;
            if !may.contains(&used) {
                problems.push(format!("{name} must not use {used}"));
            }
        }
    }
    if problems.is_empty() {
        Ok(format!(
            "{} crates, {edges} dependencies, all in the right direction",
            packages.len()
        ))
    } else {
        Err(problems)
    }
}

fn metadata() -> Result<Value, String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}
