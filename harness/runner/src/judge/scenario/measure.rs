//! `measure`: the time between two named moments against its bounds.

use super::ScenarioJudge;
use crate::judge::watch::{Watch, decided};
use hil_trace::{Catalogue, Finding, Measurement};
use serde_json::Value;

impl ScenarioJudge {
    pub(super) fn measure(
        &mut self,
        step: &str,
        arguments: &Value,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let moment = |name: &str| {
            let step = arguments.get(name).and_then(Value::as_str)?;
            self.moments.get(step).copied()
        };
        let verifies = Watch::read(arguments, 0).verifies;
        let (Some((from, first)), Some((to, second))) = (moment("from"), moment("to")) else {
            let text = "cannot measure: one of the two moments has not happened".to_owned();
            return self.undecided(step, &verifies, text, Vec::new(), catalogue, findings);
        };
        let seconds = (to.0 as f64 - from.0 as f64) / 1e6;
        let tolerance = 2.0 * self.tolerance_us as f64 / 1e6;
        let evidence = vec![first, second];
        let name = arguments
            .get("as")
            .and_then(Value::as_str)
            .unwrap_or(step)
            .to_owned();
        self.measurements.push(Measurement {
            name,
            seconds,
            tolerance,
            evidence: evidence.clone(),
        });
        let bound = |name: &str| arguments.get(name).and_then(Value::as_f64);
        let (min, max) = (bound("min"), bound("max"));
        let short = min.map(|min| min - seconds).unwrap_or(f64::MIN);
        let long = max.map(|max| seconds - max).unwrap_or(f64::MIN);
        let excess = short.max(long);
        let range = match (min, max) {
            (Some(min), Some(max)) => format!("between {min:.3} s and {max:.3} s"),
            (Some(min), None) => format!("at least {min:.3} s"),
            (None, Some(max)) => format!("at most {max:.3} s"),
            (None, None) => "anything".to_owned(),
        };
        let text = format!("measured {seconds:.3} s; expected {range}");
        if excess > tolerance {
            self.violate(step, &verifies, text, evidence, catalogue, findings);
        } else if excess.abs() <= tolerance && tolerance > 0.0 {
            let text = format!("{text}; the margin lies inside the tolerance of {tolerance:.3} s");
            self.undecided(step, &verifies, text, evidence, catalogue, findings);
        } else {
            self.show(step, decided(&verifies), &text, &evidence, catalogue, findings);
        }
    }
}
