//! The coordinates of pictures, and the lines bounds draw across them.

use hil_trace::{Bounds, Range};

/// Size of a picture.
pub(crate) const WIDTH: f64 = 500.0;
/// See [`WIDTH`].
pub(crate) const HEIGHT: f64 = 150.0;

/// From values to coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Where the lowest and the highest value are drawn.
    start: f64,
    end: f64,
}

impl Scale {
    /// A scale that shows everything from `low` to `high`, with some room beside.
    pub(super) fn around(low: f64, high: f64, start: f64, end: f64) -> Scale {
        let room = match high - low {
            spread if spread > 0.0 => spread * 0.06,
            _ => (high.abs() * 1e-4).max(1e-4),
        };
        Scale {
            low: low - room,
            high: high + room,
            start,
            end,
        }
    }

    /// A scale from end to end.
    pub(super) fn exact(low: f64, high: f64, start: f64, end: f64) -> Scale {
        let high = if high > low { high } else { low + 1.0 };
        Scale {
            low,
            high,
            start,
            end,
        }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }
}

/// A bound drawn as a line, with the tolerance around it.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Where the line is.
    pub(crate) at: String,
    /// Where the band of the tolerance begins, and its width; none if too narrow to be seen.
    pub(crate) band: Option<(String, String)>,
    /// Such as `max 303.000 s`.
    pub(crate) words: String,
}

/// Every bound of some ranges, with its name.
pub(super) fn limits(ranges: &[(&str, Range)]) -> Vec<(String, f64)> {
    let ends = ranges.iter().flat_map(|(name, range)| {
        let named = move |end: &str| match *name {
            "" => end.to_owned(),
            name => format!("{name} {end}"),
        };
        [
            range.min().map(|min| (named("min"), min)),
            range.max().map(|max| (named("max"), max)),
        ]
    });
    ends.flatten().collect()
}

/// The ranges of bounds; those over repeats only if `all` are wanted.
pub(super) fn ranges(bounds: Option<&Bounds>, all: bool) -> Vec<(&'static str, Range)> {
    let Some(bounds) = bounds else {
        return Vec::new();
    };
    let mut ranges = vec![("", bounds.each)];
    if all {
        ranges.extend([
            ("median", bounds.median),
            ("p95", bounds.p95),
            ("p99", bounds.p99),
        ]);
    }
    ranges
}

pub(super) fn rules(limits: &[(String, f64)], scale: &Scale, tolerance: f64) -> Vec<Rule> {
    let rule = |(name, value): &(String, f64)| {
        let ends = [scale.at(value - tolerance), scale.at(value + tolerance)];
        let (from, to) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        Rule {
            at: number(scale.at(*value)),
            band: (to - from > 1.0).then(|| (number(from), number(to - from))),
            words: format!("{name} {value:.3} s"),
        }
    };
    limits.iter().map(rule).collect()
}

/// A coordinate.
pub(super) fn number(value: f64) -> String {
    format!("{value:.1}")
}
