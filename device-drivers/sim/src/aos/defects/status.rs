//! Defects of status reports and of what a desired status makes a unit do.

use super::{
    Fate, SEALED_IGNORED, ack_of, each, ignored, kind, message, remove, said, sent, told, txn, with_message,
};
use crate::{
    Defect, Frame, Input, Output,
    aos::store,
    defect::{
        Edge, Tamper,
        edits::{boots, hear, perform, stateful},
    },
};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::within(
        SEALED_IGNORED,
        "AOS7-DESIRED-009",
        "Passes over a desired status that is encrypted for it.",
    ),
    Defect::tampering(
        "no-full-status",
        "AOS7-STATUS-001",
        "Never sends a full status.",
        || {
            sent(|message| {
                let full = kind(message) == "unitStatus" && message["data"]["isDeltaInfo"] != true;
                if full { Fate::Settled } else { Fate::Passes }
            })
        },
    ),
    Defect::tampering(
        "subjects-left-out",
        "AOS7-STATUS-003",
        "Leaves the subjects out of full statuses.",
        || said("unitStatus", |data| remove(data, "subjects")),
    ),
    Defect::tampering(
        "components-left-out",
        "AOS7-STATUS-004",
        "Reports no components and no nodes.",
        || {
            said("unitStatus", |data| {
                for (name, part) in [("items", "component"), ("nodes", "")] {
                    if let Some(list) = data.get_mut(name).and_then(Value::as_array_mut) {
                        list.retain(|entry| !part.is_empty() && entry["item"]["type"] != part);
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "state-of-its-own",
        "AOS7-STATUS-005",
        "Has a word of its own for `installed`.",
        || {
            said("unitStatus", |data| {
                for item in each(data, "items").filter(|item| item["state"] == "installed") {
                    item["state"] = json!("ready");
                }
            })
        },
    ),
    Defect::tampering(
        "failure-without-reason",
        "AOS7-STATUS-006",
        "Reports failures without a reason.",
        || {
            said("unitStatus", |data| {
                each(data, "items").for_each(|item| remove(item, "errorInfo"));
                each(data, "unitConfig").for_each(|entry| remove(entry, "errorInfo"));
            })
        },
    ),
    Defect::tampering(
        "no-deltas",
        "AOS7-STATUS-007",
        "Reports no changes between full statuses.",
        || {
            sent(|message| {
                let delta = kind(message) == "unitStatus" && message["data"]["isDeltaInfo"] == true;
                if delta { Fate::Settled } else { Fate::Passes }
            })
        },
    ),
    Defect::tampering(
        "delta-contradicts",
        "AOS7-STATUS-008",
        "Reports its nodes in a full status as in the one before, whatever a delta said meanwhile.",
        || {
            // The nodes of the last full status, and whether a delta was about them since.
            stateful::<(Value, bool)>(hear, |(before, changed), mut output, edge| {
                if let Output::SendWs(_, frame) = &mut output
                    && let Some(mut message) = message(frame)
                    && kind(&message) == "unitStatus"
                {
                    if message["data"]["isDeltaInfo"] == true {
                        *changed |= message["data"].get("nodes").is_some();
                    } else if std::mem::take(changed) {
                        message["data"]["nodes"] = before.clone();
                        *frame = with_message(frame, &message);
                    } else {
                        before.clone_from(&message["data"]["nodes"]);
                    }
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "nameless-groups",
        "AOS7-STATUS-009",
        "Reports nodes whose group has no name.",
        || {
            said("unitStatus", |data| {
                each(data, "nodes").for_each(|node| node["nodeGroupSubject"]["codename"] = json!(""));
            })
        },
    ),
    Defect::tampering(
        "one-full-status",
        "AOS7-STATUS-010",
        "Sends a full status after it connected, and only deltas from then on.",
        || {
            stateful::<bool>(
                |said, input, edge| {
                    if matches!(input, Input::WsOpened { .. }) {
                        *said = false;
                    }
                    edge.hear(input);
                },
                |said, mut output, edge| {
                    if let Output::SendWs(_, frame) = &mut output
                        && let Some(mut message) = message(frame)
                        && kind(&message) == "unitStatus"
                        && message["data"]["isDeltaInfo"] != true
                        && std::mem::replace(said, true)
                    {
                        message["data"]["isDeltaInfo"] = json!(true);
                        *frame = with_message(frame, &message);
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "desired-status-ignored",
        "AOS7-DESIRED-001",
        "Does nothing with a desired status.",
        || ignored("desiredStatus"),
    ),
    Defect::tampering(
        "one-missing-item-spoils-all",
        "AOS7-DESIRED-002",
        "Takes no item at all if one cannot be had.",
        || {
            stateful::<bool>(
                |spoilt, mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && kind(&message) == "blobUrls"
                    {
                        let items = each(&mut message["data"], "items");
                        let without = |item: &Value| item["urls"].as_array().is_none_or(Vec::is_empty);
                        for item in items {
                            *spoilt |= without(item);
                            if *spoilt {
                                item["urls"] = json!([]);
                            }
                        }
                        *frame = with_message(frame, &message);
                    }
                    *spoilt |= matches!(&input, Input::HttpHead { status: 400.., .. });
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "same-status-fetched-again",
        "AOS7-DESIRED-003",
        "Asks for blobs again when it is told the same desired status again.",
        || Box::new(FetchesAgain::default()),
    ),
    Defect::tampering(
        "later-status-ignored",
        "AOS7-DESIRED-004",
        "Ignores a desired status that comes within a minute of another.",
        || {
            stateful::<Option<hil_trace::Stamp>>(
                |last, input, edge| {
                    if let Input::WsFrame { socket, frame } = &input
                        && let Some(message) = message(frame)
                        && kind(&message) == "desiredStatus"
                    {
                        let before = last.replace(edge.now);
                        if before.is_some_and(|before| edge.now.since(before) < Duration::from_secs(60)) {
                            return edge.perform(Output::SendWs(*socket, ack_of(&message)));
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "never-paused",
        "AOS7-DESIRED-005",
        "Reports a paused node as provisioned.",
        || {
            said("unitStatus", |data| {
                for node in each(data, "nodes").filter(|node| node["state"] == "paused") {
                    node["state"] = json!("provisioned");
                }
            })
        },
    ),
    Defect::tampering(
        "lower-configuration-taken",
        "AOS7-DESIRED-006",
        "Takes a unit configuration with a lower version.",
        || {
            said("unitStatus", |data| {
                if let Some(entries) = data.get_mut("unitConfig").and_then(Value::as_array_mut) {
                    if entries.len() > 1 {
                        entries.remove(0);
                    }
                    for entry in entries {
                        if entry["state"] == "failed" {
                            entry["state"] = json!("installed");
                            remove(entry, "errorInfo");
                        }
                    }
                }
            })
        },
    ),
    Defect::tampering(
        "one-instance-only",
        "AOS7-DESIRED-007",
        "Starts one instance of each item.",
        || {
            told("desiredStatus", |data| {
                each(data, "instances").for_each(|group| group["numInstances"] = json!(1));
            })
        },
    ),
    Defect::tampering(
        "run-forgotten-at-boot",
        "AOS7-DESIRED-008",
        "Does not go on with an update run after it lost its power.",
        || {
            boots(|hardware| {
                let stored = hardware.flash.read(store::FILE).unwrap_or_default();
                if let Ok(mut store) = serde_json::from_slice::<Value>(stored) {
                    store["desired"] = Value::Null;
                    let _ = hardware
                        .flash
                        .replace(store::FILE, store.to_string().into_bytes());
                }
            })
        },
    ),
    Defect::tampering(
        "nothing-runs-after-a-rollback",
        "AOS7-DESIRED-010",
        "Stops all instances of an item whose new version failed.",
        || {
            said("unitStatus", |data| {
                let failed = each(data, "items").any(|item| item["state"] == "failed");
                if failed && data.get("instances").is_some() {
                    data["instances"] = json!([]);
                }
            })
        },
    ),
];

/// Asks again for the blobs it asked for first.
#[derive(Default)]
struct FetchesAgain {
    asked: Option<Frame>,
    desired: Vec<String>,
    number: u32,
}

impl Tamper for FetchesAgain {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if let Input::WsFrame { socket, frame } = &input
            && let Some(message) = message(frame)
            && kind(&message) == "desiredStatus"
        {
            let desired = message["data"].to_string();
            if self.desired.contains(&desired)
                && let Some(asked) = &self.asked
            {
                edge.perform_later(Duration::from_secs(1), Output::SendWs(*socket, asked.clone()));
            }
            self.desired.push(desired);
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::SendWs(_, frame) = &output
            && let Some(mut message) = message(frame)
            && kind(&message) == "requestBlobUrls"
        {
            self.number += 1;
            let other = format!(
                "{}{:04}",
                &txn(&message)[..32.min(txn(&message).len())],
                self.number
            );
            message["header"]["txn"] = json!(other);
            message["data"]["correlationId"] = json!(other);
            self.asked = Some(with_message(frame, &message));
        }
        edge.perform(output);
    }
}
