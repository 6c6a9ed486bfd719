//! Defects that show when the cloud says what it should not.

use super::{Fate, ack_of, drop_connection, heard, kind, message, txn, with_message};
use crate::{
    Defect, Input, Output,
    defect::{
        Edge, Tamper,
        edits::{any_input, perform, stateful},
    },
};
use serde_json::{Value, json};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering(
        "any-version-will-do",
        "AOS7-ROBUST-001",
        "Acts on messages of another version.",
        || {
            heard(|message| {
                if message["header"].is_object() {
                    message["header"]["version"] = json!(7);
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "any-system-will-do",
        "AOS7-ROBUST-002",
        "Acts on messages for another unit.",
        || {
            stateful::<()>(
                |(), mut input, edge| {
                    let own = edge.setup.endpoints.get("system_id").to_owned();
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && message["header"]["systemId"].is_string()
                    {
                        message["header"]["systemId"] = json!(own);
                        *frame = with_message(frame, &message);
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "unknown-types-break",
        "AOS7-ROBUST-003",
        "Ends at a message of an unknown type.",
        || {
            ends_at(|frame| {
                message(frame).is_some_and(|m| m["data"].is_object() && !TYPES.contains(&kind(&m)))
            })
        },
    ),
    Defect::tampering(
        "nonsense-breaks",
        "AOS7-ROBUST-004",
        "Ends at a message that is no JSON.",
        || ends_at(|frame| frame.opcode == 2 && frame.fin && message(frame).is_none()),
    ),
    Defect::tampering(
        "arrays-break",
        "AOS7-ROBUST-005",
        "Ends at a message that is no object of objects.",
        || {
            ends_at(|frame| {
                message(frame)
                    .is_some_and(|m| !m.is_object() || !m["header"].is_object() || !m["data"].is_object())
            })
        },
    ),
    Defect::tampering(
        "mends-requests",
        "AOS7-ROBUST-006",
        "Executes what it can read of a request that is invalid.",
        || {
            heard(|message| {
                if kind(message) == "requestLog" {
                    let data = &mut message["data"];
                    if !["systemLog", "serviceLog", "crashLog"]
                        .contains(&data["logType"].as_str().unwrap_or_default())
                    {
                        data["logType"] = json!("systemLog");
                    }
                    if !data["correlationId"].is_string() {
                        data["correlationId"] = json!("11111111-2222-4333-8444-555555555555");
                    }
                    if !data["filter"].is_object() {
                        data["filter"] = json!({"nodeIds": [{"codename": "main-node"}]});
                    }
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "acks-everything",
        "AOS7-ROBUST-007",
        "Acknowledges whatever has a transaction.",
        || {
            stateful::<()>(
                |(), input, edge| {
                    if let Input::WsFrame { socket, frame } = &input
                        && let Some(message) = message(frame)
                        && !matches!(kind(&message), "ack" | "nack")
                        && !txn(&message).is_empty()
                    {
                        edge.perform(Output::SendWs(*socket, own_ack(&message, edge)));
                    }
                    edge.hear(input);
                },
                |(), output, edge| {
                    let is_ack = matches!(&output, Output::SendWs(_, frame)
                        if message(frame).is_some_and(|message| kind(&message) == "ack"));
                    if !is_ack {
                        edge.perform(output);
                    }
                },
            )
        },
    ),
    Defect::tampering(
        "text-breaks",
        "AOS7-ROBUST-008",
        "Closes the connection at a text frame.",
        || {
            stateful::<()>(
                |(), input, edge| match &input {
                    Input::WsFrame { socket, frame } if frame.opcode == 1 => drop_connection(*socket, edge),
                    _ => edge.hear(input),
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "fragments-dropped",
        "AOS7-ROBUST-009",
        "Drops messages in fragments.",
        || {
            any_input(
                |input| !matches!(input, Input::WsFrame { frame, .. } if frame.opcode == 0 || !frame.fin),
            )
        },
    ),
    Defect::tampering(
        "pings-break-fragments",
        "AOS7-ROBUST-010",
        "Loses a message in fragments when a ping comes in between.",
        || {
            // Whether a message in fragments is under way, and whether it is spoilt.
            stateful::<(bool, bool)>(
                |(under_way, spoilt), input, edge| {
                    if let Input::WsFrame { frame, .. } = &input {
                        match frame.opcode {
                            1 | 2 => {
                                *under_way = !frame.fin;
                                *spoilt = false;
                            }
                            9 => *spoilt |= *under_way,
                            0 if *spoilt => return,
                            _ => {}
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "large-messages-dropped",
        "AOS7-ROBUST-011",
        "Drops messages larger than 512 KiB.",
        || {
            any_input(
                |input| !matches!(input, Input::WsFrame { frame, .. } if frame.payload.len() > 512 * 1024),
            )
        },
    ),
    Defect::tampering(
        "bursts-drowned",
        "AOS7-ROBUST-012",
        "Takes in no more than a hundred messages in a second.",
        || {
            stateful::<(u64, u32)>(
                |(second, count), input, edge| {
                    if let Input::WsFrame { frame, .. } = &input
                        && frame.opcode == 2
                    {
                        let now = edge.now.0 / 1_000_000;
                        *count = if *second == now { *count + 1 } else { 0 };
                        *second = now;
                        if *count > 100 {
                            return;
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "nesting-breaks",
        "AOS7-ROBUST-013",
        "Ends at deeply nested arrays.",
        || {
            ends_at(|frame| {
                frame
                    .payload
                    .windows(200)
                    .any(|window| window.iter().all(|byte| *byte == b'['))
            })
        },
    ),
];

/// The software ends at some frames.
fn ends_at(which: fn(&crate::Frame) -> bool) -> Box<dyn Tamper> {
    Box::new(EndsAt(which))
}

struct EndsAt(fn(&crate::Frame) -> bool);

impl Tamper for EndsAt {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        match &input {
            Input::WsFrame { frame, .. } if self.0(frame) => edge.perform(Output::Exit(134)),
            _ => edge.hear(input),
        }
    }
}

/// An ack under the unit's own name.
fn own_ack(message: &Value, edge: &Edge<'_>) -> crate::Frame {
    let mut named = message.clone();
    named["header"]["systemId"] = json!(edge.setup.endpoints.get("system_id"));
    named["header"]["version"] = json!(7);
    ack_of(&named)
}

/// What the cloud may send in either dialect.
const TYPES: [&str; 14] = [
    "ack",
    "nack",
    "desiredStatus",
    "blobUrls",
    "requestLog",
    "overrideEnvVars",
    "updateState",
    "stateRequest",
    "stateAcceptance",
    "renewCertificatesNotification",
    "issuedUnitCertificates",
    "startProvisioningRequest",
    "finishProvisioningRequest",
    "deprovisioningRequest",
];
