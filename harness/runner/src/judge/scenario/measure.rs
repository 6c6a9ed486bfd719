//! `measure`: the time between two moments or events against the bounds of each value. What it is held against over all
//! repeats goes with the value, and is judged when they have all come.

use super::ScenarioJudge;
use crate::judge::watch::{Placed, Slack, Watch, decided};
use hil_trace::{Bounds, Catalogue, Finding, Measurement, Quantile, Range, Stamp, Standing};
use serde_json::Value;

impl ScenarioJudge {
    pub(super) fn measure(
        &mut self,
        step: &str,
        arguments: &Value,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let verifies = Watch::read(arguments, Slack::default()).verifies;
        let ends = ["from", "to"].map(|name| self.end(&arguments[name]));
        let [Ok((from, first)), Ok((to, second))] = ends else {
            let missing: Vec<String> = ends.into_iter().filter_map(Result::err).collect();
            let text = format!("cannot measure: {}", missing.join(", and "));
            return self.undecided(step, &verifies, text, Vec::new(), catalogue, findings);
        };
        let seconds = (to.0 as f64 - from.0 as f64) / 1e6;
        let tolerance = self.slack_us as f64 / 1e6;
        let evidence = vec![first, second];
        let name = arguments
            .get("as")
            .and_then(Value::as_str)
            .unwrap_or(step)
            .to_owned();
        let bounds = bounds(arguments, step, self.accused(&verifies));
        let (over_repeats, each) = (bounds.are_over_repeats(), bounds.each);
        self.measurements.push(Measurement {
            name,
            seconds,
            tolerance,
            resolution: self.resolution_us as f64 / 1e6,
            bounds: (over_repeats || !bounds.each.is_open()).then(|| Box::new(bounds)),
            evidence: evidence.clone(),
        });
        if over_repeats && each.is_open() {
            // One value alone shows nothing of what is stated of all of them.
            let requirements = self.accused(&verifies).to_vec();
            return self.deferred.extend(requirements);
        }
        let (surely, possibly) = each.outside(seconds, seconds);
        let text = format!("measured {seconds:.3} s; expected {}", each.words());
        match Standing::of(surely, possibly, tolerance) {
            Standing::Outside => self.violate(step, &verifies, text, evidence, catalogue, findings),
            Standing::Unclear => {
                let text = format!("{text}; the margin lies inside the tolerance of {tolerance:.3} s");
                self.undecided(step, &verifies, text, evidence, catalogue, findings);
            }
            Standing::Inside => self.show(step, decided(&verifies), &text, &evidence, catalogue, findings),
        }
    }

    /// One end of what is measured: when it was, and the record that shows it; else why it is not known, in words.
    fn end(&self, end: &Value) -> Result<(Stamp, u64), String> {
        if let Some(step) = end.as_str() {
            let moment = self.moments.get(step).copied();
            return moment.ok_or_else(|| format!("`{step}` has not happened"));
        }
        let watch = self.watch(end);
        let last = end.get("which").and_then(Value::as_str) == Some("last");
        let chosen = |at_least| {
            let inside = self
                .history
                .iter()
                .filter(|event| watch.placed(event) >= at_least);
            let mut meant = inside.filter(|event| watch.is_meant(event));
            let event = if last { meant.next_back() } else { meant.next() };
            event.map(|event| (event.at, event.records.last().copied().unwrap_or_default()))
        };
        let (wide, narrow) = (chosen(Placed::Unclear), chosen(Placed::Inside));
        match (wide, narrow) {
            (None, _) => Err(format!("{} has not happened", watch.describe())),
            (Some(event), narrow) if narrow == wide => Ok(event),
            _ => Err(format!(
                "which {} is meant lies inside the tolerance of the clock",
                watch.describe()
            )),
        }
    }
}

fn bounds(arguments: &Value, step: &str, requirements: &[String]) -> Bounds {
    let micros = |name: &str| {
        let seconds = arguments.get(name).and_then(Value::as_f64)?;
        Some((seconds * 1e6).round() as u64)
    };
    let quantile = |quantile: Quantile| {
        let range = arguments.get(quantile.name());
        let us = |name: &str| range.and_then(|range| range.get(name)?.as_u64());
        Range {
            min_us: us("min_us"),
            max_us: us("max_us"),
        }
    };
    Bounds {
        step: step.to_owned(),
        requirements: requirements.to_vec(),
        each: Range {
            min_us: micros("min"),
            max_us: micros("max"),
        },
        median: quantile(Quantile::Median),
        p95: quantile(Quantile::P95),
        p99: quantile(Quantile::P99),
        drift_us: arguments.get("drift_us").and_then(Value::as_u64),
    }
}
