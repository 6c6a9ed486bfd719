//! What a stimulus does to the hardware is taken back by undoing it.

#[allow(dead_code, unreachable_pub)]
mod support;

use hil_wire::Protocol;
use serde_json::json;
use support::{Bench, arguments, edge_peer, in_virtual_time};

const P: Protocol = Protocol::EdgePoll;

#[test]
fn storage_is_emptied_and_the_clock_is_right_again() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let mut unit = bench.unit(P, &[]);
        let nothing = arguments(json!({}));
        let before = unit.probe("free_space", &nothing).await.unwrap();
        let full = arguments(json!({"bytes": 0}));
        assert_eq!(unit.stimulate("free_space", &full).await, Ok(json!({"bytes": 0})));
        assert_eq!(unit.undo("free_space", &full).await, Ok(json!({"bytes": before})));
        assert_eq!(unit.probe("free_space", &nothing).await, Ok(before));

        let jump = arguments(json!({"seconds": -3600}));
        let off = unit.stimulate("clock_jump", &jump).await;
        assert_eq!(off, Ok(json!({"offset_seconds": -3600.0})));
        let right = Ok(json!({"offset_seconds": 0.0}));
        assert_eq!(unit.undo("clock_jump", &jump).await, right);
        unit.stimulate("clock_unset", &nothing).await.unwrap();
        assert_eq!(unit.undo("clock_unset", &nothing).await, right);
        assert!(unit.undo("device_key", &nothing).await.is_err());
    });
}

#[test]
fn software_that_is_held_up_does_nothing_and_then_goes_on() {
    in_virtual_time(async {
        let bench = Bench::memory(P);
        let peer = edge_peer::start(&bench).await;
        peer.borrow_mut().publish("next");
        let mut unit = bench.unit(P, &[]);
        unit.start().await.unwrap();
        bench.sleep(10.0).await;
        let held = arguments(json!({"seconds": 300}));
        unit.stimulate("busy", &held).await.unwrap();
        peer.borrow_mut()
            .queue("u", "config_update", json!({"log_level": "debug"}));
        bench.sleep(290.0).await;
        assert!(peer.borrow().acks().is_empty());
        bench.sleep(60.0).await;
        assert!(!peer.borrow().acks().is_empty());

        unit.stimulate("busy", &held).await.unwrap();
        unit.undo("busy", &held).await.unwrap();
        peer.borrow_mut()
            .queue("v", "config_update", json!({"log_level": "info"}));
        bench.sleep(60.0).await;
        assert!(peer.borrow().acks().iter().any(|ack| ack.contains('v')));
    });
}
