//! A run with waivers: one that is used, one that is not needed any more, one that has expired, one with nothing to waive.

use crate::fixture::{Run, run};
use hil_reports::{TerminalReport, html, json, junit, markdown};
use hil_trace::{Waiver, Waivers};
use time::macros::date;

fn waived() -> Run {
    let waiver = |requirement: &str, reason: &str, expires| Waiver {
        requirement: requirement.to_owned(),
        reason: reason.to_owned(),
        expires,
    };
    let waivers = Waivers {
        as_of: date!(2026 - 11 - 23),
        waivers: vec![
            waiver("POLL-ACK-003", "acks get ids in 2.4", date!(2026 - 11 - 23)),
            waiver("POLL-AUTH-001", "<b>two</b> headers", date!(2026 - 12 - 31)),
            waiver("POLL-INTERVAL-002", "no jitter yet", date!(2026 - 11 - 22)),
            waiver("POLL-AUTH-004", "not looked at", date!(2027 - 06 - 30)),
            waiver("AOS7-TLS-001", "of a protocol that ran", date!(2027 - 06 - 30)),
        ],
    };
    let Run {
        summary,
        traces,
        catalogue,
    } = run();
    Run {
        summary: summary.waived(&waivers),
        traces,
        catalogue,
    }
}

#[test]
fn waivers_show_on_every_report() {
    let run = waived();
    let report = run.report();
    let text = TerminalReport {
        report: &report,
        brief: false,
        written: &[],
    };
    insta::assert_snapshot!("terminal", text.render(100, false));
    insta::assert_snapshot!("markdown", markdown(&report));
    let junit = junit(&report).unwrap();
    assert!(junit.contains("<skipped message=\"waived: "), "{junit}");
    let page = html(&report).unwrap();
    for part in [
        "id=\"waivers\"",
        "WAIVED",
        "expired",
        "unneeded",
        "&#60;b&#62;two",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("<b>two"));
    let file: serde_json::Value = serde_json::from_str(&json(&run.summary).unwrap()).unwrap();
    assert_eq!(file["counts"]["waived"], 1);
    assert_eq!(file["coverage"]["edge-poll"]["POLL-ACK-003"]["state"], "waived");
    assert_eq!(
        file["coverage"]["edge-poll"]["POLL-INTERVAL-002"]["state"],
        "warned"
    );
    let standings: Vec<&str> = file["waivers"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|waiver| waiver["standing"].as_str())
        .collect();
    assert_eq!(standings, ["used", "unneeded", "expired", "idle"]);
}
