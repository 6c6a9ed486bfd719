//! Whether a measured time got longer.
//!
//! A repeat counts once, with the median of its values, as those of one repeat depend on each other. A time got longer if
//! even the least shift that fits the values, with 99 % confidence and without an assumption about how they are
//! distributed, is more than the least effect: a share of the median of the baseline, and no less than both clocks may be
//! off. It did not if even the greatest shift that fits is no more than that. In between, nothing is said.

use super::{case::Measured, rank_sum::Shift};
use serde::{Deserialize, Serialize};

/// What became of a measured time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeVerdict {
    /// Longer by more than chance and clocks explain.
    Slower,
    /// Too few values, or too scattered ones.
    Undecided,
    /// Shorter by more than chance and clocks explain.
    Faster,
    /// Not longer by more than the least effect.
    Same,
}

/// The values of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeSample {
    /// How many repeats have a value.
    pub n: usize,
    /// Median over them, seconds; none if there are none.
    pub median: Option<f64>,
}

/// One measured time on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeChange {
    /// The scenario on its unit, as the new run names it.
    pub case: String,
    /// Name of the time.
    pub name: String,
    /// What became of it.
    pub verdict: TimeVerdict,
    /// Values of the baseline.
    pub baseline: TimeSample,
    /// Values of the new run.
    pub new: TimeSample,
    /// How far it shifted, seconds: the median of all differences; none if a side has no value.
    pub shift: Option<f64>,
    /// Least and greatest shift that fit, seconds; none if there are too few values to exclude any.
    pub interval: Option<(f64, f64)>,
    /// Shifts up to this are none, seconds.
    pub least_effect: f64,
}

impl TimeChange {
    /// Of a time both sides may have measured. `share` is the least effect as a share of the baseline's median.
    pub(super) fn of(case: &str, name: &str, sides: [Option<&Measured>; 2], share: f64) -> TimeChange {
        let [baseline, new] = sides.map(values);
        let slack: i64 = sides.iter().flatten().map(|measured| measured.slack_us).sum();
        let median_us = middle(&baseline).unwrap_or_default();
        let least_effect = ((median_us.abs() as f64 * share) as i64).max(slack);
        let shift = Shift::of(&baseline, &new);
        let verdict = match shift.and_then(|shift| shift.interval) {
            Some((low, _)) if low > least_effect => TimeVerdict::Slower,
            Some((_, high)) if high < -least_effect => TimeVerdict::Faster,
            Some((_, high)) if high <= least_effect => TimeVerdict::Same,
            _ => TimeVerdict::Undecided,
        };
        let sample = |values: &[i64]| TimeSample {
            n: values.len(),
            median: middle(values).map(seconds),
        };
        TimeChange {
            case: case.to_owned(),
            name: name.to_owned(),
            verdict,
            baseline: sample(&baseline),
            new: sample(&new),
            shift: shift.map(|shift| seconds(shift.estimate)),
            interval: shift
                .and_then(|s| s.interval)
                .map(|(low, high)| (seconds(low), seconds(high))),
            least_effect: seconds(least_effect),
        }
    }

    /// Whether a side was meant to be held against another: one value alone was not.
    pub fn is_over_repeats(&self) -> bool {
        self.baseline.n > 1 || self.new.n > 1
    }
}

/// One value for each repeat, sorted.
fn values(measured: Option<&Measured>) -> Vec<i64> {
    let repeats = measured
        .into_iter()
        .flat_map(|measured| measured.by_repetition.values());
    let mut values: Vec<i64> = repeats
        .filter_map(|values| {
            let mut values = values.clone();
            values.sort_unstable();
            middle(&values)
        })
        .collect();
    values.sort_unstable();
    values
}

/// The median of sorted values.
fn middle(sorted: &[i64]) -> Option<i64> {
    let upper = *sorted.get(sorted.len() / 2)?;
    match sorted.len().is_multiple_of(2) {
        true => sorted
            .get(sorted.len() / 2 - 1)
            .map(|lower| lower + (upper - lower) / 2),
        false => Some(upper),
    }
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(values: impl IntoIterator<Item = i64>, slack_us: i64) -> Measured {
        Measured {
            by_repetition: (0..).zip(values.into_iter().map(|value| vec![value])).collect(),
            slack_us,
        }
    }

    fn verdict(baseline: &Measured, new: &Measured) -> TimeVerdict {
        TimeChange::of("case", "time", [Some(baseline), Some(new)], 0.1).verdict
    }

    #[test]
    fn a_longer_time_is_slower_and_a_little_longer_one_is_not() {
        let baseline = measured((0..20).map(|i| 1_000_000 + i * 1000), 1000);
        let shifted = |by: i64| measured((0..20).map(|i| 1_000_000 + by + i * 1000), 1000);
        assert_eq!(verdict(&baseline, &shifted(300_000)), TimeVerdict::Slower);
        assert_eq!(verdict(&baseline, &shifted(-300_000)), TimeVerdict::Faster);
        assert_eq!(verdict(&baseline, &shifted(50_000)), TimeVerdict::Same);
        assert_eq!(verdict(&baseline, &shifted(100_000)), TimeVerdict::Undecided);
    }

    #[test]
    fn too_few_values_decide_nothing_and_their_figures_are_kept() {
        let change = TimeChange::of(
            "case",
            "time",
            [
                Some(&measured([100, 110, 90, 95], 0)),
                Some(&measured([900, 910, 890, 905], 0)),
            ],
            0.1,
        );
        assert_eq!(change.verdict, TimeVerdict::Undecided);
        assert_eq!((change.baseline.n, change.interval), (4, None));
        assert_eq!(change.shift, Some(0.0008));
        let gone = TimeChange::of("case", "time", [Some(&measured([1; 9], 0)), None], 0.1);
        assert_eq!(
            (gone.verdict, gone.new.n, gone.shift),
            (TimeVerdict::Undecided, 0, None)
        );
    }

    #[test]
    fn a_shift_inside_the_slack_of_the_clocks_is_none() {
        let (baseline, new) = (measured([10_000; 10], 40_000), measured([70_000; 10], 40_000));
        assert_eq!(verdict(&baseline, &new), TimeVerdict::Same);
        let new = measured([95_000; 10], 40_000);
        assert_eq!(verdict(&baseline, &new), TimeVerdict::Slower);
    }

    #[test]
    fn values_of_one_repeat_count_once() {
        let mut many = Measured::default();
        many.by_repetition.insert(0, (0..100).collect());
        let change = TimeChange::of("case", "time", [Some(&many), Some(&many)], 0.1);
        assert_eq!((change.baseline.n, change.verdict), (1, TimeVerdict::Undecided));
    }
}
