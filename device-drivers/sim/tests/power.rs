//! Power fails at every single write to flash, one run each: whatever the command, nothing is forgotten, nothing is
//! done twice, and a version always runs.

#[allow(dead_code, unreachable_pub)]
mod support;

use hil_wire::Protocol;
use serde_json::{Value, json};
use support::{Bench, arguments, edge_peer, in_virtual_time};

const P: Protocol = Protocol::EdgePoll;

struct Ending {
    acks: Vec<String>,
    reports: Vec<String>,
    version: Value,
    executions: u64,
    failed: bool,
}

/// One run with a power failure at the n-th write, or in the midst of it.
fn run(n: u64, torn: bool, command: &str, payload: &Value, role: &str) -> Ending {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut().publish(role);
        let mut unit = bench.unit(P, &[]);
        let failure = arguments(json!({"write": n, "torn": torn, "seconds": 5}));
        unit.stimulate("cut_at_write", &failure).await.unwrap();
        unit.start().await.unwrap();
        peer.borrow_mut().queue("u", command, payload.clone());
        bench.sleep(600.0).await;
        let executions = unit
            .probe("executions", &arguments(json!({"id": "u"})))
            .await
            .unwrap();
        let version = unit.probe("version", &arguments(json!({}))).await.unwrap();
        let peer = peer.borrow();
        Ending {
            acks: peer.acks(),
            reports: peer.reports(),
            version,
            executions: executions.as_u64().unwrap(),
            failed: bench.records.changes().iter().any(|change| change == "PowerCut"),
        }
    })
}

fn sweep(command: &str, payload: Value, role: &str, versions: &[&str], mut check: impl FnMut(u64, &Ending)) {
    for (n, torn) in (1..200).flat_map(|n| [(n, false), (n, true)]) {
        let ending = run(n, torn, command, &payload, role);
        let terminal: Vec<_> = ending
            .acks
            .iter()
            .filter(|ack| !ack.contains("in_progress"))
            .collect();
        assert!(!terminal.is_empty(), "{n}: no terminal acknowledgement");
        assert!(
            terminal.iter().all(|ack| *ack == terminal[0]),
            "{n}: {terminal:?}"
        );
        assert!(
            ending.executions <= 1,
            "{n}: executed {} times",
            ending.executions
        );
        assert!(
            versions.iter().any(|v| ending.version == *v),
            "{n}: {}",
            ending.version
        );
        check(n, &ending);
        if !ending.failed {
            assert!(n > 3, "the sweep never cut power");
            return;
        }
    }
    panic!("the run has too many writes for this sweep");
}

#[test]
fn an_update_reaches_its_end() {
    let payload = json!({"snap_name": "edge-agent", "version": "1.1.0"});
    sweep("update_snap", payload, "next", &["1.1.0"], |n, ending| {
        assert_eq!(ending.acks.last().unwrap(), "u completed", "{n}");
        let last = ending.reports.last().unwrap();
        assert!(last == "success" || last == "already_installed", "{n}: {last}");
    });
}

#[test]
fn a_rollback_reaches_its_end() {
    let payload = json!({"snap_name": "edge-agent", "version": "1.2.0"});
    sweep("update_snap", payload, "crash", &["1.0.0"], |n, ending| {
        assert_eq!(ending.acks.last().unwrap(), "u failed rolled_back", "{n}");
        assert_eq!(ending.reports.last().unwrap(), "rolled_back", "{n}");
    });
}

#[test]
fn other_commands_reach_their_end() {
    sweep(
        "config_update",
        json!({"log_level": "debug"}),
        "next",
        &["1.0.0"],
        |_, _| {},
    );
    sweep(
        "restart_service",
        json!({"service": "telemetry"}),
        "next",
        &["1.0.0"],
        |_, _| {},
    );
    sweep(
        "restart_service",
        json!({"service": "edge-agent"}),
        "next",
        &["1.0.0"],
        |_, _| {},
    );
    sweep(
        "run_discovery",
        json!({"subnet": "10.0.0.0/24"}),
        "next",
        &["1.0.0"],
        |_, _| {},
    );
}
