//! How processes start, end, are stopped and power-cycled.

use crate::bench::{Bench, object, run};
use hil_unit::{
    UnitError,
    trace::{Blame, ConsoleStream, UnitChange},
};
use serde_json::json;
use std::{
    fs,
    time::{Duration, Instant},
};

#[test]
fn the_state_folder_survives_a_power_cut_but_not_preparing() {
    run(async {
        let bench = Bench::new();
        let script = r#"
            cd "$HIL_STATE_DIR"
            echo boot >> boots
            sleep 60 & echo $! > child
            echo $$ > leader
            trap '' TERM
            echo up
            while :; do sleep 0.05; done
        "#;
        let mut unit = bench.script(script, "ready: {console: up, timeout: 5s}");
        unit.start().await.unwrap();
        let (leader, child) = (bench.read("leader"), bench.read("child"));
        assert!(alive(&leader) && alive(&child));
        unit.cut_power().await.unwrap();
        bench.until("death", |_| !alive(&leader) && !alive(&child)).await;
        unit.restore_power().await.unwrap();
        bench
            .until("second boot", |b| b.read("boots") == "boot\nboot\n")
            .await;
        unit.cut_power().await.unwrap();
        let changes: Vec<_> = bench.changes().into_iter().map(|(change, _)| change).collect();
        use UnitChange::*;
        assert_eq!(
            changes,
            [Started, Booted, PowerCut, PowerRestored, Booted, PowerCut]
        );
        assert_eq!(bench.changes()[4].1, json!({"boot": 2}));

        unit.prepare(&object(json!({"running": "current"})))
            .await
            .unwrap();
        assert_eq!(bench.read("boots"), "");
        let refused = unit
            .prepare(&object(json!({"running": "next"})))
            .await
            .unwrap_err();
        assert!(matches!(refused, UnitError::BadArgument { .. }), "{refused}");
        let refused = unit.prepare(&object(json!({"store": "full"}))).await.unwrap_err();
        assert!(matches!(refused, UnitError::NotSupported(_)), "{refused}");
    });
}

#[test]
fn what_left_the_process_group_is_ended_too() {
    run(async {
        let bench = Bench::new();
        let script = r#"
            cd "$HIL_STATE_DIR"
            rm -f daemon
            setsid sh -c 'echo $$ > daemon; exec sleep 60' &
            while [ ! -s daemon ]; do sleep 0.01; done
            echo up
            sleep 60
        "#;
        let mut unit = bench.script(script, "ready: {console: up, timeout: 5s}");
        unit.start().await.unwrap();
        let first = bench.read("daemon");
        assert!(alive(&first));
        unit.cut_power().await.unwrap();
        assert!(!alive(&first));

        unit.start().await.unwrap();
        let second = bench.read("daemon");
        assert!(alive(&second) && second != first);
        unit.stop().await.unwrap();
        assert!(!alive(&second));

        unit.start().await.unwrap();
        let third = bench.read("daemon");
        drop(unit);
        bench.until("death", |_| !alive(&third)).await;
    });
}

#[test]
fn a_process_asked_to_fail_at_a_write_ends_as_if_power_failed() {
    run(async {
        let bench = Bench::new();
        let script = "cd \"$HIL_STATE_DIR\"\nsleep 60 &\necho $! > child\necho up\nwhile [ ! -e cut ]; do sleep 0.01; done\nrm cut\nexit 7\n";
        let mut unit = bench.script(
            script,
            "ready: {console: up}\nstimuli: {cut_at_write: [touch, \"{state_dir}/cut\"]}",
        );
        unit.start().await.unwrap();
        let child = bench.read("child");
        let outage = object(json!({"write": 1, "seconds": 0.3}));
        unit.stimulate("cut_at_write", &outage).await.unwrap();
        bench
            .until("the power cut", |bench| bench.changes().len() > 2)
            .await;
        bench.until("death", |_| !alive(&child)).await;
        bench
            .until("the next boot", |bench| bench.changes().len() > 4)
            .await;
        let again = [
            (UnitChange::PowerCut, json!({"status": 7})),
            (UnitChange::PowerRestored, json!({})),
            (UnitChange::Booted, json!({"boot": 2})),
        ];
        assert_eq!(bench.changes()[2..], again);

        // Without a time power stays away until it is restored; a process that ends later has ended by itself.
        let for_good = object(json!({"write": 1}));
        unit.stimulate("cut_at_write", &for_good).await.unwrap();
        bench
            .until("the power cut", |bench| bench.changes().len() > 5)
            .await;
        unit.restore_power().await.unwrap();
        fs::write(bench.state().join("cut"), "").unwrap();
        bench.until("its end", |bench| bench.changes().len() > 8).await;
        let changes: Vec<UnitChange> = bench.changes()[5..].iter().map(|(change, _)| *change).collect();
        use UnitChange::{Booted, Exited, PowerCut, PowerRestored};
        assert_eq!(changes, [PowerCut, PowerRestored, Booted, Exited]);

        let refused = object(json!({"write": 1, "seconds": "soon"}));
        let refused = unit.stimulate("cut_at_write", &refused).await.unwrap_err();
        assert_eq!(refused.to_string(), "`seconds`: \"soon\" is no number of seconds");
    });
}

#[test]
fn a_process_is_held_up_and_goes_on() {
    run(async {
        let bench = Bench::new();
        let script = "cd \"$HIL_STATE_DIR\"\necho up\nwhile true; do echo x >> ticks; sleep 0.02; done\n";
        let mut unit = bench.script(script, "ready: {console: up}");
        unit.start().await.unwrap();
        let long = object(json!({"seconds": 60}));
        unit.stimulate("busy", &long).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let held = bench.read("ticks");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(bench.read("ticks"), held);
        unit.undo("busy", &long).await.unwrap();
        bench
            .until("the next tick", |bench| bench.read("ticks") != held)
            .await;
        // One that is held up can be stopped, too.
        unit.stimulate("busy", &long).await.unwrap();
        unit.stop().await.unwrap();
    });
}

#[test]
fn a_stimulus_is_undone_by_the_command_beside_it() {
    run(async {
        let bench = Bench::new();
        let stimuli = "ready: {console: up}\nstimuli:\n  free_space: {command: [sh, -c, 'echo {bytes} > \"$HIL_STATE_DIR/full\"'], undo: [rm, \"{state_dir}/full\"]}\n  clock_jump: [sh, -c, 'echo {seconds} >> \"$HIL_STATE_DIR/jumps\"']\n  module: [\"true\"]\n";
        let mut unit = bench.script("echo up\nsleep 60\n", stimuli);
        unit.start().await.unwrap();
        let full = object(json!({"bytes": 7}));
        unit.stimulate("free_space", &full).await.unwrap();
        assert_eq!(bench.read("full"), "7\n");
        unit.undo("free_space", &full).await.unwrap();
        assert!(!bench.state().join("full").exists());
        let jump = object(json!({"seconds": 3600.0}));
        unit.stimulate("clock_jump", &jump).await.unwrap();
        unit.undo("clock_jump", &jump).await.unwrap();
        assert_eq!(bench.read("jumps"), "3600.0\n-3600.0\n");
        let refused = unit.undo("module", &object(json!({}))).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "this unit's driver cannot undo stimulus `module`"
        );
    });
}

#[test]
fn a_polite_process_is_stopped_in_order() {
    run(async {
        let bench = Bench::new();
        let script = "trap 'echo bye; exit 3' TERM\necho up\nwhile :; do sleep 0.02; done\n";
        let mut unit = bench.script(script, "ready: {console: up}");
        unit.start().await.unwrap();
        unit.stop().await.unwrap();
        assert_eq!(bench.console(ConsoleStream::Stdout), "up\nbye\n");
        let stopped = json!({"status": 3, "forced": false});
        assert_eq!(bench.changes()[2], (UnitChange::Stopped, stopped));
        unit.start().await.unwrap();
        assert_eq!(bench.changes()[4], (UnitChange::Booted, json!({"boot": 2})));
    });
}

#[test]
fn a_stubborn_process_is_killed_when_the_time_is_over() {
    run(async {
        let bench = Bench::new();
        let script =
            "trap '' TERM\necho $$ > \"$HIL_STATE_DIR/leader\"\necho up\nwhile :; do sleep 0.02; done\n";
        let mut unit = bench.script(script, "ready: {console: up}\nstop: {timeout: 200ms}");
        unit.start().await.unwrap();
        let begun = Instant::now();
        unit.stop().await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(200));
        let stopped = json!({"signal": 9, "forced": true});
        assert_eq!(bench.changes()[2], (UnitChange::Stopped, stopped));

        unit.start().await.unwrap();
        let leader = bench.read("leader");
        assert!(alive(&leader));
        drop(unit);
        bench.until("death with its unit", |_| !alive(&leader)).await;
    });
}

#[test]
fn a_reboot_keeps_the_state() {
    run(async {
        let bench = Bench::new();
        let script = "echo boot >> \"$HIL_STATE_DIR/boots\"\necho up\nexec sleep 60\n";
        let mut unit = bench.script(script, "ready: {console: up}");
        unit.start().await.unwrap();
        unit.reboot().await.unwrap();
        bench
            .until("second boot", |b| b.read("boots") == "boot\nboot\n")
            .await;
        let changes: Vec<_> = bench.changes().into_iter().map(|(change, _)| change).collect();
        use UnitChange::*;
        assert_eq!(changes, [Started, Booted, Rebooted, Booted]);
    });
}

#[test]
fn a_process_that_dies_at_once_is_the_units_fault() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.script("echo no config >&2\nexit 4\n", "");
        let dead = unit.start().await.unwrap_err();
        assert_eq!(
            dead.to_string(),
            "the unit's process ended with status 4 before it was ready; its last output: no config"
        );
        assert_eq!(dead.blame(), Blame::Unit);
        assert_eq!(bench.changes()[2], (UnitChange::Exited, json!({"status": 4})));

        let mut unit = bench.script("kill -9 $$\n", "ready: {console: up}");
        let dead = unit.start().await.unwrap_err();
        assert!(dead.to_string().contains("signal 9"), "{dead}");

        let mut unit = bench.script(
            "echo down\nexec sleep 60\n",
            "ready: {console: up, timeout: 200ms}",
        );
        let dead = unit.start().await.unwrap_err();
        assert_eq!(
            dead.to_string(),
            "the unit was not ready after 0.2 s: `up` on its console; its last output: down"
        );
    });
}

#[test]
fn a_process_that_ends_later_stays_dead() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.script(ENDS_LATER, "");
        unit.start().await.unwrap();
        bench.until("exit", |b| b.changes().len() == 3).await;
        assert_eq!(bench.changes()[2], (UnitChange::Exited, json!({"status": 1})));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(bench.changes().len(), 3);
    });
}

#[test]
fn a_process_that_ends_later_is_started_again_if_so_wished() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.script(ENDS_LATER, "restart: {when: failure, delay: 100ms}");
        unit.start().await.unwrap();
        bench.until("second exit", |b| b.changes().len() == 6).await;
        let changes = bench.changes();
        assert_eq!(changes[2], (UnitChange::Exited, json!({"status": 1})));
        assert_eq!(changes[3], (UnitChange::Rebooted, json!({})));
        assert_eq!(changes[4], (UnitChange::Booted, json!({"boot": 2})));
        assert_eq!(changes[5], (UnitChange::Exited, json!({"status": 2})));
        unit.cut_power().await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let changes = bench.changes();
        assert_eq!(changes.len(), 7, "no restart without power: {changes:?}");
    });
}

#[test]
fn a_dropped_unit_is_not_started_again() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.script(ENDS_LATER, "restart: {when: always, delay: 100ms}");
        unit.start().await.unwrap();
        bench.until("exit", |b| b.changes().len() == 3).await;
        drop(unit);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(bench.changes().len(), 3);
        assert_eq!(bench.read("boots"), "boot\n");
    });
}

#[test]
fn a_program_that_does_not_exist_is_the_labs_fault() {
    run(async {
        let bench = Bench::new();
        let mut unit = bench.unit("command: [./no-such-agent]");
        let refused = unit.start().await.unwrap_err();
        assert!(refused.to_string().starts_with("cannot start `"), "{refused}");
        assert!(
            refused.to_string().contains("no-such-agent`: No such file"),
            "{refused}"
        );
        assert_eq!(refused.blame(), Blame::Lab);
        let mut unit = bench.unit("command: [sh]\nworking_directory: nowhere");
        let refused = unit.start().await.unwrap_err();
        assert!(refused.to_string().contains("there is no folder"), "{refused}");
    });
}

fn alive(process: &str) -> bool {
    // A zombie nobody reaps is dead.
    fs::read_to_string(format!("/proc/{}/stat", process.trim()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

const ENDS_LATER: &str =
    "echo boot >> \"$HIL_STATE_DIR/boots\"\nsleep 0.3\nexit $(wc -l < \"$HIL_STATE_DIR/boots\")\n";
