//! A whole edge poll unit in virtual time against a scripted peer.

#[allow(dead_code, unreachable_pub)]
mod support;

use hil_wire::Protocol;
use serde_json::json;
use support::{Bench, KEY, arguments, edge_peer, in_virtual_time};

const P: Protocol = Protocol::EdgePoll;

#[test]
fn polls_with_jitter_and_its_key() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(3600.0).await;
        let polls = peer.borrow().calls("GET /api/v1/commands");
        assert!((114..=126).contains(&polls.len()), "{}", polls.len());
        let gaps: Vec<_> = polls.windows(2).map(|w| w[1].0 - w[0].0).collect();
        assert!(gaps.iter().all(|gap| (27.0..=33.01).contains(gap)), "{gaps:?}");
        assert!(
            polls
                .iter()
                .all(|(_, r)| r.headers.get_all("x-device-key").eq([KEY]))
        );
        assert_eq!(polls[0].1.headers.get("x-agent-version"), Some("1.0.0"));
        assert_eq!(bench.records.changes(), ["Started", "Booted 1.0.0"]);
        assert!(!bench.records.console().contains(KEY));
    });
}

#[test]
fn carries_out_commands_in_order() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        {
            let mut peer = peer.borrow_mut();
            peer.queue("c1", "restart_service", json!({"service": "telemetry"}));
            peer.queue("c2", "format_disk", json!({}));
            peer.queue("c3", "run_discovery", json!({"subnet": "192.168.10.0/28"}));
            peer.queue(
                "c4",
                "config_update",
                json!({"log_level": "debug", "poll_interval_s": 15}),
            );
            peer.queue("c5", "config_update", json!({"log_level": "warn", "colour": 1}));
            peer.queue("c6", "restart_service", json!({"service": "; touch canary"}));
        }
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(60.0).await;
        assert_eq!(
            peer.borrow().acks(),
            [
                "c1 completed",
                "c2 rejected unsupported_command",
                "c3 completed",
                "c4 completed",
                "c5 rejected invalid_config",
                "c6 rejected unknown_service"
            ]
        );
        let starts = |service: &str| arguments(json!({"service": service}));
        assert_eq!(
            unit.probe("service_starts", &starts("telemetry")).await.unwrap(),
            json!(1)
        );
        assert_eq!(
            unit.probe("service_starts", &starts("gateway")).await.unwrap(),
            json!(0)
        );
        let key = arguments(json!({"key": "log_level"}));
        assert_eq!(unit.probe("config", &key).await.unwrap(), json!("debug"));
    });
}

#[test]
fn updates_its_own_snap() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut().publish("next");
        peer.borrow_mut().queue(
            "u1",
            "update_snap",
            json!({"snap_name": "edge-agent", "version": "1.1.0"}),
        );
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(90.0).await;
        let nothing = arguments(json!({}));
        assert_eq!(unit.probe("version", &nothing).await.unwrap(), json!("1.1.0"));
        assert_eq!(unit.probe("installs", &nothing).await.unwrap(), json!(1));
        assert_eq!(unit.probe("temporary_files", &nothing).await.unwrap(), json!(0));
        let peer = peer.borrow();
        assert_eq!(
            peer.reports(),
            ["downloading", "verifying", "installing", "rebooting", "success"]
        );
        assert_eq!(peer.acks(), ["u1 completed"]);
        assert_eq!(
            bench.records.changes(),
            ["Started", "Booted 1.0.0", "Rebooted", "Booted 1.1.0"]
        );
        let order: Vec<_> = peer
            .seen
            .iter()
            .filter(|(_, r)| r.method == "POST")
            .map(|(_, r)| r.target.clone())
            .collect();
        assert_eq!(order.last().map(String::as_str), Some("/api/v1/commands/u1/ack"));
    });
}

#[test]
fn a_lost_answer_is_asked_for_again_without_a_second_execution() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut()
            .queue("c1", "restart_service", json!({"service": "telemetry"}));
        for _ in 0..3 {
            peer.borrow_mut()
                .instead
                .push_back(("POST /api/v1/commands/c1", None));
        }
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(900.0).await;
        assert_eq!(peer.borrow().acks(), ["c1 completed"; 4]);
        let times: Vec<_> = peer.borrow().calls("POST").iter().map(|(at, _)| *at).collect();
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| (29.9..=240.1).contains(gap)), "{gaps:?}");
        let telemetry = arguments(json!({"service": "telemetry"}));
        assert_eq!(unit.probe("service_starts", &telemetry).await.unwrap(), json!(1));
    });
}

#[test]
fn power_during_a_download_resumes_it() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut().publish("big");
        peer.borrow_mut().queue(
            "u1",
            "update_snap",
            json!({"snap_name": "edge-agent", "version": "1.7.0"}),
        );
        // The whole blob is announced, half of it comes, and then nothing.
        peer.borrow_mut().stall_at = Some(100_000);
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(20.0).await;
        assert_eq!(
            unit.probe("temporary_files", &arguments(json!({})))
                .await
                .unwrap(),
            json!(1)
        );
        unit.cut_power().await.unwrap();
        assert_eq!(
            unit.probe("version", &arguments(json!({}))).await.unwrap(),
            json!("1.0.0")
        );
        peer.borrow_mut().stall_at = None;
        bench.sleep(10.0).await;
        unit.restore_power().await.unwrap();
        bench.sleep(120.0).await;
        let downloads = peer.borrow().calls("GET /blob");
        assert_eq!(downloads.len(), 2);
        assert_eq!(downloads[1].1.headers.get("range"), Some("bytes=100000-"));
        assert_eq!(peer.borrow().acks(), ["u1 completed"]);
        assert_eq!(
            bench.records.changes(),
            [
                "Started",
                "Booted 1.0.0",
                "PowerCut",
                "PowerRestored",
                "Booted 1.0.0",
                "Rebooted",
                "Booted 1.7.0"
            ]
        );
    });
}

#[test]
fn a_stalled_download_is_resumed_within_two_minutes() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut().publish("big");
        peer.borrow_mut().queue(
            "u1",
            "update_snap",
            json!({"snap_name": "edge-agent", "version": "1.7.0"}),
        );
        peer.borrow_mut().stall_at = Some(100_000);
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(20.0).await;
        peer.borrow_mut().stall_at = None;
        bench.sleep(400.0).await;
        let times: Vec<_> = peer
            .borrow()
            .calls("GET /blob")
            .iter()
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(times.len(), 2);
        assert!((60.0..=121.0).contains(&(times[1] - times[0])), "{times:?}");
        assert_eq!(peer.borrow().acks(), ["u1 in_progress", "u1 completed"]);
    });
}

#[test]
fn an_unhealthy_version_is_rolled_back() {
    for (role, version) in [("crash", "1.2.0"), ("hang", "1.3.0"), ("mute", "1.4.0")] {
        in_virtual_time(async {
            let bench = Bench::memory(P);
            let peer = edge_peer::start(&bench).await;
            peer.borrow_mut().publish(role);
            peer.borrow_mut().queue(
                "u1",
                "update_snap",
                json!({"snap_name": "edge-agent", "version": version}),
            );
            let mut unit = bench.unit(P, &[]);
            unit.start().await.unwrap();
            bench.sleep(300.0).await;
            let peer = peer.borrow();
            assert_eq!(peer.reports().last().unwrap(), "rolled_back");
            assert_eq!(peer.acks().last().unwrap(), "u1 failed rolled_back");
            let last = bench.records.changes().last().cloned();
            assert_eq!(last.as_deref(), Some("Booted 1.0.0"), "{role}");
        });
    }
}

#[test]
fn its_own_service_restarts_once() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut()
            .queue("c1", "restart_service", json!({"service": "edge-agent"}));
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(600.0).await;
        assert_eq!(peer.borrow().acks(), ["c1 in_progress", "c1 completed"]);
        assert_eq!(
            bench.records.changes(),
            ["Started", "Booted 1.0.0", "Rebooted", "Booted 1.0.0"]
        );
    });
}

#[test]
fn many_commands_are_all_worked_off() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        for n in 0..120 {
            let id = format!("c{n:03}");
            peer.borrow_mut()
                .queue(&id, "restart_service", json!({"service": "telemetry"}));
        }
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(600.0).await;
        let expected: Vec<_> = (0..120).map(|n| format!("c{n:03} completed")).collect();
        assert_eq!(peer.borrow().acks(), expected);
    });
}

#[test]
fn a_day_without_network_changes_nothing() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(86_400.0).await;
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut()
            .queue("c1", "restart_service", json!({"service": "telemetry"}));
        bench.sleep(310.0).await;
        assert_eq!(peer.borrow().acks(), ["c1 completed"]);
    });
}

#[test]
fn a_clock_that_jumps_disturbs_nothing() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        for seconds in [3600.0, -3600.0, 315_360_000.0, -2_087_802_000.0] {
            unit.stimulate("clock_jump", &arguments(json!({"seconds": seconds})))
                .await
                .unwrap();
            bench.sleep(300.0).await;
        }
        let polls = peer.borrow().calls("GET /api/v1/commands");
        let gaps: Vec<_> = polls.windows(2).map(|w| w[1].0 - w[0].0).collect();
        assert!(gaps.iter().all(|gap| (27.0..=33.01).contains(gap)), "{gaps:?}");
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        in_virtual_time(async {
            let bench = Bench::memory(P);
            let peer = edge_peer::start(&bench).await;
            peer.borrow_mut().publish("next");
            let payload = json!({"snap_name": "edge-agent", "version": "1.1.0"});
            peer.borrow_mut().queue("u1", "update_snap", payload);
            for _ in 0..5 {
                peer.borrow_mut()
                    .instead
                    .push_back(("GET /api/v1/snaps/latest", None));
            }
            let mut unit = bench.unit(P, &[]);
            unit.start().await.unwrap();
            bench.sleep(86_400.0).await;
            std::mem::take(&mut peer.borrow_mut().seen)
        })
    };
    let first = run();
    assert!(first.len() > 2800, "{}", first.len());
    assert_eq!(first, run());
}
