//! Values over repetitions: a dot for each, or of many the range and the middle of neighbours; bounds as lines with the
//! tolerance around them, and the trend.

use super::scale::{HEIGHT, Rule, Scale, WIDTH, limits, number, ranges, rules};
use hil_trace::{RepeatValue, TimedSeries};
use std::fmt::Write as _;

/// A timeline in the coordinates of its picture.
#[derive(Debug)]
pub(crate) struct TimelinePicture {
    /// Values, if there are few: where, and what.
    pub(crate) dots: Vec<(String, String, String)>,
    /// The range of neighbours, if there are many: one path.
    pub(crate) span: String,
    /// The middle of neighbours: one path.
    pub(crate) middle: String,
    /// The trend: one path, none of few values.
    pub(crate) trend: Option<String>,
    pub(crate) rules: Vec<Rule>,
    /// The ends of both axes.
    pub(crate) low: String,
    pub(crate) high: String,
    pub(crate) last: u32,
}

impl TimelinePicture {
    pub(crate) fn of(series: &TimedSeries) -> TimelinePicture {
        let statistics = &series.statistics;
        let limits = limits(&ranges(series.bounds.as_deref(), false));
        let values = limits.iter().map(|(_, value)| *value);
        let low = values.clone().fold(statistics.min, f64::min);
        let high = values.fold(statistics.max, f64::max);
        let last = series.values.iter().map(|v| v.repetition).max().unwrap_or(0);
        let up = Scale::around(low, high, FLOOR, CEILING);
        let across = Scale::exact(0.0, f64::from(last), MARGIN, WIDTH - MARGIN);
        let x = |repetition: u32| across.at(f64::from(repetition));
        let few = series.values.len() <= DOTS;
        let dot = |value: &RepeatValue| {
            let words = format!("repeat {}: {:.6} s", value.repetition, value.seconds);
            (number(x(value.repetition)), number(up.at(value.seconds)), words)
        };
        let (span, middle) = match few {
            true => (String::new(), String::new()),
            false => columns(series, last, &across, &up),
        };
        let trend = statistics.drift.map(|drift| {
            let half = drift.seconds / 2.0;
            let (from, to) = (statistics.mean - half, statistics.mean + half);
            format!(
                "M{} {}L{} {}",
                number(x(0)),
                number(up.at(from)),
                number(x(last)),
                number(up.at(to))
            )
        });
        TimelinePicture {
            dots: series.values.iter().filter(|_| few).map(dot).collect(),
            span,
            middle,
            trend,
            rules: rules(&limits, &up, series.tolerance),
            low: format!("{:.3} s", up.low),
            high: format!("{:.3} s", up.high),
            last,
        }
    }
}

/// Neighbours share a column: from the smallest of them to the largest, and the middle one.
fn columns(series: &TimedSeries, last: u32, across: &Scale, up: &Scale) -> (String, String) {
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); COLUMNS];
    for value in &series.values {
        let column = u64::from(value.repetition) * COLUMNS as u64 / (u64::from(last) + 1);
        if let Some(column) = columns.get_mut(column as usize) {
            column.push(value.seconds);
        }
    }
    let (mut span, mut middle) = (String::new(), String::new());
    for (index, mut values) in columns.into_iter().enumerate() {
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else {
            continue;
        };
        let repetition = (index as f64 + 0.5) / COLUMNS as f64 * f64::from(last);
        let x = number(across.at(repetition));
        // A column of equal values is still seen.
        let (from, to) = (up.at(*min) + 0.5, up.at(*max) - 0.5);
        let _ = write!(span, "M{x} {}V{}", number(from), number(to));
        let letter = if middle.is_empty() { 'M' } else { 'L' };
        let y = number(up.at(values.get(values.len() / 2).copied().unwrap_or(*min)));
        let _ = write!(middle, "{letter}{x} {y}");
    }
    (span, middle)
}

const FLOOR: f64 = HEIGHT - 18.0;
const CEILING: f64 = 16.0;
const MARGIN: f64 = 4.0;
/// Values that are drawn one by one.
const DOTS: usize = 400;
const COLUMNS: usize = 246;
