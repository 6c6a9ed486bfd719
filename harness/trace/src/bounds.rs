//! What a measured time is held against: each value alone, and all values of a repeated scenario together; and how it
//! stands to that.

use serde::{Deserialize, Serialize};

/// Least and greatest time allowed, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Not less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_us: Option<u64>,
    /// Not more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_us: Option<u64>,
}

impl Range {
    /// True if everything lies in it.
    pub fn is_open(&self) -> bool {
        *self == Range::default()
    }

    /// Least time allowed, seconds.
    pub fn min(&self) -> Option<f64> {
        self.min_us.map(seconds)
    }

    /// Greatest time allowed, seconds.
    pub fn max(&self) -> Option<f64> {
        self.max_us.map(seconds)
    }

    /// Such as `between 1.000 s and 2.000 s`.
    pub fn words(&self) -> String {
        match (self.min(), self.max()) {
            (Some(min), Some(max)) => format!("between {min:.3} s and {max:.3} s"),
            (Some(min), None) => format!("at least {min:.3} s"),
            (None, Some(max)) => format!("at most {max:.3} s"),
            (None, None) => "anything".to_owned(),
        }
    }
}

/// How a figure stands to its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It meets them, however far it is off.
    Inside,
    /// It breaks them, however far it is off.
    Outside,
    /// That depends on how far it is off, or on what is not known.
    Unclear,
}

impl Standing {
    /// Of a figure that lies outside by `surely` at least and by `possibly` at most (negative: inside), and may be off by
    /// `slack`; all in seconds. What lies at the edge to the microsecond is unclear, unless nothing is off.
    pub fn of(surely: f64, possibly: f64, slack: f64) -> Standing {
        let micros = |seconds: f64| (seconds * 1e6).round();
        let (surely, possibly, slack) = (micros(surely), micros(possibly), micros(slack));
        match () {
            () if surely > slack => Standing::Outside,
            () if possibly < -slack || (slack == 0.0 && possibly <= 0.0) => Standing::Inside,
            () => Standing::Unclear,
        }
    }
}

impl Range {
    /// How far a figure between `low` and `high` lies outside, surely and possibly, in seconds; negative inside.
    pub fn outside(&self, low: f64, high: f64) -> (f64, f64) {
        let outside = |for_min: f64, for_max: f64| {
            let short = self.min().map_or(f64::NEG_INFINITY, |min| min - for_min);
            let long = self.max().map_or(f64::NEG_INFINITY, |max| for_max - max);
            short.max(long)
        };
        (outside(high, low), outside(low, high))
    }
}

/// Every bound a scenario states for one measured time, and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The step that measures.
    pub step: String,
    /// The requirements it decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// Of each value alone.
    #[serde(default, skip_serializing_if = "Range::is_open")]
    pub each: Range,
    /// Of the median over all repeats.
    #[serde(default, skip_serializing_if = "Range::is_open")]
    pub median: Range,
    /// Of the 95th percentile over all repeats.
    #[serde(default, skip_serializing_if = "Range::is_open")]
    pub p95: Range,
    /// Of the 99th percentile over all repeats.
    #[serde(default, skip_serializing_if = "Range::is_open")]
    pub p99: Range,
    /// Of the drift over all repeats, up or down, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_us: Option<u64>,
}

impl Bounds {
    /// Greatest drift allowed, up or down, seconds.
    pub fn drift(&self) -> Option<f64> {
        self.drift_us.map(seconds)
    }

    /// True if something is stated of all repeats together.
    pub fn are_over_repeats(&self) -> bool {
        self.drift_us.is_some()
            || [self.median, self.p95, self.p99]
                .iter()
                .any(|range| !range.is_open())
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The standing of one value, microseconds all.
    fn standing(value: u64, min: Option<u64>, max: Option<u64>, slack: u64) -> Standing {
        let range = Range {
            min_us: min,
            max_us: max,
        };
        let (surely, possibly) = range.outside(seconds(value), seconds(value));
        Standing::of(surely, possibly, seconds(slack))
    }

    #[test]
    fn what_lies_inside_the_slack_is_unclear_up_to_its_very_edge() {
        let (bound, slack) = (300_000_000, 40_001);
        for (off, as_min, as_max) in [
            (-60_000_000, Standing::Outside, Standing::Inside),
            (-40_002, Standing::Outside, Standing::Inside),
            (-40_001, Standing::Unclear, Standing::Unclear),
            (-1, Standing::Unclear, Standing::Unclear),
            (0, Standing::Unclear, Standing::Unclear),
            (1, Standing::Unclear, Standing::Unclear),
            (40_001, Standing::Unclear, Standing::Unclear),
            (40_002, Standing::Inside, Standing::Outside),
            (60_000_000, Standing::Inside, Standing::Outside),
        ] {
            let value = 300_000_000_u64.saturating_add_signed(off);
            assert_eq!(standing(value, Some(bound), None, slack), as_min, "min, {off}");
            assert_eq!(standing(value, None, Some(bound), slack), as_max, "max, {off}");
        }
    }

    #[test]
    fn an_exact_clock_leaves_nothing_unclear() {
        for (value, expected) in [
            (299_999_999, Standing::Outside),
            (300_000_000, Standing::Inside),
            (300_000_001, Standing::Inside),
        ] {
            assert_eq!(standing(value, Some(300_000_000), None, 0), expected, "{value}");
        }
        // Bounds made of seconds are no tighter than they say.
        assert_eq!(
            Standing::of(0.1 + 0.2 - 0.3, 0.1 + 0.2 - 0.3, 0.0),
            Standing::Inside
        );
    }

    proptest! {
        /// Whatever a clock adds, what is stated is true of the time before it.
        #[test]
        fn no_clock_makes_a_statement_false(
            truth in 0_u64..1_000_000_000,
            off in -100_000_i64..=100_000,
            min in prop::option::of(0_u64..1_000_000_000),
            width in prop::option::of(0_u64..1_000_000),
        ) {
            let max = width.map(|width| min.unwrap_or(truth).saturating_add(width));
            let meets = min.is_none_or(|min| truth >= min) && max.is_none_or(|max| truth <= max);
            let seen = truth.saturating_add_signed(off);
            match standing(seen, min, max, 100_000) {
                Standing::Inside => prop_assert!(meets),
                Standing::Outside => prop_assert!(!meets),
                Standing::Unclear => {}
            }
        }
    }
}
