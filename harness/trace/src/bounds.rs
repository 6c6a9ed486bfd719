//! What a measured time is held against: each value alone, and all values of a repeated scenario together.

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
