//! Defects in answering requests for logs, states and variables.

use super::{Fate, each, kind, message, remove, said, sent, told, unsaid, with_message};
use crate::{
    Defect, Input,
    defect::edits::{perform, stateful},
};
use hil_wire::aos::state_checksum;
use serde_json::{Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering("no-logs", "AOS7-LOG-001", "Answers no request for a log.", || {
        unsaid("pushLog")
    }),
    Defect::tampering(
        "logs-of-nobody",
        "AOS7-LOG-002",
        "Sends logs under another correlation id.",
        || {
            said("pushLog", |data| {
                data["correlationId"] = json!("11111111-2222-4333-8444-555555555555")
            })
        },
    ),
    Defect::tampering(
        "last-part-missing",
        "AOS7-LOG-003",
        "Leaves out the last part of a log.",
        || {
            said("pushLog", |data| {
                let parts = data["partsCount"].as_u64().unwrap_or(0);
                data["partsCount"] = json!(parts + 1);
            })
        },
    ),
    Defect::tampering(
        "logs-uncompressed",
        "AOS7-LOG-004",
        "Sends logs without compressing them.",
        || {
            said("pushLog", |data| {
                if data["status"] == "ok" {
                    data["content"] = json!("cGxhaW4gdGV4dA==");
                }
            })
        },
    ),
    Defect::tampering(
        "nothing-is-ok",
        "AOS7-LOG-005",
        "Says `ok` where there is no log.",
        || {
            said("pushLog", |data| {
                if data["status"] == "empty" || data["status"] == "absent" {
                    data["status"] = json!("ok");
                }
            })
        },
    ),
    Defect::tampering(
        "log-failure-unexplained",
        "AOS7-LOG-006",
        "Does not say why there is no log.",
        || said("pushLog", |data| remove(data, "errorInfo")),
    ),
    Defect::tampering(
        "time-of-logs-ignored",
        "AOS7-LOG-007",
        "Sends logs of all times.",
        || {
            told("requestLog", |data| {
                remove(&mut data["filter"], "from");
                remove(&mut data["filter"], "till");
            })
        },
    ),
    Defect::tampering(
        "unknown-node-unanswered",
        "AOS7-LOG-008",
        "Says nothing of a node it does not know.",
        || {
            sent(|message| {
                let unknown = message["data"]["errorInfo"]["message"] == "node not found";
                if kind(message) == "pushLog" && unknown {
                    Fate::Settled
                } else {
                    Fate::Passes
                }
            })
        },
    ),
    Defect::tampering(
        "state-of-another",
        "AOS7-STATE-001",
        "Answers with the state of another instance.",
        || {
            said("newState", |data| {
                let number = data["instance"].as_u64().unwrap_or(0);
                data["instance"] = json!(number + 1);
            })
        },
    ),
    Defect::tampering(
        "accepts-another-state",
        "AOS7-STATE-002",
        "Accepts a state with another checksum.",
        || {
            said("stateAcceptance", |data| {
                data["checksum"] = json!(state_checksum("something else"))
            })
        },
    ),
    Defect::tampering(
        "state-unchecked",
        "AOS7-STATE-003",
        "Takes a state whose checksum does not fit.",
        || {
            told("updateState", |data| {
                let state = data["state"].as_str().unwrap_or_default();
                data["stateChecksum"] = json!(state_checksum(state));
            })
        },
    ),
    Defect::tampering(
        "rejection-ignored",
        "AOS7-STATE-004",
        "Does not ask for a state after its own was rejected.",
        || told("stateAcceptance", |data| data["result"] = json!("accepted")),
    ),
    Defect::tampering(
        "wrong-state-checksum",
        "AOS7-STATE-005",
        "Sends states with a wrong checksum.",
        || {
            said("newState", |data| {
                data["stateChecksum"] = json!(state_checksum("something else"))
            })
        },
    ),
    Defect::tampering(
        "no-new-states",
        "AOS7-STATE-006",
        "Does not upload a state that changed.",
        || unsaid("newState"),
    ),
    Defect::tampering(
        "states-cut",
        "AOS7-STATE-007",
        "Cuts states after 32 KiB.",
        || {
            said("newState", |data| {
                let state: String = data["state"]
                    .as_str()
                    .unwrap_or_default()
                    .chars()
                    .take(32_768)
                    .collect();
                data["stateChecksum"] = json!(state_checksum(&state));
                data["state"] = json!(state);
            })
        },
    ),
    Defect::tampering(
        "variables-unanswered",
        "AOS7-ENVVAR-001",
        "Says nothing of variables it was told to set.",
        || unsaid("overrideEnvVarsStatus"),
    ),
    Defect::tampering(
        "variables-always-set",
        "AOS7-ENVVAR-002",
        "Does not say that a variable could not be set.",
        || {
            said("overrideEnvVarsStatus", |data| {
                for item in each(data, "statuses") {
                    remove(item, "errorInfo");
                    each(item, "statuses").for_each(|status| remove(status, "errorInfo"));
                }
                for item in each(data, "items") {
                    remove(item, "errorInfo");
                    each(item, "statuses").for_each(|status| remove(status, "errorInfo"));
                    each(item, "variables").for_each(|status| remove(status, "errorInfo"));
                }
            })
        },
    ),
    Defect::tampering(
        "variables-for-ever",
        "AOS7-ENVVAR-003",
        "Keeps variables that have expired.",
        || {
            told("overrideEnvVars", |data| {
                for item in each(data, "items") {
                    each(item, "variables").for_each(|variable| remove(variable, "ttl"));
                }
            })
        },
    ),
    Defect::tampering(
        "variables-pile-up",
        "AOS7-ENVVAR-004",
        "Keeps the variables of an older set.",
        || {
            stateful::<Vec<Value>>(
                |older, mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && kind(&message) == "overrideEnvVars"
                        && let Some(items) = message["data"].get_mut("items").and_then(Value::as_array_mut)
                    {
                        let told = items.clone();
                        items.extend(older.iter().cloned());
                        older.extend(told);
                        *frame = with_message(frame, &message);
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "variables-of-nobody",
        "AOS7-ENVVAR-005",
        "Answers a set of variables under another correlation id.",
        || {
            said("overrideEnvVarsStatus", |data| {
                data["correlationId"] = json!("11111111-2222-4333-8444-555555555555");
            })
        },
    ),
];
