//! `config_update`: a merge patch, all or nothing, in flash before the acknowledgement (reference section 4).

use super::{
    agent::EdgeAgent,
    execution::Outcome,
    store::{self, Configuration},
};
use crate::Context;
use serde_json::{Map, Value, json};

impl EdgeAgent {
    /// Applies an update whose keys and values are all allowed.
    pub(super) fn configure(&mut self, id: &str, update: &Map<String, Value>, context: &mut Context<'_>) {
        let mut values = self.configuration.values.clone();
        for (key, value) in update {
            if value.is_null() {
                values.remove(key);
            } else {
                values.insert(key.clone(), value.clone());
            }
        }
        let mut changed: Vec<String> = update
            .keys()
            .filter(|key| values.get(*key) != self.configuration.values.get(*key))
            .cloned()
            .collect();
        changed.sort();
        if update.contains_key("poll_interval_s") {
            // What the operator configures replaces an older hint.
            self.polling.hint = None;
        }
        self.configuration = Configuration {
            values,
            by: Some(id.to_owned()),
            changed: changed.clone(),
        };
        store::save(
            &mut context.hardware.flash,
            store::CONFIGURATION,
            &self.configuration,
        );
        context.hardware.count(&format!("executions/{id}"));
        if let Some(record) = self.commands.get(id).cloned() {
            self.conclude(record, Outcome::completed(json!({"changed": changed})), context);
        }
    }

    /// A value of the configuration, its default if it was not set.
    pub(super) fn configured(&self, key: &str) -> Option<Value> {
        let value = self.configuration.values.get(key).cloned();
        value.or_else(|| match key {
            "poll_interval_s" => Some(json!(self.default_interval.as_secs())),
            "log_level" => Some(json!("info")),
            "discovery_enabled" => Some(json!(true)),
            _ => None,
        })
    }
}
