//! Variables of instances set by the cloud (reference sections 3.7 and 3.19).

use super::{
    agent::{AosAgent, VARIABLE_TIMER, error_info},
    store::Variable,
};
use crate::Context;
use hil_wire::{
    aos::{EnvVarsEntry, OverrideEnvVars},
    timestamp::parse,
};
use serde_json::{Value, json};
use std::time::Duration;

impl AosAgent {
    /// A new set takes the place of the old one.
    pub(super) fn override_variables(&mut self, request: &OverrideEnvVars, context: &mut Context<'_>) {
        self.store.variables.clear();
        let mut statuses = Vec::new();
        for entry in &request.items {
            let instances = self.matching(entry);
            for variable in &entry.variables {
                let until = variable
                    .ttl
                    .as_deref()
                    .and_then(parse)
                    .map(|time| time.unix_micros);
                let over = until.is_some_and(|until| until <= context.wall_us());
                for (item, subject, number) in &instances {
                    let mut status = json!({
                        "item": {"id": item},
                        "subject": {"id": subject},
                        "instance": number,
                        "name": variable.name,
                    });
                    if over {
                        status["errorInfo"] = error_info(6, "the time of the variable is over");
                    } else {
                        self.store.variables.push(Variable {
                            instance: (item.clone(), subject.clone(), *number),
                            name: variable.name.clone(),
                            value: variable.value.clone(),
                            until,
                        });
                    }
                    statuses.push(status);
                }
                if instances.is_empty() {
                    statuses.push(not_found(entry, &variable.name));
                }
            }
        }
        let mut data = json!({});
        if let Some(correlation) = &request.correlation_id {
            data["correlationId"] = json!(correlation);
        }
        data["statuses"] = json!(statuses);
        self.post("overrideEnvVarsStatus", data, context);
        self.drop_old_variables(context);
    }

    fn matching(&self, entry: &EnvVarsEntry) -> Vec<(String, String, u64)> {
        let named = |wanted: &Option<hil_wire::aos::Identity>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.name() == name)
        };
        let instances = self.store.instances.iter().filter(|i| {
            named(&entry.item, &i.item)
                && named(&entry.subject, &i.subject)
                && entry.instance.is_none_or(|number| number == i.number)
        });
        instances
            .map(|i| (i.item.clone(), i.subject.clone(), i.number))
            .collect()
    }

    /// Forgets variables whose time is over, and comes back for the next one.
    pub(super) fn drop_old_variables(&mut self, context: &mut Context<'_>) {
        let now = context.wall_us();
        let before = self.store.variables.len();
        self.store
            .variables
            .retain(|variable| variable.until.is_none_or(|until| until > now));
        if self.store.variables.len() != before {
            self.save(context);
        }
        let next = self
            .store
            .variables
            .iter()
            .filter_map(|variable| variable.until)
            .min();
        if let Some(next) = next {
            let wait = u64::try_from(next - now).unwrap_or(0);
            context.timer(VARIABLE_TIMER, Duration::from_micros(wait));
        }
    }
}

fn not_found(entry: &EnvVarsEntry, name: &str) -> Value {
    let id = |identity: &Option<hil_wire::aos::Identity>| {
        let name = identity.as_ref().map_or("", |identity| identity.name());
        if name.is_empty() {
            "unknown".to_owned()
        } else {
            name.to_owned()
        }
    };
    json!({
        "item": {"id": id(&entry.item)},
        "subject": {"id": id(&entry.subject)},
        "instance": entry.instance.unwrap_or(0),
        "name": name,
        "errorInfo": error_info(5, "instance not found"),
    })
}
