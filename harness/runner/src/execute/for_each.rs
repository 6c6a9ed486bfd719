//! `for_each`: runs steps once for each value.

use super::{Executor, Next};
use hil_scenario::{Step, Template};
use serde_json::{Value, json};

impl Executor<'_> {
    pub(super) async fn for_each(
        &mut self,
        step: &Step,
        variable: &str,
        values: &Template,
        steps: &[Step],
    ) -> Next {
        let values = match values.resolve(self) {
            Ok(Value::Array(values)) => values,
            Ok(other) => vec![other],
            Err(error) => return self.unresolved(step, "for_each", variable, &error),
        };
        let outer = self.suffix.clone();
        for (index, value) in values.into_iter().enumerate() {
            let place = self.begin(
                step,
                "for_each",
                variable,
                json!({"value": value, "round": index + 1}),
            );
            self.done(step, place, Value::Null);
            self.variables.push((variable.to_owned(), value));
            self.suffix = format!("{outer}#{}", index + 1);
            let next = self.steps(steps).await;
            self.variables.pop();
            self.suffix = outer.clone();
            if next == Next::Stop {
                return Next::Stop;
            }
        }
        Next::Go
    }
}
