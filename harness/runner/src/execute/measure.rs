//! `measure`: the time between two named moments, judged against bounds.

use super::{Executor, Next};
use hil_scenario::{Span, Step};
use serde_json::{Value, json};

impl Executor<'_> {
    pub(super) fn measure(
        &mut self,
        step: &Step,
        from: &str,
        to: &str,
        min: Option<&Span>,
        max: Option<&Span>,
    ) -> Next {
        let subject = format!("{from} to {to}");
        let seconds = |span: Option<&Span>| span.map(|span| span.resolve(self)).transpose();
        let (min, max) = match (seconds(min), seconds(max)) {
            (Ok(min), Ok(max)) => (min, max),
            (Err(error), _) | (_, Err(error)) => return self.unresolved(step, "measure", &subject, &error),
        };
        let mut arguments = json!({"from": from, "to": to, "verifies": step.verifies});
        let bounds = [("min", min), ("max", max)];
        for (name, bound) in bounds {
            if let Some(bound) = bound {
                arguments[name] = json!(bound.as_secs_f64());
            }
        }
        if let Some(name) = &step.name {
            arguments["as"] = json!(name);
        }
        let place = self.begin(step, "measure", &subject, arguments);
        self.done(step, place, Value::Null)
    }
}
