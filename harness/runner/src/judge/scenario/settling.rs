//! How a step that waits ends: with what it waited for, too early, at the edge of its window, or without.

use super::{ScenarioJudge, Settled};
use crate::judge::watch::{Answer, Watch};
use hil_trace::{Catalogue, Event, Finding, StepOutcome};
use serde_json::Value;

impl ScenarioJudge {
    pub(super) fn settle(
        &mut self,
        branch: usize,
        answer: Answer,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let Some((name, watch)) = waiting.branches.get(branch) else {
            return;
        };
        let step = waiting.step.clone();
        let all = waiting.describe();
        let outcome = match answer {
            Answer::Open => return,
            Answer::Met(events) => {
                self.meet(&step, name.as_deref(), watch, &events, catalogue, findings);
                StepOutcome::Done
            }
            Answer::Early(event, after) => {
                let early = after.since(event.at).as_secs_f64();
                let text = format!(
                    "{all} came {early:.3} s too early, at {} instead of {after}",
                    event.at
                );
                self.violate(&step, &watch.verifies, text, event.records, catalogue, findings);
                StepOutcome::Unmet
            }
            Answer::NotHeld(event) => {
                let text = format!("another {all} came at {}, while none should", event.at);
                self.violate(&step, &watch.verifies, text, event.records, catalogue, findings);
                StepOutcome::Unmet
            }
            Answer::Marginal(event) => {
                let text = format!(
                    "{all} came at {}, within {:.3} s of its bound, which is the tolerance of the clock",
                    event.at,
                    self.slack_us as f64 / 1e6
                );
                self.undecided(&step, &watch.verifies, text, event.records, catalogue, findings);
                StepOutcome::Unmet
            }
            Answer::Missing => {
                self.miss(&step, &waiting, &all, catalogue, findings);
                StepOutcome::Unmet
            }
        };
        self.settled = Some(Settled {
            step,
            outcome,
            branch,
        });
    }

    fn meet(
        &mut self,
        step: &str,
        name: Option<&str>,
        watch: &Watch,
        events: &[Event],
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        let evidence: Vec<u64> = events.iter().flat_map(|event| event.records.clone()).collect();
        self.used.extend_from_slice(events);
        if let Some(event) = events.last() {
            self.proof.push(event.records.last().copied().unwrap_or_default());
            if let Some(name) = name {
                let record = event.records.last().copied().unwrap_or_default();
                self.values
                    .insert(name.to_owned(), Value::Object(event.fields.clone()));
                self.moments.insert(name.to_owned(), (event.at, record));
            }
        }
        let text = format!("{} came as it should", watch.describe());
        self.show(step, watch.decided(), &text, &evidence, catalogue, findings);
    }
}
