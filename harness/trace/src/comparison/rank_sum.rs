//! How far one sample is shifted against another, by the rank-sum test of Wilcoxon, Mann and Whitney turned round: the
//! interval holds every shift the test does not reject, whatever the distributions are (Hollander, Wolfe and Chicken,
//! *Nonparametric Statistical Methods*, 4.2 to 4.4). Ties make it wider than it need be, never too narrow.

/// The shift of a second sample against a first one, in their unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    /// The median of all differences between a value of the second sample and one of the first (Hodges and Lehmann).
    pub(super) estimate: i64,
    /// The least and the greatest shift that fit; none if there are too few values to exclude any.
    pub(super) interval: Option<(i64, i64)>,
}

impl Shift {
    /// Of two sorted samples; none if one is empty.
    pub(super) fn of(first: &[i64], second: &[i64]) -> Option<Shift> {
        let pairs = (first.len() * second.len()) as u64;
        if pairs == 0 {
            return None;
        }
        let at = |rank| difference(first, second, rank);
        let interval = left_out(first.len(), second.len()).map(|out| (at(out + 1), at(pairs - out)));
        Some(Shift {
            estimate: at(pairs.div_ceil(2)),
            interval,
        })
    }
}

/// The difference of that rank, from 1, among all pairs of sorted samples: bisected, as the pairs are too many to list.
fn difference(first: &[i64], second: &[i64], rank: u64) -> i64 {
    let at_most = |limit: i64| {
        let mut end = 0;
        let counts = first.iter().map(|value| {
            while second.get(end).is_some_and(|other| other - value <= limit) {
                end += 1;
            }
            end as u64
        });
        counts.sum::<u64>()
    };
    let ends = |values: &[i64]| (values.first().copied(), values.last().copied());
    let ((Some(least), Some(most)), (Some(low), Some(high))) = (ends(first), ends(second)) else {
        return 0;
    };
    let (mut low, mut high) = (low - most, high - least);
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        match at_most(middle) >= rank {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}

/// How many of the differences are left out at either end, so that what is left misses the true shift in at most one of a
/// hundred comparisons; none if even the whole range misses it more often.
fn left_out(m: usize, n: usize) -> Option<u64> {
    if m * n <= EXACT || m.min(n) <= FEW {
        return exactly_left_out(m, n);
    }
    let (m, n) = (m as f64, n as f64);
    let out = m * n / 2.0 - QUANTILE * (m * n * (m + n + 1.0) / 12.0).sqrt();
    Some(out.floor().max(0.0) as u64)
}

/// By the distribution of the rank sum itself: its generating function is a Gaussian binomial coefficient.
fn exactly_left_out(m: usize, n: usize) -> Option<u64> {
    let (few, many) = (m.min(n), m.max(n));
    let mut ways = vec![0_i128; few * many + 1];
    ways[0] = 1;
    for i in 1..=few {
        for sum in (many + i..ways.len()).rev() {
            ways[sum] -= ways[sum - many - i];
        }
        for sum in i..ways.len() {
            ways[sum] += ways[sum - i];
        }
    }
    let all: i128 = ways.iter().sum();
    let mut tail = 0;
    let fits = ways.iter().take_while(|count| {
        tail += **count;
        tail as f64 <= TAIL * all as f64
    });
    fits.count().checked_sub(1).map(|out| out as u64)
}

/// What the interval misses on each side.
const TAIL: f64 = 0.005;
/// The standard normal quantile that goes with it.
const QUANTILE: f64 = 2.575_829_303_549;
/// Pairs up to which the distribution is counted out, and the size of the smaller sample up to which it always is.
const EXACT: usize = 2500;
const FEW: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_values_exclude_nothing() {
        // One of C(10, 5) = 252 orders is as extreme as complete separation: 0.4 % on each side.
        assert_eq!(left_out(5, 5), Some(0));
        assert_eq!(left_out(4, 4), None);
        assert_eq!(left_out(1, 100), None);
        assert_eq!(left_out(2, 30), Some(1));
        let shift = Shift::of(&[1, 2, 3], &[101, 102, 103]);
        assert_eq!(shift.map(|s| (s.estimate, s.interval)), Some((100, None)));
        assert_eq!(Shift::of(&[], &[1]), None);
    }

    #[test]
    fn critical_values_are_those_of_the_tables() {
        // Largest U that is significant at 1 %, two sides, in the usual tables.
        for (m, n, critical) in [(6, 6, 2), (8, 8, 7), (10, 10, 16), (20, 20, 105), (5, 10, 4)] {
            assert_eq!(left_out(m, n), Some(critical), "{m}, {n}");
        }
        let near = exactly_left_out(50, 50)
            .unwrap()
            .abs_diff((1250.0 - QUANTILE * (2500.0_f64 * 101.0 / 12.0).sqrt()) as u64);
        assert!(
            near <= 3,
            "the normal distribution fits where it takes over: {near}"
        );
    }

    proptest! {
        #[test]
        fn ranks_are_those_of_all_differences(
            mut first in prop::collection::vec(-50..50_i64, 1..20),
            mut second in prop::collection::vec(-50..50_i64, 1..20),
        ) {
            first.sort_unstable();
            second.sort_unstable();
            let mut all: Vec<i64> =
                first.iter().flat_map(|x| second.iter().map(move |y| y - x)).collect();
            all.sort_unstable();
            for (index, expected) in all.iter().enumerate() {
                prop_assert_eq!(difference(&first, &second, index as u64 + 1), *expected);
            }
        }

        #[test]
        fn a_shift_is_found_and_turned_round(
            mut first in prop::collection::vec(0..1000_i64, 5..60),
            by in -5000..5000_i64,
        ) {
            first.sort_unstable();
            let second: Vec<i64> = first.iter().map(|value| value + by).collect();
            let shift = Shift::of(&first, &second).unwrap();
            let (low, high) = shift.interval.unwrap();
            prop_assert!(low <= by && by <= high && low <= shift.estimate && shift.estimate <= high);
            let back = Shift::of(&second, &first).unwrap().interval.unwrap();
            prop_assert_eq!(back, (-high, -low));
        }
    }
}
