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
