//! Measured times over repeats: few values that differ, and many with a trend, against bounds.

use crate::fixture::{Run, header, run};
use hil_reports::{TerminalReport, html, json, junit, markdown};
use hil_trace::{
    Bounds, ClockKind, Histogram, InstanceSummary, Range, RepeatOf, RepeatValue, Repeats, Statistics,
    TimedSeries, Verdict,
};
use hil_wire::Protocol;

fn series(name: &str, n: u32, tolerance: f64, seconds: impl Fn(f64) -> f64, max_us: u64) -> TimedSeries {
    let value = |repetition: u32| RepeatValue {
        repetition,
        seconds: (seconds(f64::from(repetition)) * 1e6).round() / 1e6,
    };
    let values: Vec<RepeatValue> = (0..n).map(value).collect();
    let max = Range {
        min_us: None,
        max_us: Some(max_us),
    };
    TimedSeries {
        name: name.to_owned(),
        resolution: 0.001,
        tolerance,
        bounds: Some(Box::new(Bounds {
            step: "7".to_owned(),
            each: max,
            p99: max,
            drift_us: Some(50_000),
            ..Bounds::default()
        })),
        missing: 0,
        statistics: Statistics::of(&values).unwrap(),
        histogram: Histogram::of(values.iter().map(|v| v.seconds), 0.001).unwrap(),
        values,
    }
}

/// Values that look like chance, from 0 to 1.
fn chance(number: f64) -> f64 {
    (number * 12.9898).sin().abs()
}

fn repeated(number: u32, series: Vec<TimedSeries>) -> InstanceSummary {
    let mut header = header(
        Protocol::OtaRpc,
        &format!("repeated-{number}"),
        "sim",
        ClockKind::Virtual,
    );
    header.repeat_of = Some(RepeatOf {
        group: header.instance.clone(),
        times: number,
    });
    InstanceSummary {
        exercised: Default::default(),
        header,
        verdict: Verdict::Pass,
        left: None,
        skipped: None,
        findings: Vec::new(),
        measurements: Vec::new(),
        repeats: Some(Box::new(Repeats {
            planned: number,
            ran: number,
            passed: number,
            by_figures: number - 2,
            series,
        })),
        sweep: None,
        duration: 0.0,
        records: 0,
    }
}

fn timed() -> Run {
    let mut run = run();
    run.summary.instances = vec![
        repeated(
            24,
            vec![series(
                "poll to ack",
                24,
                0.02,
                |i| 0.4 + 0.2 * chance(i),
                650_000,
            )],
        ),
        repeated(
            5000,
            vec![series(
                "rollback",
                5000,
                0.0,
                |i| 300.1 + 0.2 * chance(i) * chance(i * 1.7) + i * 2e-5,
                302_000_000,
            )],
        ),
    ];
    run.traces.clear();
    run
}

#[test]
fn figures_in_words() {
    let run = timed();
    let report = run.report();
    let terminal = TerminalReport {
        report: &report,
        brief: false,
        written: &[],
    };
    let markdown = markdown(&report);
    let (_, table) = markdown.split_once("### Measured").unwrap();
    let table: Vec<&str> = table
        .lines()
        .take_while(|line| !line.starts_with("### "))
        .collect();
    let junit = junit(&report).unwrap();
    let properties: Vec<&str> = junit.lines().filter(|line| line.contains("measured.")).collect();
    insta::assert_snapshot!(
        "timing",
        format!(
            "{}\n{}\n{}",
            terminal.render(100, false),
            table.join("\n"),
            properties.join("\n")
        )
    );
}

#[test]
fn pictures_are_small_and_inside_their_frame() {
    let page = html(&timed().report()).unwrap();
    let view = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("timing.html");
    std::fs::write(view, &page).unwrap();
    assert!(page.len() < 150_000, "{}", page.len());
    assert!(!page.contains("NaN") && !page.contains("inf"));
    let coordinates = page
        .split("cx=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let coordinates: Vec<f64> = coordinates.map(|text| text.parse().unwrap()).collect();
    assert_eq!(coordinates.len(), 24);
    assert!(coordinates.iter().all(|x| (0.0..=500.0).contains(x)));
}

#[test]
fn figures_are_read_back_and_fit_the_schema() {
    let run = timed();
    let text = json(&run.summary).unwrap();
    let again: hil_trace::RunSummary = serde_json::from_str(&text).unwrap();
    assert_eq!(again.instances.len(), run.summary.instances.len());
    let schema = serde_json::from_str(hil_reports::SCHEMA_TEXT).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    let mistakes: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert_eq!(mistakes, Vec::<String>::new());
}
