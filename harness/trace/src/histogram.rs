//! How often values fall where: equal buckets on round numbers.

use serde::{Deserialize, Serialize};

/// Equal buckets, from the one with the smallest value to the one with the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Where the first bucket begins, seconds.
    pub start: f64,
    /// Width of a bucket, seconds.
    pub width: f64,
    /// How many values each bucket has; a value on a border belongs to the bucket it begins.
    pub counts: Vec<u32>,
}

impl Histogram {
    /// The histogram of some values, in seconds; `resolution` is the smallest step they can differ by. None of no values.
    pub fn of(values: impl Iterator<Item = f64> + Clone, resolution: f64) -> Option<Histogram> {
        let n = values.clone().count();
        let min = values.clone().reduce(f64::min)?;
        let max = values.clone().reduce(f64::max)?;
        let wanted = (n as f64).sqrt().clamp(FEWEST, MOST);
        let width = round_up(((max - min) / wanted).max(resolution).max(SMALLEST));
        let start = (min / width).floor() * width;
        let last = bucket(max, start, width);
        let mut counts = vec![0; last + 1];
        for value in values {
            if let Some(count) = counts.get_mut(bucket(value, start, width).min(last)) {
                *count += 1;
            }
        }
        Some(Histogram { start, width, counts })
    }
}

/// A value on a border must not fall short of it by rounding.
fn bucket(value: f64, start: f64, width: f64) -> usize {
    ((value - start) / width + 1e-6).floor().max(0.0) as usize
}

/// The next of 1, 2, 5, 10, 20, …
fn round_up(width: f64) -> f64 {
    let power = 10f64.powf(width.log10().floor());
    let round = [1.0, 2.0, 5.0].map(|factor| factor * power);
    // What is round already stays as it is.
    let fits = round.into_iter().find(|round| *round >= width * (1.0 - 1e-9));
    fits.unwrap_or(10.0 * power)
}

const FEWEST: f64 = 5.0;
const MOST: f64 = 40.0;
const SMALLEST: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_are_round() {
        let values = (0..100).map(|i| 300.0 + f64::from(i) * 0.01);
        let histogram = Histogram::of(values, 0.001).unwrap();
        assert_eq!(histogram.width, 0.1);
        assert!((histogram.start - 300.0).abs() < 1e-9);
        assert_eq!(histogram.counts, [10; 10]);
    }

    #[test]
    fn equal_values_share_a_bucket_as_wide_as_the_clock_can_tell() {
        let histogram = Histogram::of([300.1; 7].into_iter(), 0.001).unwrap();
        assert_eq!((histogram.width, histogram.counts), (0.001, vec![7]));
        assert_eq!(Histogram::of([].into_iter(), 0.001), None);
    }

    proptest! {
        #[test]
        fn every_value_is_counted_once(values in prop::collection::vec(-1e4..1e6f64, 1..500)) {
            let histogram = Histogram::of(values.iter().copied(), 1e-3).unwrap();
            prop_assert_eq!(histogram.counts.iter().sum::<u32>() as usize, values.len());
            prop_assert!(histogram.counts.len() <= MOST as usize + 2);
        }
    }
}
