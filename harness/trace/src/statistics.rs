//! Figures of one measured time over the repeats of a scenario. Times are seconds.
//!
//! A percentile is a value that was measured: the smallest one with at least that share of all values at or below it
//! (nearest rank). The median of an even number is the middle between the two middle values. Drift is the slope of the
//! least-squares line through (repetition, value), times the number of repetitions from the first to the last one: how far
//! the trend carries the value from one end of the run to the other. Its uncertainty is three standard errors of that.

use serde::{Deserialize, Serialize};

/// One value of a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RepeatValue {
    /// Which repetition, from 0.
    pub repetition: u32,
    /// Seconds.
    pub seconds: f64,
}

/// A trend over the repeats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// How far the trend carries the value from the first repeat to the last; negative if it falls.
    pub seconds: f64,
    /// How far that may be off: three standard errors.
    pub uncertainty: f64,
}

/// Figures of a series of values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Number of values; at least one.
    pub n: usize,
    /// Smallest.
    pub min: f64,
    /// Middle.
    pub median: f64,
    /// 95th percentile; none of fewer than 20 values.
    pub p95: Option<f64>,
    /// 99th percentile; none of fewer than 100 values.
    pub p99: Option<f64>,
    /// Largest.
    pub max: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of the sample; 0 of one value.
    pub deviation: f64,
    /// Trend; none of fewer than 10 values.
    pub drift: Option<Drift>,
}

impl Statistics {
    /// The figures of some values in the order of repetitions; none of no values.
    pub fn of(values: &[RepeatValue]) -> Option<Statistics> {
        let mut sorted: Vec<f64> = values.iter().map(|value| value.seconds).collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let n = sorted.len();
        let mean = mean(sorted.iter().copied(), n);
        let squares: f64 = sorted.iter().map(|value| (value - mean).powi(2)).sum();
        let percentile = |quantile: Quantile| (n >= quantile.fewest()).then(|| quantile.of(&sorted, 0).0);
        Some(Statistics {
            n,
            min,
            median: Quantile::Median.of(&sorted, 0).0,
            p95: percentile(Quantile::P95),
            p99: percentile(Quantile::P99),
            max,
            // Rounding must not put it outside of the values it is the mean of.
            mean: mean.clamp(min, max),
            deviation: (squares / (n.max(2) - 1) as f64).sqrt(),
            drift: Drift::of(values),
        })
    }
}

impl Drift {
    /// Values it takes to tell a trend from chance.
    pub const FEWEST: usize = 10;

    /// How much further than each value the drift may be off, if every value is off as badly as it can be; nothing for too
    /// few values.
    pub fn leverage(values: &[RepeatValue]) -> f64 {
        let x = |value: &RepeatValue| f64::from(value.repetition);
        let middle = mean(values.iter().map(x), values.len());
        let spread: f64 = values.iter().map(|v| (x(v) - middle).powi(2)).sum();
        let apart: f64 = values.iter().map(|v| (x(v) - middle).abs()).sum();
        let ends = values
            .iter()
            .map(x)
            .fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        match spread > 0.0 {
            true => apart / spread * (ends.1 - ends.0),
            false => 0.0,
        }
    }

    fn of(values: &[RepeatValue]) -> Option<Drift> {
        let n = values.len();
        if n < Drift::FEWEST {
            return None;
        }
        let x = |value: &RepeatValue| f64::from(value.repetition);
        let (mean_x, mean_y) = (
            mean(values.iter().map(x), n),
            mean(values.iter().map(|v| v.seconds), n),
        );
        let spread: f64 = values.iter().map(|v| (x(v) - mean_x).powi(2)).sum();
        if spread <= 0.0 {
            return None;
        }
        let together: f64 = values
            .iter()
            .map(|v| (x(v) - mean_x) * (v.seconds - mean_y))
            .sum();
        let slope = together / spread;
        let off = |v: &RepeatValue| v.seconds - mean_y - slope * (x(v) - mean_x);
        let residual: f64 = values.iter().map(|v| off(v).powi(2)).sum();
        let error = (residual / (n - 2) as f64 / spread).sqrt();
        let repetitions = values.iter().map(|v| v.repetition);
        let length = f64::from(repetitions.clone().max()? - repetitions.min()?);
        Some(Drift {
            seconds: slope * length,
            uncertainty: 3.0 * error * length,
        })
    }
}

/// A share of all values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantile {
    /// Half of them.
    Median,
    /// 95 of 100.
    P95,
    /// 99 of 100.
    P99,
}

impl Quantile {
    /// Every one, in order.
    pub const ALL: [Quantile; 3] = [Quantile::Median, Quantile::P95, Quantile::P99];

    /// The word scenarios and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Quantile::Median => "median",
            Quantile::P95 => "p95",
            Quantile::P99 => "p99",
        }
    }

    /// Values it takes to have at least one on either side.
    pub fn fewest(self) -> usize {
        match self {
            Quantile::Median => 2,
            Quantile::P95 => 20,
            Quantile::P99 => 100,
        }
    }

    /// The least and the greatest it can be if `missing` further values, of which nothing is known, belong to the sorted
    /// ones; both the same if none is missing, infinite where anything is possible.
    pub fn of(self, sorted: &[f64], missing: usize) -> (f64, f64) {
        (self.at(sorted, missing, missing), self.at(sorted, missing, 0))
    }

    /// The quantile if `below` of the missing values are smaller than all and the others larger.
    fn at(self, sorted: &[f64], missing: usize, below: usize) -> f64 {
        let total = sorted.len() + missing;
        let value = |rank: usize| match rank.checked_sub(below + 1) {
            None => f64::NEG_INFINITY,
            Some(index) => sorted.get(index).copied().unwrap_or(f64::INFINITY),
        };
        match self {
            Quantile::Median if total.is_multiple_of(2) => {
                let (low, high) = (value(total / 2), value(total / 2 + 1));
                (low + high) / 2.0
            }
            Quantile::Median => value(total / 2 + 1),
            Quantile::P95 => value((total * 95).div_ceil(100).max(1)),
            Quantile::P99 => value((total * 99).div_ceil(100).max(1)),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>, n: usize) -> f64 {
    values.sum::<f64>() / n.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn series(values: impl IntoIterator<Item = f64>) -> Vec<RepeatValue> {
        (0..)
            .zip(values)
            .map(|(repetition, seconds)| RepeatValue { repetition, seconds })
            .collect()
    }

    fn sorted(values: &[RepeatValue]) -> Vec<f64> {
        let mut sorted: Vec<f64> = values.iter().map(|v| v.seconds).collect();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    #[test]
    fn figures_of_a_hundred_values() {
        let statistics = Statistics::of(&series((1..=100).map(f64::from))).unwrap();
        assert_eq!((statistics.n, statistics.min, statistics.max), (100, 1.0, 100.0));
        assert_eq!((statistics.median, statistics.mean), (50.5, 50.5));
        assert_eq!((statistics.p95, statistics.p99), (Some(95.0), Some(99.0)));
        assert!((statistics.deviation - 29.0115).abs() < 1e-4);
        let drift = statistics.drift.unwrap();
        assert!((drift.seconds - 99.0).abs() < 1e-9 && drift.uncertainty < 1e-9);
    }

    #[test]
    fn few_values_have_no_percentiles_and_no_trend() {
        assert_eq!(Statistics::of(&[]), None);
        let statistics = Statistics::of(&series([3.0, 1.0])).unwrap();
        assert_eq!((statistics.median, statistics.mean), (2.0, 2.0));
        assert_eq!(
            (statistics.p95, statistics.p99, statistics.drift),
            (None, None, None)
        );
        assert_eq!(Statistics::of(&series([3.0])).unwrap().deviation, 0.0);
    }

    #[test]
    fn what_is_missing_could_be_anything() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(Quantile::Median.of(&sorted, 2), (2.0, 4.0));
        assert_eq!(
            Quantile::P99.of(&sorted, 1),
            (5.0, f64::INFINITY),
            "the missing one may be the largest"
        );
        assert_eq!(
            Quantile::Median.of(&sorted, 6),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
        assert_eq!(
            Quantile::Median.of(&sorted, 5),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
    }

    #[test]
    fn chance_makes_no_trend_that_is_certain() {
        let jitter = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        let drift = Statistics::of(&series((0..1000).map(jitter)))
            .unwrap()
            .drift
            .unwrap();
        assert!(drift.seconds.abs() <= drift.uncertainty, "{drift:?}");
        let drift = Statistics::of(&series((0..1000).map(|i| jitter(i) + f64::from(i) * 0.01)))
            .unwrap()
            .drift
            .unwrap();
        assert!((drift.seconds - 9.99).abs() <= drift.uncertainty && drift.uncertainty < 0.2);
    }

    proptest! {
        #[test]
        fn figures_agree_with_their_definitions(values in prop::collection::vec(0.0..1e6f64, 1..300)) {
            let values = series(values);
            let statistics = Statistics::of(&values).unwrap();
            let sorted = sorted(&values);
            let share = |limit: f64| sorted.iter().filter(|v| **v <= limit).count() as f64 / sorted.len() as f64;
            prop_assert!(statistics.min <= statistics.median && statistics.median <= statistics.max);
            prop_assert!(statistics.min <= statistics.mean && statistics.mean <= statistics.max);
            for (percentile, part) in [(statistics.p95, 0.95), (statistics.p99, 0.99)] {
                let Some(percentile) = percentile else { continue };
                prop_assert!(sorted.contains(&percentile) && share(percentile) >= part);
                let smaller = sorted.iter().rev().find(|v| **v < percentile);
                prop_assert!(smaller.is_none_or(|smaller| share(*smaller) < part));
            }
        }

        #[test]
        fn the_range_holds_whatever_the_missing_values_are(
            values in prop::collection::vec(0.0..100.0f64, 1..120),
            others in prop::collection::vec(-50.0..150.0f64, 0..20),
        ) {
            let known = sorted(&series(values.clone()));
            let all = sorted(&series(values.into_iter().chain(others.clone())));
            for quantile in Quantile::ALL {
                let (low, high) = quantile.of(&known, others.len());
                let (real, same) = quantile.of(&all, 0);
                prop_assert!(low <= real && real <= high && real == same);
            }
        }
    }
}
