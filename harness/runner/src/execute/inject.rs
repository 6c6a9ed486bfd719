//! `inject`: arms a fault until it is cleared or the scenario ends.

use super::{Executor, Injected, Next};
use crate::faults::Spark;
use hil_fault::FaultSpec;
use hil_scenario::{Lookup, Step, Template, When};
use hil_trace::StepOutcome;
use serde_json::{Map, Value, json};

impl Executor<'_> {
    pub(super) async fn inject(&mut self, step: &Step, fault: &str, with: &Template, when: &When) -> Next {
        let now = self.bench.dispatcher.clock().now();
        let spark = || Spark::of(when, now, &|name: &str| self.moment(name), self as &dyn Lookup);
        let resolved = with.resolve(self).and_then(|arguments| Ok((arguments, spark()?)));
        let (arguments, (spark, told)) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return self.unresolved(step, "inject", fault, &error),
        };
        let empty = Map::new();
        let spec = FaultSpec::parse(fault, arguments.as_object().unwrap_or(&empty));
        let recorded = match told {
            Value::Null => arguments,
            told => json!({"with": arguments, "when": told}),
        };
        let place = self.begin(step, "inject", fault, recorded);
        let spec = match spec {
            Ok(spec) => spec.with_probability(when.probability),
            Err(error) => return self.refuse(place, "harness", error),
        };
        let due = spark.due();
        let armed = self
            .bench
            .makers
            .arm(spec, spark, Map::new(), &mut self.fuses)
            .await;
        let id = armed.id;
        if let Some(name) = &step.name {
            self.faults.insert(name.clone(), Injected { due, armed });
        }
        let result = json!({"as": step.name, "fault": id.0, "value": Value::Null});
        self.finish(place, StepOutcome::Done, result)
    }
}
