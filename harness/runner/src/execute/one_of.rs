//! `one_of`: waits for the first of several events and goes on with its branch.

use super::{Executor, Next};
use hil_scenario::{Branch, Step};
use hil_trace::StepOutcome;
use serde_json::{Value, json};

impl Executor<'_> {
    pub(super) async fn one_of(&mut self, step: &Step, branches: &[Branch]) -> Next {
        let subject = branches
            .iter()
            .map(|branch| branch.watch.event.as_str())
            .collect::<Vec<_>>()
            .join(" | ");
        let mut list = Vec::new();
        for branch in branches {
            self.happened(&branch.watch.steps()).await;
            match self.watch(&branch.watch, branch.name.as_deref(), &step.verifies, true) {
                Ok(arguments) => list.push(arguments),
                Err(error) => return self.unresolved(step, "one_of", &subject, &error),
            }
        }
        let place = self.begin(step, "one_of", &subject, json!({"branches": Value::Array(list)}));
        let (outcome, chosen) = self.settled(&place).await;
        let next = self.finish(place, outcome, json!({"branch": chosen + 1}));
        match branches.get(chosen) {
            Some(branch) if outcome == StepOutcome::Done => {
                self.passed(branch.name.as_deref()).await;
                self.steps(&branch.steps).await
            }
            _ => next,
        }
    }
}
