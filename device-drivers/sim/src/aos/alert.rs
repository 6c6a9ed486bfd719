//! Alerts (reference section 3.3): collected, merged if equal, sent every few seconds; quotas of the unit
//! configuration.

use super::agent::{ALERT_TIMER, AosAgent, CPU_TIMER, MAIN_NODE, RAM_TIMER, error_info, timestamp};
use crate::Context;
use hil_wire::aos::DesiredItem;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// What waits to be sent, and the load the quotas are about.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    waiting: Vec<Value>,
    /// Percent by parameter.
    pub(super) load: BTreeMap<String, f64>,
    /// Parameters whose alert was raised and not ended.
    raised: Vec<String>,
    watched: Vec<String>,
}

impl AosAgent {
    /// Adds an alert; one that only differs in time from a waiting one is dropped.
    pub(super) fn alert(&mut self, mut alert: Value, context: &mut Context<'_>) {
        let same = |other: &Value| {
            let mut other = other.clone();
            other["timestamp"] = Value::Null;
            let mut new = alert.clone();
            new["timestamp"] = Value::Null;
            other == new
        };
        if self.alerts.waiting.iter().any(same) || self.alerts.waiting.len() >= CACHE {
            return;
        }
        alert["timestamp"] = json!(timestamp(context));
        if self.alerts.waiting.is_empty() {
            let period = context.setup.seconds("alert_period", 10.0);
            context.timer(ALERT_TIMER, period);
        }
        self.alerts.waiting.push(alert);
    }

    pub(super) fn alerts_due(&mut self, context: &mut Context<'_>) {
        if self.connection.socket().is_none() {
            let period = context.setup.seconds("alert_period", 10.0);
            return context.timer(ALERT_TIMER, period);
        }
        let waiting = std::mem::take(&mut self.alerts.waiting);
        for items in waiting.chunks(MOST_ITEMS) {
            self.post("alerts", json!({"items": items}), context);
        }
    }

    /// The node's kernel says something.
    pub(super) fn system_alert(&mut self, message: &str, context: &mut Context<'_>) {
        let alert = json!({"timestamp": null, "tag": "systemAlert", "node": {"codename": MAIN_NODE}, "message": message});
        self.alert(alert, context);
    }

    pub(super) fn alert_of_download(&mut self, reason: &str, context: &mut Context<'_>) {
        let Some((url, digest, received, total)) = self.transfer() else {
            return;
        };
        let alert = json!({
            "timestamp": null,
            "tag": "downloadProgressAlert",
            "digest": digest,
            "url": url,
            "downloadedBytes": received,
            "totalBytes": total,
            "state": "interrupted",
            "reason": reason,
            "errorInfo": error_info(1, reason),
        });
        self.alert(alert, context);
    }

    pub(super) fn alerts_of_failed_instance(
        &mut self,
        item: &DesiredItem,
        reason: &str,
        context: &mut Context<'_>,
    ) {
        let groups = self.run.as_ref().and_then(|run| run.desired.instances.as_ref());
        let subject = groups
            .into_iter()
            .flatten()
            .find(|group| group.item.name() == item.item.name())
            .map(|group| group.subject.name().to_owned());
        let alert = json!({
            "timestamp": null,
            "tag": "updateItemInstanceAlert",
            "item": {"id": item.item.name()},
            "subject": {"id": subject.unwrap_or_else(|| "default-subject".to_owned())},
            "instance": 0,
            "version": item.version,
            "message": reason,
        });
        self.alert(alert, context);
    }

    /// Load or rules changed: begins to time what is above its threshold.
    pub(super) fn watch_quotas(&mut self, context: &mut Context<'_>) {
        for (parameter, timer) in [("cpu", CPU_TIMER), ("ram", RAM_TIMER)] {
            let load = self.alerts.load.get(parameter).copied().unwrap_or(0.0);
            let Some((from, to, span)) = self.rule(parameter) else {
                context.cancel(timer);
                continue;
            };
            let watched = self.alerts.watched.iter().any(|name| name == parameter);
            let raised = self.alerts.raised.iter().any(|name| name == parameter);
            if load > to && !watched && !raised {
                self.alerts.watched.push(parameter.to_owned());
                context.timer(timer, span);
            }
            if load <= to && watched {
                self.alerts.watched.retain(|name| name != parameter);
                context.cancel(timer);
            }
            if load < from {
                self.alerts.raised.retain(|name| name != parameter);
            }
        }
    }

    pub(super) fn quota_due(&mut self, parameter: &str, context: &mut Context<'_>) {
        self.alerts.watched.retain(|name| name != parameter);
        self.alerts.raised.push(parameter.to_owned());
        let percent = self.alerts.load.get(parameter).copied().unwrap_or(0.0);
        let total = if parameter == "ram" {
            super::status::TOTAL_RAM as f64
        } else {
            48_000.0
        };
        let alert = json!({
            "timestamp": null,
            "tag": "systemQuotaAlert",
            "node": {"codename": MAIN_NODE},
            "parameter": parameter,
            "value": (percent / 100.0 * total) as u64,
        });
        self.alert(alert, context);
    }

    /// End and begin of an alert in percent, and how long the load must last.
    fn rule(&self, parameter: &str) -> Option<(f64, f64, Duration)> {
        let nodes = self.store.unit_config.as_ref()?["nodes"].as_array()?;
        let rule = nodes.iter().find_map(|node| node["alertRules"].get(parameter))?;
        let span = rule["minTimeout"].as_f64().unwrap_or(0.0);
        Some((
            rule["minThreshold"].as_f64()?,
            rule["maxThreshold"].as_f64()?,
            Duration::try_from_secs_f64(span).ok()?,
        ))
    }
}

const CACHE: usize = 32;
const MOST_ITEMS: usize = 16;
