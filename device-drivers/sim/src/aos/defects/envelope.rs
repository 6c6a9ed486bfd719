//! Defects of the envelope every message is in.

use super::{Fate, heard, kind, message, sent, txn};
use crate::{
    Defect, Frame, Input, Output,
    defect::edits::{any_input, hear, stateful},
};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "third-member",
        "AOS7-ENV-001",
        "Sends messages with a third member beside header and data.",
        || {
            sent(|message| {
                message["meta"] = json!({});
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "version-as-text",
        "AOS7-ENV-002",
        "Sends its version as text.",
        || {
            sent(|message| {
                message["header"]["version"] = json!("7");
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "other-system-id",
        "AOS7-ENV-003",
        "Sends another system id than the one it looked its cloud up with.",
        || {
            sent(|message| {
                message["header"]["systemId"] = json!("another-unit");
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "time-as-words",
        "AOS7-ENV-004",
        "Sends a time that is not ISO 8601.",
        || {
            sent(|message| {
                message["header"]["createdAt"] = json!("Monday, nine o'clock");
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "time-with-offset",
        "AOS7-ENV-005",
        "Sends its time with an offset in place of `Z`.",
        || {
            sent(|message| {
                let time = message["header"]["createdAt"]
                    .as_str()
                    .unwrap_or_default()
                    .replace('Z', "+00:00");
                message["header"]["createdAt"] = json!(time);
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "no-transaction",
        "AOS7-ENV-006",
        "Sends messages without a transaction.",
        || {
            sent(|message| {
                if kind(message) != "ack" {
                    message["header"]
                        .as_object_mut()
                        .map(|header| header.remove("txn"));
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "same-transaction",
        "AOS7-ENV-007",
        "Sends every message under the same transaction.",
        || {
            sent(|message| {
                if kind(message) != "ack" {
                    message["header"]["txn"] = json!("3f1d9c52-7a04-4c55-9a55-0c9c1a0f5b11");
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "transaction-in-capitals",
        "AOS7-ENV-008",
        "Writes transactions in capital letters.",
        || {
            stateful::<BTreeSet<String>>(
                |own, mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && own.contains(txn(&message))
                    {
                        message["header"]["txn"] = json!(txn(&message).to_lowercase());
                        *frame = super::with_message(frame, &message);
                    }
                    edge.hear(input);
                },
                |own, mut output, edge| {
                    if let Output::SendWs(_, frame) = &mut output
                        && let Some(mut message) = message(frame)
                        && kind(&message) != "ack"
                    {
                        let capitals = txn(&message).to_uppercase();
                        message["header"]["txn"] = json!(capitals);
                        own.insert(capitals);
                        *frame = super::with_message(frame, &message);
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "type-misspelt",
        "AOS7-ENV-009",
        "Misspells the type of its status.",
        || {
            sent(|message| {
                if kind(message) == "unitStatus" {
                    message["data"]["messageType"] = json!("UnitStatus");
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "text-in-place-of-binary",
        "AOS7-ENV-010",
        "Sends messages as text frames.",
        || {
            stateful::<()>(hear, |(), mut output, edge| {
                if let Output::SendWs(_, frame) = &mut output
                    && frame.opcode == 2
                {
                    frame.opcode = 1;
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "in-two-fragments",
        "AOS7-ENV-011",
        "Sends each message in two fragments.",
        || {
            stateful::<()>(hear, |(), output, edge| match output {
                Output::SendWs(socket, frame) if frame.opcode == 2 && frame.payload.len() > 10 => {
                    let mut rest = frame.payload;
                    let first = rest.split_to(10);
                    for (opcode, fin, payload) in [(2, false, first), (0, true, rest)] {
                        edge.perform(Output::SendWs(socket, Frame { opcode, fin, payload }));
                    }
                }
                other => edge.perform(other),
            })
        },
    ),
    Defect::tampering(
        "strange-members-refused",
        "AOS7-ENV-012",
        "Drops messages with members it does not know.",
        || {
            heard(|message| {
                let known = ["version", "systemId", "createdAt", "txn"];
                let header = message["header"].as_object();
                let strange =
                    header.is_some_and(|header| header.keys().any(|key| !known.contains(&key.as_str())));
                if strange { Fate::Lost } else { Fate::Passes }
            })
        },
    ),
    Defect::tampering(
        "header-first",
        "AOS7-ENV-013",
        "Drops messages whose header does not come first.",
        || {
            any_input(|input| match input {
                Input::WsFrame { frame, .. } if frame.opcode == 2 => {
                    let text = String::from_utf8_lossy(&frame.payload).into_owned();
                    text.find("\"header\"") < text.find("\"data\"")
                }
                _ => true,
            })
        },
    ),
    Defect::tampering(
        "made-anew-each-time",
        "AOS7-ENV-014",
        "Makes a message anew for each transmission.",
        || {
            stateful::<BTreeSet<String>>(hear, |seen, mut output, edge| {
                if let Output::SendWs(_, frame) = &mut output
                    && let Some(mut message) = message(frame)
                    && kind(&message) != "ack"
                    && !seen.insert(txn(&message).to_owned())
                {
                    message["header"]["createdAt"] = json!("2026-03-02T09:30:00.000Z");
                    *frame = super::with_message(frame, &message);
                }
                edge.perform(output);
            })
        },
    ),
];
