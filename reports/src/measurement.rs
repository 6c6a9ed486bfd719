//! Measured values of an instance gathered by name, with their figures in words.

use crate::text;
use hil_trace::Measurement;
use std::collections::BTreeMap;

/// The values of one name; never empty, all finite.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Vec<&'a Measurement>,
}

impl<'a> Series<'a> {
    /// One series per name, in the order of names.
    pub(crate) fn all(measurements: &'a [Measurement]) -> Vec<Self> {
        let mut by_name: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
        for measurement in measurements.iter().filter(|m| m.seconds.is_finite()) {
            by_name.entry(&measurement.name).or_default().push(measurement);
        }
        by_name
            .into_iter()
            .map(|(name, values)| Series { name, values })
            .collect()
    }

    /// Smallest, median and largest value in seconds.
    pub(crate) fn extent(&self) -> (f64, f64, f64) {
        let mut sorted: Vec<f64> = self.values.iter().map(|m| m.seconds).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        (at(0), at(sorted.len() / 2), at(sorted.len().saturating_sub(1)))
    }

    /// The largest tolerance in seconds.
    pub(crate) fn tolerance(&self) -> f64 {
        self.values.iter().map(|m| m.tolerance.abs()).fold(0.0, f64::max)
    }

    /// Such as `20 values, 29.1 s to 31.0 s, median 30.0 s`.
    pub(crate) fn words(&self) -> String {
        let (min, median, max) = self.extent();
        match self.values.len() {
            1 => format!("{} ± {}", text::span(min), text::span(self.tolerance())),
            n => format!(
                "{n} values, {} to {}, median {}",
                text::span(min),
                text::span(max),
                text::span(median)
            ),
        }
    }
}
