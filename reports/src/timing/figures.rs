//! The figures of measured times in words, the same in every report.

use crate::{report::Report, text};
use hil_trace::{Bounds, InstanceSummary, Repeats, TimedSeries};

/// What stands above the cells.
pub(crate) const HEADS: [&str; 8] = ["n", "min", "median", "p95", "p99", "max", "mean", "drift"];

/// Every group of repeats in the order of names.
pub(crate) fn groups<'a>(report: &Report<'a>) -> Vec<(&'a InstanceSummary, &'a Repeats)> {
    let instances = report.summary.instances.iter();
    instances
        .filter_map(|instance| Some((instance, instance.repeats.as_deref()?)))
        .collect()
}

/// Such as `1000 repeats: 998 passed, 996 of them by figures alone`.
pub(crate) fn kept(repeats: &Repeats) -> String {
    let ran = match repeats.ran == repeats.planned {
        true => text::count(repeats.ran.into(), "repeat"),
        false => format!("{} of {} repeats", repeats.ran, repeats.planned),
    };
    let words = format!("{ran}: {} passed", repeats.passed);
    match repeats.by_figures {
        0 => words,
        n => format!("{words}, {n} of them by figures alone"),
    }
}

/// The figures of a series, one for each head.
pub(crate) fn cells(series: &TimedSeries) -> [String; HEADS.len()] {
    let statistics = &series.statistics;
    let or_none = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), seconds);
    [
        statistics.n.to_string(),
        seconds(statistics.min),
        seconds(statistics.median),
        or_none(statistics.p95),
        or_none(statistics.p99),
        seconds(statistics.max),
        seconds(statistics.mean),
        statistics.drift.map_or_else(
            || "–".to_owned(),
            |drift| format!("{} ± {}", signed(drift.seconds), text::span(drift.uncertainty)),
        ),
    ]
}

/// How exact the clock was: `steps of 1 ms, ± 0 s`.
pub(crate) fn clock(series: &TimedSeries) -> String {
    let (resolution, tolerance) = (text::span(series.resolution), text::span(series.tolerance));
    let missing = match series.missing {
        0 => String::new(),
        n => format!(", {} without a value", text::count(n.into(), "repeat")),
    };
    format!("steps of {resolution}, ± {tolerance}{missing}")
}

/// What a series is held against: `each between 300.000 s and 303.000 s, p99 at most 302.000 s`.
pub(crate) fn bounds(bounds: &Bounds) -> String {
    let ranges = [
        ("each", bounds.each),
        ("median", bounds.median),
        ("p95", bounds.p95),
        ("p99", bounds.p99),
    ];
    let ranges = ranges.iter().filter(|(_, range)| !range.is_open());
    let ranges = ranges.map(|(name, range)| format!("{name} {}", range.words()));
    let drift = bounds.drift().map(|drift| format!("drift at most {drift:.3} s"));
    ranges.chain(drift).collect::<Vec<_>>().join(", ")
}

/// The figures as names and plain numbers of seconds, for programs.
pub(crate) fn properties(series: &TimedSeries) -> Vec<(String, String)> {
    let statistics = &series.statistics;
    let drift = statistics.drift;
    let numbers = [
        ("min", Some(statistics.min)),
        ("median", Some(statistics.median)),
        ("p95", statistics.p95),
        ("p99", statistics.p99),
        ("max", Some(statistics.max)),
        ("mean", Some(statistics.mean)),
        ("deviation", Some(statistics.deviation)),
        ("drift", drift.map(|drift| drift.seconds)),
        ("drift-uncertainty", drift.map(|drift| drift.uncertainty)),
        ("resolution", Some(series.resolution)),
        ("tolerance", Some(series.tolerance)),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(name, value)| Some((name, format!("{:.6}", value?))));
    let counts = [
        ("n", statistics.n.to_string()),
        ("missing", series.missing.to_string()),
    ];
    let held = series.bounds.as_deref().map(|held| ("bounds", bounds(held)));
    let all = counts.into_iter().chain(numbers).chain(held);
    all.map(|(name, value)| (format!("measured.{}.{name}", series.name), value))
        .collect()
}

/// To the millisecond; what is shorter than one, to the microsecond.
fn seconds(seconds: f64) -> String {
    if seconds != 0.0 && seconds.abs() < 0.001 {
        return format!("{:.0} µs", seconds * 1e6);
    }
    format!("{seconds:.3} s")
}

fn signed(value: f64) -> String {
    let words = text::span(value.abs());
    match words.as_str() {
        "0 s" => words,
        _ if value < 0.0 => format!("−{words}"),
        _ => format!("+{words}"),
    }
}
