//! How often values fall where: a bar for each bucket, bounds as lines.

use super::scale::{HEIGHT, Rule, Scale, WIDTH, limits, number, ranges, rules};
use crate::text;
use hil_trace::TimedSeries;

/// A histogram in the coordinates of its picture.
#[derive(Debug)]
pub(crate) struct HistogramPicture {
    pub(crate) bars: Vec<Bar>,
    pub(crate) rules: Vec<Rule>,
    /// The ends of the axis, and the most values a bucket has.
    pub(crate) low: String,
    pub(crate) high: String,
    pub(crate) most: String,
}

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) width: String,
    pub(crate) height: String,
    pub(crate) words: String,
}

impl HistogramPicture {
    pub(crate) fn of(series: &TimedSeries) -> HistogramPicture {
        let histogram = &series.histogram;
        let end = histogram.start + histogram.width * histogram.counts.len() as f64;
        let limits = limits(&ranges(series.bounds.as_deref(), true));
        let values = limits.iter().map(|(_, value)| *value);
        let low = values.clone().fold(histogram.start, f64::min);
        let high = values.fold(end, f64::max);
        let across = Scale::around(low, high, 0.0, WIDTH);
        let most = histogram.counts.iter().copied().max().unwrap_or(0);
        let up = Scale::exact(0.0, f64::from(most), FLOOR, CEILING);
        let bars = (0..).zip(&histogram.counts).filter(|(_, count)| **count > 0);
        let bars = bars.map(|(index, count)| {
            let from = histogram.start + histogram.width * f64::from(index);
            let (left, right) = (across.at(from), across.at(from + histogram.width));
            let top = up.at(f64::from(*count)).min(FLOOR - 1.0);
            Bar {
                x: number(left),
                y: number(top),
                width: number((right - left - GAP).max(1.2)),
                height: number(FLOOR - top),
                words: format!(
                    "{} from {from:.3} s to {:.3} s",
                    text::count(u64::from(*count), "value"),
                    from + histogram.width
                ),
            }
        });
        HistogramPicture {
            bars: bars.collect(),
            rules: rules(&limits, &across, series.tolerance),
            low: format!("{:.3} s", across.low),
            high: format!("{:.3} s", across.high),
            most: text::count(u64::from(most), "value"),
        }
    }
}

const FLOOR: f64 = HEIGHT - 18.0;
const CEILING: f64 = 16.0;
const GAP: f64 = 0.6;
