//! Defects of alerts and monitoring.

use super::{each, kind, message, said, unsaid};
use crate::{
    Defect, Input, Output,
    aos::agent::MONITORING_TIMER,
    defect::{
        Tamper,
        edits::{perform, stateful, timers},
    },
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "alerts-without-tag",
        "AOS7-ALERT-001",
        "Sends alerts with a tag of its own.",
        || {
            said("alerts", |data| {
                each(data, "items").for_each(|item| item["tag"] = json!("alarm"))
            })
        },
    ),
    Defect::tampering(
        "many-alerts-at-once",
        "AOS7-ALERT-002",
        "Sends any number of alerts in one message.",
        || {
            said("alerts", |data| {
                if let Some(items) = data.get_mut("items").and_then(Value::as_array_mut)
                    && let Some(first) = items.first().cloned()
                {
                    for number in items.len()..17 {
                        let mut more = first.clone();
                        more["message"] = json!(format!("and once more, number {number}"));
                        items.push(more);
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "quotas-not-watched",
        "AOS7-ALERT-003",
        "Raises no alert for a quota.",
        || without_alerts("systemQuotaAlert"),
    ),
    Defect::tampering(
        "alerts-repeated",
        "AOS7-ALERT-004",
        "Repeats equal alerts.",
        || {
            said("alerts", |data| {
                if let Some(items) = data.get_mut("items").and_then(Value::as_array_mut) {
                    let more = items.clone();
                    items.extend(more);
                }
            })
        },
    ),
    Defect::tampering(
        "failed-downloads-untold",
        "AOS7-ALERT-005",
        "Says nothing of a download that fails.",
        || without_alerts("downloadProgressAlert"),
    ),
    Defect::tampering(
        "monitors-rarely",
        "AOS7-MON-001",
        "Sends monitoring in twice the period.",
        || {
            timers((), |(), timer, after| match timer {
                MONITORING_TIMER => after * 2,
                _ => after,
            })
        },
    ),
    Defect::tampering(
        "samples-of-one-time",
        "AOS7-MON-002",
        "Sends all samples under the same time.",
        || {
            said("monitoringData", |data| {
                for node in each(data, "nodes") {
                    each(node, "items")
                        .for_each(|sample| sample["timestamp"] = json!("2026-03-02T09:00:00.000Z"));
                }
            })
        },
    ),
    Defect::tampering(
        "instances-not-monitored",
        "AOS7-MON-003",
        "Monitors no instances.",
        || said("monitoringData", |data| data["instances"] = json!([])),
    ),
    Defect::tampering(
        "monitoring-storm",
        "AOS7-MON-004",
        "Sends all it has monitored meanwhile as soon as it is connected again.",
        || {
            stateful::<bool>(
                |before, input, edge| {
                    let opened = matches!(input, Input::WsOpened { .. });
                    edge.hear(input);
                    if opened && std::mem::replace(before, true) {
                        for number in 1..60 {
                            let timer = Input::Timer(MONITORING_TIMER);
                            edge.hear_later(Duration::from_millis(10 * number), timer);
                        }
                    }
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "no-monitoring",
        "AOS7-MON-001",
        "Sends no monitoring at all.",
        || unsaid("monitoringData"),
    ),
];

/// Leaves alerts of one tag out; a message with none left is not sent.
fn without_alerts(tag: &'static str) -> Box<dyn Tamper> {
    Box::new(WithoutAlerts(tag))
}

struct WithoutAlerts(&'static str);

impl Tamper for WithoutAlerts {
    fn output(&mut self, mut output: Output, edge: &mut crate::defect::Edge<'_>) {
        if let Output::SendWs(socket, frame) = &mut output
            && let Some(mut message) = message(frame)
            && kind(&message) == "alerts"
        {
            if let Some(items) = message["data"].get_mut("items").and_then(Value::as_array_mut) {
                items.retain(|item| item["tag"] != self.0);
                if items.is_empty() {
                    return edge.hear(Input::WsFrame {
                        socket: *socket,
                        frame: super::ack_of(&message),
                    });
                }
            }
            *frame = super::with_message(frame, &message);
        }
        edge.perform(output);
    }
}
