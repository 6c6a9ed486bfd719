//! Bounds over all repeats: median, percentiles and drift against what the scenario allows.
//!
//! Repeats without a value may have had any: a bound is met, or broken, only if it is whatever they were. A margin inside
//! the tolerance of the clock decides nothing, and neither do too few repeats.

use hil_trace::{
    Blame, Bounds, Catalogue, Drift, Finding, Level, Quantile, Range, RepeatValue, Standing, TimedSeries,
    Verdict,
};

/// What bounds over repeats say about one measured time, of which `missing` values are not known.
pub(super) fn judge(series: &TimedSeries, missing: usize, catalogue: &Catalogue) -> Vec<Finding> {
    let Some(bounds) = series.bounds.as_deref().filter(|b| b.are_over_repeats()) else {
        return Vec::new();
    };
    let mut sorted: Vec<f64> = series.values.iter().map(|value| value.seconds).collect();
    sorted.sort_by(f64::total_cmp);
    let ranges = [bounds.median, bounds.p95, bounds.p99];
    let quantiles = Quantile::ALL.into_iter().zip(ranges);
    let quantiles = quantiles
        .filter(|(_, range)| !range.is_open())
        .map(|(quantile, range)| judge_quantile(series, &sorted, missing, quantile, range));
    let drift = bounds
        .drift()
        .map(|bound| judge_drift(series, &series.values, missing, bound));
    quantiles
        .chain(drift)
        .flat_map(|(verdict, text)| findings(bounds, verdict, &text, catalogue))
        .collect()
}

/// What is stated if repeats do not agree on what they are held against.
pub(super) fn disagreeing(series: &TimedSeries, catalogue: &Catalogue) -> Vec<Finding> {
    let text = format!(
        "`{}` is held against other bounds from repeat to repeat, so nothing can be said of all of them",
        series.name
    );
    let bounds = series.bounds.as_deref().cloned().unwrap_or_default();
    findings(&bounds, Verdict::Error, &text, catalogue)
}

fn judge_quantile(
    series: &TimedSeries,
    sorted: &[f64],
    missing: usize,
    quantile: Quantile,
    range: Range,
) -> (Verdict, String) {
    let (n, all) = (sorted.len(), sorted.len() + missing);
    let (name, word, range_words) = (&series.name, quantile.name(), range.words());
    if all < quantile.fewest() {
        let text = format!(
            "`{name}`: {word} is expected {range_words}; it takes {} repeats to say, and there are {all}",
            quantile.fewest()
        );
        return (Verdict::Inconclusive, text);
    }
    let (low, high) = quantile.of(sorted, missing);
    let (surely, possibly) = range.outside(low, high);
    let value = match missing {
        0 => format!("{low:.3} s over {n} repeats"),
        _ => format!("{} over {n} of {all} repeats", between(low, high)),
    };
    let text = format!("`{name}`: {word} is {value}; expected {range_words}");
    decide(surely, possibly, series.tolerance, missing, text)
}

fn judge_drift(
    series: &TimedSeries,
    values: &[RepeatValue],
    missing: usize,
    bound: f64,
) -> (Verdict, String) {
    let name = &series.name;
    let Some(drift) = series.statistics.drift else {
        let text = format!(
            "`{name}`: drift is expected to be at most {bound:.3} s; it takes {} repeats to say, and there are {}",
            Drift::FEWEST,
            values.len()
        );
        return (Verdict::Inconclusive, text);
    };
    let of = match missing {
        0 => String::new(),
        _ => format!(" of {}", values.len() + missing),
    };
    let text = format!(
        "`{name}`: drift is {:+.3} s ± {:.3} s over {}{of} repeats; expected at most {bound:.3} s up or down",
        drift.seconds,
        drift.uncertainty,
        values.len()
    );
    let excess = drift.seconds.abs() - bound;
    // The trend of what is not known could be any.
    let possibly = if missing == 0 { excess } else { f64::INFINITY };
    decide(
        excess,
        possibly,
        series.tolerance * Drift::leverage(values) + drift.uncertainty,
        missing,
        text,
    )
}

/// `surely` and `possibly`: how far a figure lies outside its bounds, negative inside.
fn decide(surely: f64, possibly: f64, slack: f64, missing: usize, text: String) -> (Verdict, String) {
    match Standing::of(surely, possibly, slack) {
        Standing::Outside => (Verdict::Fail, text),
        Standing::Inside => (Verdict::Pass, text),
        Standing::Unclear if missing > 0 => {
            let text = format!("{text}; what {missing} more would have been decides");
            (Verdict::Inconclusive, text)
        }
        Standing::Unclear => {
            let text =
                format!("{text}; the margin lies inside {slack:.3} s, which is how far that may be off");
            (Verdict::Inconclusive, text)
        }
    }
}

fn between(low: f64, high: f64) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("between {low:.3} s and {high:.3} s"),
        (true, false) => format!("{low:.3} s or more"),
        (false, true) => format!("{high:.3} s or less"),
        (false, false) => "anything".to_owned(),
    }
}

fn findings(bounds: &Bounds, verdict: Verdict, text: &str, catalogue: &Catalogue) -> Vec<Finding> {
    let finding = |requirement: Option<&String>| Finding {
        requirement: requirement.cloned(),
        level: requirement.map_or(Level::default(), |id| catalogue.level(id)),
        verdict,
        text: text.to_owned(),
        evidence: Vec::new(),
        blame: match verdict {
            Verdict::Fail => Blame::Unit,
            _ => Blame::Harness,
        },
        step: Some(bounds.step.clone()),
        monitor: MONITOR.to_owned(),
    };
    match bounds.requirements.as_slice() {
        [] => vec![finding(None)],
        ids => ids.iter().map(|id| finding(Some(id))).collect(),
    }
}

/// Who states it.
pub(super) const MONITOR: &str = "repeats";

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::{Histogram, Statistics};
    use proptest::prelude::*;

    fn values(seconds: impl IntoIterator<Item = f64>) -> Vec<RepeatValue> {
        (0..)
            .zip(seconds)
            .map(|(repetition, seconds)| RepeatValue { repetition, seconds })
            .collect()
    }

    /// What is said of so many values, each off by the tolerance at most; none if there are none.
    fn judged(values: Vec<RepeatValue>, tolerance: f64, bounds: Bounds) -> Vec<Verdict> {
        let seconds = values.iter().map(|value| value.seconds);
        let series = TimedSeries {
            name: "back".to_owned(),
            resolution: 1e-6,
            tolerance,
            bounds: Some(Box::new(bounds)),
            missing: 0,
            statistics: Statistics::of(&values).expect("values"),
            histogram: Histogram::of(seconds, 1e-6).expect("values"),
            values,
        };
        let findings = judge(&series, 0, &Catalogue::default());
        findings.iter().map(|finding| finding.verdict).collect()
    }

    fn at_most(us: u64) -> Range {
        Range {
            min_us: None,
            max_us: Some(us),
        }
    }

    #[test]
    fn a_percentile_at_its_bound_is_decided_outside_of_the_tolerance_only() {
        use Verdict::{Fail, Inconclusive, Pass};
        for (off, of_max, of_min) in [
            (-0.060, Pass, Fail),
            (-0.040_002, Pass, Fail),
            (-0.040_001, Inconclusive, Inconclusive),
            (0.0, Inconclusive, Inconclusive),
            (0.040_001, Inconclusive, Inconclusive),
            (0.040_002, Fail, Pass),
            (0.060, Fail, Pass),
        ] {
            let all = values(vec![300.0 + off; 100]);
            let at_least = Range {
                min_us: Some(300_000_000),
                max_us: None,
            };
            for (range, expected) in [(at_most(300_000_000), of_max), (at_least, of_min)] {
                let bounds = Bounds {
                    median: range,
                    p95: range,
                    p99: range,
                    ..Bounds::default()
                };
                assert_eq!(judged(all.clone(), 0.040_001, bounds), [expected; 3], "{off}");
            }
        }
    }

    #[test]
    fn a_drift_that_the_clock_could_have_made_accuses_nobody() {
        // From 20 ms too little to 20 ms too much, and no drift at all: allowed are 10 ms.
        let seen = values((0..100).map(|n| 300.0 - 0.020 + 0.040 * f64::from(n) / 99.0));
        let bounds = |us| Bounds {
            drift_us: Some(us),
            ..Bounds::default()
        };
        assert_eq!(
            judged(seen.clone(), 0.020, bounds(10_000)),
            [Verdict::Inconclusive]
        );
        assert_eq!(judged(seen.clone(), 0.020, bounds(200_000)), [Verdict::Pass]);
        assert_eq!(judged(seen, 0.001, bounds(10_000)), [Verdict::Fail]);
    }

    proptest! {
        /// However the clock was off, a pass and a fail are true of the times themselves.
        #[test]
        fn what_is_stated_of_all_repeats_is_true_of_the_times_before_the_clock(
            truth in prop::collection::vec(0_u32..2_000_000, 100..130),
            off in prop::collection::vec(-1.0_f64..=1.0, 130),
            trend in -2.0_f64..2.0,
            bound in 0_u64..3_000_000,
        ) {
            const TOLERANCE: f64 = 0.2;
            let n = truth.len() as f64;
            let micros = |seconds: f64| (seconds * 1e6).round() / 1e6;
            let truth = truth.iter().enumerate();
            let truth: Vec<f64> = truth
                .map(|(at, us)| micros(f64::from(*us) / 1e6 + 10.0 + trend * at as f64 / n))
                .collect();
            let seen = truth.iter().zip(&off).map(|(truth, off)| micros(truth + off * TOLERANCE));
            let (truth, seen) = (values(truth.iter().copied()), values(seen));
            let statistics = Statistics::of(&truth).expect("values");
            let allowed = 10_000_000 + bound;
            let bounds = Bounds {
                median: at_most(allowed),
                p95: at_most(allowed),
                p99: at_most(allowed),
                drift_us: Some(bound),
                ..Bounds::default()
            };
            let figures = [
                (Some(statistics.median), allowed),
                (statistics.p95, allowed),
                (statistics.p99, allowed),
                (statistics.drift.map(|drift| drift.seconds.abs()), bound),
            ];
            let verdicts = judged(seen, TOLERANCE, bounds);
            prop_assert_eq!(verdicts.len(), figures.len());
            for (verdict, (figure, allowed)) in verdicts.into_iter().zip(figures) {
                let excess = figure.expect("enough values") - allowed as f64 / 1e6;
                match verdict {
                    Verdict::Pass => prop_assert!(excess < 2e-6, "{excess}"),
                    Verdict::Fail => prop_assert!(excess > -2e-6, "{excess}"),
                    _ => {}
                }
            }
        }
    }
}
