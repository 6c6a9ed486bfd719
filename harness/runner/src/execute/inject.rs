//! `inject`: arms a fault until it is cleared or the scenario ends.

use super::{Executor, Next};
use hil_fault::FaultSpec;
use hil_scenario::{Step, Template};
use hil_trace::StepOutcome;
use serde_json::{Value, json};

impl Executor<'_> {
    pub(super) fn inject(&mut self, step: &Step, fault: &str, with: &Template) -> Next {
        let arguments = match with.resolve(self) {
            Ok(arguments) => arguments,
            Err(error) => return self.unresolved(step, "inject", fault, &error),
        };
        let place = self.begin(step, "inject", fault, arguments.clone());
        let empty = serde_json::Map::new();
        let spec = match FaultSpec::parse(fault, arguments.as_object().unwrap_or(&empty)) {
            Ok(spec) => spec,
            Err(error) => return self.refuse(place, "harness", error),
        };
        let id = self.bench.cloud.arm(spec);
        if let Some(name) = &step.name {
            self.faults.insert(name.clone(), id);
        }
        let result = json!({"as": step.name, "fault": id.0, "value": Value::Null});
        self.finish(place, StepOutcome::Done, result)
    }
}
