//! `inject`: arms a fault until it is cleared or the scenario ends, and lays the fuse to what sets it off.

use super::{Executor, Injected, Next};
use crate::faults::{Fuse, Spark, Tripwire};
use hil_fault::{Effect, FaultSpec, UnitEffect};
use hil_scenario::{Lookup, Step, Template, Trigger, Unresolved, When};
use hil_trace::StepOutcome;
use serde_json::{Value, json};
use std::{rc::Rc, time::Duration};
use tokio::sync::oneshot;

impl Executor<'_> {
    pub(super) async fn inject(&mut self, step: &Step, fault: &str, with: &Template, when: &When) -> Next {
        let resolved = with
            .resolve(self)
            .and_then(|arguments| Ok((arguments, self.spark(when)?)));
        let (arguments, (spark, described)) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return self.unresolved(step, "inject", fault, &error),
        };
        let empty = serde_json::Map::new();
        let spec = FaultSpec::parse(fault, arguments.as_object().unwrap_or(&empty));
        let mut told = arguments;
        if !described.is_null() {
            told = json!({"with": told, "when": described});
        }
        let place = self.begin(step, "inject", fault, told);
        let spec = match spec {
            Ok(spec) => spec.with_probability(when.probability),
            Err(error) => return self.refuse(place, "harness", error),
        };
        let effect = match &spec.effect {
            Effect::Unit(effect) => Some(effect.clone()),
            _ => None,
        };
        let id = self
            .bench
            .faults
            .arm(spec, effect.is_none() && matches!(spark, Spark::Now));
        let due = match &spark {
            Spark::At(stamp) => Some(*stamp),
            _ => None,
        };
        if let Some(name) = &step.name {
            self.faults.insert(name.clone(), Injected { id, due });
        }
        self.lay(id, spark, effect).await;
        let result = json!({"as": step.name, "fault": id.0, "value": Value::Null});
        self.finish(place, StepOutcome::Done, result)
    }

    /// Lays the fuse of a fault that is not live yet; what is made at once has begun when this returns.
    async fn lay(&mut self, id: hil_fault::FaultId, spark: Spark, effect: Option<UnitEffect>) {
        let now = matches!(spark, Spark::Now);
        if now && effect.is_none() {
            return;
        }
        if let Spark::After(tripwire, _) = &spark {
            self.bench.dispatcher.stretch(tripwire.clone());
        }
        let fuse = Fuse {
            dispatcher: self.bench.dispatcher.clone(),
            faults: self.bench.faults.clone(),
            unit: self.bench.unit.clone(),
            id,
            facts: serde_json::Map::new(),
        };
        let (begun, begins) = oneshot::channel();
        self.fuses.spawn_local(fuse.burn(spark, effect, begun));
        if now {
            // An effect that cannot be made never begins.
            let _ = begins.await;
        }
    }

    /// What sets the fault off, and how the trace tells it.
    fn spark(&self, when: &When) -> Result<(Spark, Value), Unresolved> {
        let now = self.bench.dispatcher.clock().now();
        let (spark, mut told) = match &when.trigger {
            Trigger::Now => (Spark::Now, Value::Null),
            Trigger::In(span) => {
                let at = now + span.resolve(self)?;
                (Spark::At(at), json!({"at_us": at.0}))
            }
            Trigger::At(moment) => {
                let at = moment.resolve(&|name: &str| self.moment(name), self as &dyn Lookup)?;
                (Spark::At(at), json!({"at_us": at.0}))
            }
            Trigger::Event {
                event,
                matching,
                nth,
                offset,
            } => {
                let pattern = matching.resolve(self)?;
                let offset = offset.as_ref().map(|span| span.resolve(self)).transpose()?;
                let offset = offset.unwrap_or(Duration::ZERO);
                let told = json!({
                    "event": event,
                    "match": pattern,
                    "nth": nth,
                    "offset_us": offset.as_micros() as u64,
                });
                let tripwire = Rc::new(Tripwire::new(event, pattern, *nth));
                (Spark::After(tripwire, offset), told)
            }
        };
        if let Some(probability) = when.probability {
            if told.is_null() {
                told = json!({});
            }
            told["probability"] = json!(probability);
        }
        Ok((spark, told))
    }
}
