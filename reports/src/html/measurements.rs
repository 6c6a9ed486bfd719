//! Measured values as small plots: one strip per name, a dot per value, a whisker for its tolerance.

use crate::{measurement::Series, text};
use hil_trace::Measurement;

/// Plots of at most this many values; further ones are in the figures only.
const DOTS: usize = 400;
const WIDTH: f64 = 300.0;

/// All values of one name.
pub(super) struct MeasurementView {
    pub(super) name: String,
    /// Such as `20 values, 29.1 s to 31.0 s, median 30.0 s`.
    pub(super) words: String,
    pub(super) dots: Vec<Dot>,
    /// The ends of the axis in words.
    pub(super) low: String,
    pub(super) high: String,
}

/// One value, in the coordinates of the plot.
pub(super) struct Dot {
    pub(super) x: String,
    /// Ends of the whisker, if it is wide enough to be seen.
    pub(super) whisker: Option<(String, String)>,
    pub(super) words: String,
}

impl MeasurementView {
    /// One view per name, in the order of names.
    pub(super) fn all(measurements: &[Measurement]) -> Vec<Self> {
        Series::all(measurements).iter().map(view).collect()
    }
}

fn view(series: &Series<'_>) -> MeasurementView {
    let (min, _, max) = series.extent();
    let tolerance = series.tolerance();
    let (low, high) = axis(min - tolerance, max + tolerance);
    let x = |seconds: f64| 6.0 + (seconds - low) / (high - low) * (WIDTH - 12.0);
    let dots = series
        .values
        .iter()
        .take(DOTS)
        .map(|m| {
            let (left, right) = (x(m.seconds - m.tolerance), x(m.seconds + m.tolerance));
            Dot {
                x: format!("{:.1}", x(m.seconds)),
                whisker: (right - left > 7.0).then(|| (format!("{left:.1}"), format!("{right:.1}"))),
                words: format!(
                    "{} ± {} ({})",
                    text::span(m.seconds),
                    text::span(m.tolerance),
                    text::numbers(&m.evidence)
                ),
            }
        })
        .collect();
    MeasurementView {
        name: text::short(series.name, 60),
        words: series.words(),
        dots,
        low: text::span(low),
        high: text::span(high),
    }
}

/// From zero, unless all values lie close together far from it.
fn axis(min: f64, max: f64) -> (f64, f64) {
    let spread = max - min;
    if spread > 0.0 && min > 4.0 * spread {
        return (min - spread * 0.5, max + spread * 0.5);
    }
    let high = if max > 0.0 { max * 1.1 } else { 1.0 };
    (min.min(0.0), high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_name_share_a_strip() {
        let value = |name: &str, seconds| Measurement {
            name: name.to_owned(),
            seconds,
            tolerance: 0.01,
            resolution: 1e-6,
            bounds: None,
            evidence: vec![1, 2],
        };
        let views = MeasurementView::all(&[value("poll", 30.0), value("ack", 0.5), value("poll", 31.0)]);
        let words: Vec<&str> = views.iter().map(|v| v.words.as_str()).collect();
        assert_eq!(
            words,
            ["500 ms ± 10 ms", "2 values, 30.0 s to 31.0 s, median 31.0 s"]
        );
        assert!(
            views[1]
                .dots
                .iter()
                .all(|d| (0.0..=WIDTH).contains(&d.x.parse::<f64>().unwrap()))
        );
        assert_eq!(axis(0.0, 0.0), (0.0, 1.0));
    }
}
