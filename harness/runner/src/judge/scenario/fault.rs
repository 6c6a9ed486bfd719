//! Faults of the scenario: which were armed, and when the first effect came.

use super::{Fault, ScenarioJudge};
use hil_trace::{FaultPhase, Record};
use serde_json::{Map, Value};

impl ScenarioJudge {
    pub(super) fn fault(
        &mut self,
        record: &Record,
        id: u32,
        name: &str,
        phase: FaultPhase,
        facts: &Map<String, Value>,
    ) {
        match phase {
            FaultPhase::Armed => {
                let fault = Fault {
                    step: None,
                    name: name.to_owned(),
                    armed: record.seq,
                    acted: false,
                };
                self.faults.insert(id, fault);
                self.last_fault = Some(id);
            }
            FaultPhase::Acted => {
                if let Some(fault) = self.faults.get_mut(&id)
                    && !fault.acted
                {
                    fault.acted = true;
                    if let Some(step) = fault.step.clone() {
                        self.values.insert(step.clone(), Value::Object(facts.clone()));
                        self.moments.insert(step, (record.at, record.seq));
                    }
                }
            }
            FaultPhase::Cleared => {}
        }
    }
}
