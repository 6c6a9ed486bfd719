//! `wait`: lets time pass.

use super::{Executor, Next};
use hil_scenario::{Lookup, Step, Wait};
use serde_json::{Value, json};

impl Executor<'_> {
    pub(super) async fn wait(&mut self, step: &Step, wait: &Wait) -> Next {
        let clock = self.bench.dispatcher.clock();
        let until = match wait {
            Wait::For(span) => span.resolve(self).map(|span| clock.now() + span),
            Wait::Until(moment) => moment.resolve(&|name: &str| self.moment(name), self as &dyn Lookup),
        };
        match until {
            Ok(until) => {
                let place = self.begin(step, "wait", "", json!({"until_us": until.0}));
                clock.sleep_until(until).await;
                self.done(step, place, Value::Null)
            }
            Err(error) => self.unresolved(step, "wait", "", &error),
        }
    }
}
