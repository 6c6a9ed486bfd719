//! `config_update`: a merge patch, all or nothing, in flash before the acknowledgement (reference section 4).

use super::{
    agent::{CONFIGURATION_TIMER, EdgeAgent},
    execution::Outcome,
    store::{self, Configuration},
};
use crate::{Context, Url};
use hil_wire::edge_poll::invalid_config_keys;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Where the API is; unset where the unit was told at first.
pub(super) const API_URL: &str = "api_url";

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
        let moves = values.get(API_URL) != self.configuration.values.get(API_URL);
        let before = std::mem::take(&mut self.configuration.values);
        self.configuration = Configuration {
            values,
            by: Some(id.to_owned()),
            changed: changed.clone(),
            // The older ones, if those in between were not tried either.
            before: self.configuration.before.take().or(moves.then_some(before)),
        };
        self.save_configuration(context);
        self.use_api_url(context);
        context.hardware.count(&format!("executions/{id}"));
        if let Some(record) = self.commands.get(id).cloned() {
            self.conclude(record, Outcome::completed(json!({"changed": changed})), context);
        }
    }

    /// Keys of an update that cannot be set.
    pub(super) fn unfit_keys(&self, update: &Map<String, Value>) -> Vec<String> {
        let mut keys = invalid_config_keys(update);
        let is_url =
            |value: &Value| value.is_null() || value.as_str().is_some_and(|text| Url::parse(text).is_ok());
        keys.retain(|key| key != API_URL || !update.get(key).is_some_and(is_url));
        keys
    }

    /// Speaks with the API where the configuration says it is; for how long, if that was never tried.
    pub(super) fn use_api_url(&mut self, context: &mut Context<'_>) {
        let configured = self.configuration.values.get(API_URL).and_then(Value::as_str);
        let told = context.setup.endpoints.get("base_url");
        self.base = Url::parse(configured.unwrap_or(told)).ok();
        if self.configuration.before.is_some() {
            context.timer(CONFIGURATION_TIMER, PATIENCE.min(2 * self.interval()));
        }
    }

    /// The cloud answered: the configuration leads there.
    pub(super) fn keep_configuration(&mut self, context: &mut Context<'_>) {
        if self.configuration.before.take().is_some() {
            context.cancel(CONFIGURATION_TIMER);
            self.save_configuration(context);
        }
    }

    /// The cloud was not reached with the new configuration: the one before holds again.
    pub(super) fn undo_configuration(&mut self, context: &mut Context<'_>) {
        let Some(before) = self.configuration.before.take() else {
            return;
        };
        context.console("the cloud cannot be reached with the new configuration: it is taken back");
        self.configuration.values = before;
        self.save_configuration(context);
        self.use_api_url(context);
        self.poll(context);
    }

    fn save_configuration(&self, context: &mut Context<'_>) {
        store::save(
            &mut context.hardware.flash,
            store::CONFIGURATION,
            &self.configuration,
        );
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

/// How long a configuration may lead nowhere, at the most; two intervals if that is less.
const PATIENCE: Duration = Duration::from_secs(120);
