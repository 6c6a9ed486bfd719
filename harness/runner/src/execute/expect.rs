//! `expect`: waits for an event in its window. The record of the step says everything the judge needs.

use super::{Executor, Next};
use hil_scenario::{Condition, Lookup, Moment, Step, Unresolved, Watch};
use hil_trace::Stamp;
use serde_json::{Map, Value, json};

impl Executor<'_> {
    pub(super) async fn expect(&mut self, step: &Step, watch: &Watch) -> Next {
        self.happened(&watch.steps()).await;
        let arguments = match self.watch(watch, step.name.as_deref(), &step.verifies, true) {
            Ok(arguments) => arguments,
            Err(error) => return self.unresolved(step, "expect", &watch.event, &error),
        };
        let place = self.begin(step, "expect", &watch.event, arguments);
        let (outcome, _) = self.settled(&place).await;
        self.finish(place, outcome, json!({}))
    }

    /// A watch with every expression resolved and every time absolute; `bounded` gives it a limit if it has none.
    pub(super) fn watch(
        &self,
        watch: &Watch,
        name: Option<&str>,
        verifies: &[String],
        bounded: bool,
    ) -> Result<Value, Unresolved> {
        let now = self.bench.dispatcher.clock().now();
        let at = |moment: &Moment| moment.resolve(&|name: &str| self.moment(name), self as &dyn Lookup);
        let after = watch.after.as_ref().map(&at).transpose()?;
        let base = watch
            .after
            .as_ref()
            .and_then(|moment| self.record_of(moment.step()));
        let mut before = watch.before.as_ref().map(&at).transpose()?;
        if let Some(within) = &watch.within {
            before = Some(now + within.resolve(self)?).into_iter().chain(before).min();
        }
        if bounded && before.is_none() {
            before = Some(after.unwrap_or(now).max(now) + self.patience);
        }
        let hold = watch.hold.as_ref().map(|span| span.resolve(self)).transpose()?;
        let times = watch
            .times
            .as_ref()
            .map(|times| times.resolve(self))
            .transpose()?;
        let mut arguments = Map::new();
        arguments.insert("event".to_owned(), json!(watch.event));
        arguments.insert("match".to_owned(), watch.matching.resolve(self)?);
        if let Some(condition) = &watch.condition {
            arguments.insert("where".to_owned(), json!(condition.text()));
            let used = self.values_of(condition);
            arguments.insert("variables".to_owned(), Value::Object(used));
        }
        let stamp = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.0);
        let optional = [
            ("as", json!(name)),
            ("verifies", json!(verifies)),
            ("stimulus", json!(watch.stimulus)),
            ("base", json!(base)),
            ("after_us", json!(stamp(after))),
            ("before_us", json!(stamp(before))),
            ("hold_us", json!(hold.map(|hold| hold.as_micros() as u64))),
            ("times", json!(times)),
        ];
        for (name, value) in optional {
            if !value.is_null() {
                arguments.insert(name.to_owned(), value);
            }
        }
        Ok(Value::Object(arguments))
    }

    /// What a condition refers to, with its values.
    pub(super) fn values_of(&self, condition: &Condition) -> Map<String, Value> {
        let paths = condition.paths();
        let used = |name: &String| paths.iter().any(|path| path.split('.').next() == Some(name));
        let all = self.all_values().into_iter();
        all.filter(|(name, _)| used(name)).collect()
    }
}
