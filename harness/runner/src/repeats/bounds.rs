//! Bounds over all repeats: median, percentiles and drift against what the scenario allows.
//!
//! Repeats without a value may have had any: a bound is met, or broken, only if it is whatever they were. A margin inside
//! the tolerance of the clock decides nothing, and neither do too few repeats.

use hil_trace::{
    Blame, Bounds, Catalogue, Drift, Finding, Level, Quantile, Range, RepeatValue, TimedSeries, Verdict,
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
    // How far it lies outside: surely, and possibly.
    let outside = |value_min: f64, value_max: f64| {
        let short = range.min().map_or(f64::NEG_INFINITY, |min| min - value_max);
        let long = range.max().map_or(f64::NEG_INFINITY, |max| value_min - max);
        short.max(long)
    };
    let (surely, possibly) = (outside(low, high), outside(high, low));
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
        series.tolerance + drift.uncertainty,
        missing,
        text,
    )
}

/// `surely` and `possibly`: how far a figure lies outside its bounds, negative inside.
fn decide(surely: f64, possibly: f64, slack: f64, missing: usize, text: String) -> (Verdict, String) {
    if surely > slack {
        (Verdict::Fail, text)
    } else if possibly < -slack || (slack == 0.0 && possibly <= 0.0) {
        (Verdict::Pass, text)
    } else if missing > 0 {
        let text = format!("{text}; what {missing} more would have been decides");
        (Verdict::Inconclusive, text)
    } else {
        let text = format!("{text}; the margin lies inside {slack:.3} s, which is how far that may be off");
        (Verdict::Inconclusive, text)
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
