//! `measure`: the time between two moments or events, judged against bounds. The record of the step names them, and every
//! bound, so that the judge finds them in the trace.

use super::{Executor, Next};
use hil_scenario::{End, Limits, Lookup, Measure, Occurrence, Span, Step, Unresolved};
use serde_json::{Map, Value, json};

impl Executor<'_> {
    pub(super) fn measure(&mut self, step: &Step, measure: &Measure) -> Next {
        let subject = format!("{} to {}", measure.from, measure.to);
        let arguments = match self.measured(step, measure) {
            Ok(arguments) => arguments,
            Err(error) => return self.unresolved(step, "measure", &subject, &error),
        };
        let place = self.begin(step, "measure", &subject, arguments);
        self.done(step, place, Value::Null)
    }

    fn measured(&self, step: &Step, measure: &Measure) -> Result<Value, Unresolved> {
        let mut arguments = Map::new();
        arguments.insert("from".to_owned(), self.end(&measure.from)?);
        arguments.insert("to".to_owned(), self.end(&measure.to)?);
        arguments.insert("verifies".to_owned(), json!(step.verifies));
        for (name, span) in [("min", &measure.each.min), ("max", &measure.each.max)] {
            if let Some(span) = span {
                arguments.insert(name.to_owned(), json!(span.resolve(self)?.as_secs_f64()));
            }
        }
        let micros = |span: &Span| span.resolve(self).map(|length| length.as_micros() as u64);
        for (quantile, Limits { min, max }) in &measure.quantiles {
            let mut range = Map::new();
            for (name, span) in [("min_us", min), ("max_us", max)] {
                if let Some(span) = span {
                    range.insert(name.to_owned(), json!(micros(span)?));
                }
            }
            arguments.insert(quantile.name().to_owned(), Value::Object(range));
        }
        if let Some(drift) = &measure.drift {
            arguments.insert("drift_us".to_owned(), json!(micros(drift)?));
        }
        if let Some(name) = &step.name {
            arguments.insert("as".to_owned(), json!(name));
        }
        Ok(Value::Object(arguments))
    }

    fn end(&self, end: &End) -> Result<Value, Unresolved> {
        match end {
            End::Step(name) => Ok(json!(name)),
            End::Event(occurrence) => self.occurrence(occurrence),
        }
    }

    /// An event with every expression resolved and every time absolute.
    fn occurrence(&self, occurrence: &Occurrence) -> Result<Value, Unresolved> {
        let at = |moment: &hil_scenario::Moment| {
            moment.resolve(&|name: &str| self.moment(name), self as &dyn Lookup)
        };
        let mut said = json!({
            "event": occurrence.event,
            "match": occurrence.matching.resolve(self)?,
            "which": occurrence.which.name(),
        });
        if let Some(condition) = &occurrence.condition {
            said["where"] = json!(condition.text());
            said["variables"] = Value::Object(self.values_of(condition));
        }
        let base = occurrence
            .after
            .as_ref()
            .and_then(|moment| self.record_of(moment.step()));
        if let Some(base) = base {
            said["base"] = json!(base);
        }
        for (name, moment) in [("after_us", &occurrence.after), ("before_us", &occurrence.before)] {
            if let Some(moment) = moment {
                said[name] = json!(at(moment)?.0);
            }
        }
        Ok(said)
    }
}
