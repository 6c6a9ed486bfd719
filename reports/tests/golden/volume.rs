//! A large run: the page stays small enough to open.

use crate::fixture::{Run, Script, acks_lost, covered, finding, header, judged, requirement, run};
use hil_trace::{
    ClockKind, CoverageState, FaultPhase, HowClosed, HttpEnding, Level, Measurement, UnitChange, Verdict,
};
use hil_wire::Protocol;
use serde_json::json;
use std::path::Path;

/// 60 instances of all verdicts, each with about 2000 records that do not repeat.
fn large() -> Run {
    let mut run = run();
    for number in 0..54 {
        let protocol = Protocol::ALL[number % 5];
        let mut s = Script::new();
        s.unit(UnitChange::Started, json!({}))
            .unit(UnitChange::Booted, json!({"boot": 1}));
        for i in 0..480 {
            s.at(f64::from(i) * 30.0 + 1.0);
            if i % 50 == 17 {
                s.fault("stream.delay", FaultPhase::Acted, json!({"seconds": i}));
            }
            s.request("GET", &format!("/api/v1/items/{i}"), "").response(
                200,
                &format!(r#"{{"id":"c-{i}","command":"config_update","payload":{{"poll_interval_s":{i}}}}}"#),
                HttpEnding::Complete,
            );
            s.request(
                "POST",
                &format!("/api/v1/commands/c-{i}/ack"),
                r#"{"status":"completed"}"#,
            );
            s.response(
                200,
                &format!(r#"{{"id":"c-{i}","status":"completed"}}"#),
                HttpEnding::Complete,
            );
        }
        let records = s.close(HowClosed::Complete);
        let header = header(
            protocol,
            &format!("long-run-{number:02}"),
            "sim",
            ClockKind::Virtual,
        );
        let verdict = match number % 9 {
            7 => Verdict::Fail,
            _ => Verdict::Pass,
        };
        let (mut summary, trace) = judged(header, records, verdict);
        if verdict == Verdict::Fail {
            let text = "The acknowledgement of c-200 carries no details.";
            summary.findings.push(finding(
                "POLL-ACK-003",
                Level::Must,
                verdict,
                text,
                &[805, 806, 1200],
            ));
        }
        for id in ["POLL-AUTH-001", "POLL-INTERVAL-001", "POLL-AUTH-004"] {
            summary
                .findings
                .push(finding(id, Level::Must, Verdict::Pass, "As required", &[4]));
        }
        summary.measurements = (0..40u64)
            .map(|i| Measurement {
                name: "command to acknowledgement".to_owned(),
                seconds: 0.4 + (i * i % 17) as f64 / 40.0,
                tolerance: 0.02,
                resolution: 1e-6,
                bounds: None,
                evidence: vec![i, i + 2],
            })
            .collect();
        run.summary.instances.push(summary);
        run.traces.push(trace);
    }
    let topics = [
        "ACK", "AUTH", "ERR", "FAULT", "INTERVAL", "JSON", "ORDER", "POWER", "SNAP", "STORE", "TLS",
    ];
    for (p, requirements) in &mut run.summary.coverage {
        for (t, topic) in topics.iter().enumerate() {
            for n in 1..=(3 + t * 5 % 7) {
                let id = format!("{}-{topic}-1{n:02}", p.requirement_prefix());
                let level = [Level::Must, Level::Must, Level::Must, Level::Should, Level::May][(n + t) % 5];
                let state = match (n * 7 + t * 3) % 19 {
                    0 | 6 => CoverageState::NotExercised,
                    4 => CoverageState::NotApplicable,
                    9 if level != Level::Must => CoverageState::Warned,
                    11 if t == 3 => CoverageState::Inconclusive,
                    12 if t == 7 => CoverageState::Violated,
                    _ => CoverageState::Verified,
                };
                let name = format!("{p}/long-run-00@sim");
                let instances: Vec<&str> = vec![&name; usize::from(state == CoverageState::Verified) * 3];
                requirements.extend([covered(&id, level, state, &instances)]);
                let sentence = "A unit that has stored a command acknowledges it after the next boot, whatever happened in between.";
                run.catalogue
                    .requirements
                    .extend([requirement(&id, level, sentence)]);
            }
        }
    }
    run
}

#[test]
fn sixty_instances_fit_in_five_megabytes() {
    let run = large();
    assert_eq!(run.summary.instances.len(), 60);
    let html = hil_reports::html(&run.report()).unwrap();
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("large.html"), &html).unwrap();
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    assert!(hil_reports::markdown(&run.report()).len() < 65_536);
}

#[test]
fn sixty_failures_fit_too() {
    let mut run = run();
    run.summary.instances.clear();
    run.traces.clear();
    let long = large();
    for (mut instance, mut trace) in long.summary.instances.into_iter().zip(long.traces) {
        if trace.records.len() > 100 {
            instance.verdict = Verdict::Fail;
            trace.header = instance.header.clone();
            run.summary.instances.push(instance);
            run.traces.push(trace);
        }
    }
    let (lost, trace) = acks_lost();
    run.summary.instances.push(lost);
    run.traces.push(trace);
    let html = hil_reports::html(&run.report()).unwrap();
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    assert!(hil_reports::markdown(&run.report()).len() < 65_536);
}
