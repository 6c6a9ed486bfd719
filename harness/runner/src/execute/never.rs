//! `never`: states what must not come; goes on at once, the judge keeps watching.

use super::{Executor, Next};
use hil_scenario::{Step, Watch};
use serde_json::Value;

impl Executor<'_> {
    pub(super) fn never(&mut self, step: &Step, watch: &Watch) -> Next {
        match self.watch(watch, step.name.as_deref(), &step.verifies, false) {
            Ok(arguments) => {
                let place = self.begin(step, "never", &watch.event, arguments);
                self.done(step, place, Value::Null)
            }
            Err(error) => self.unresolved(step, "never", &watch.event, &error),
        }
    }
}
