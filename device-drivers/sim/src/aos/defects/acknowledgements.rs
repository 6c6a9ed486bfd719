//! Defects of acks and nacks.

use super::{Fate, ack_of, drop_connection, heard, kind, message, sent, told, txn, with_message};
use crate::{
    Defect, Frame, Input, Output,
    aos::agent::OUTBOX_TIMER,
    defect::{
        Edge, Tamper,
        edits::{hear, perform, stateful},
    },
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(super) const DEFECTS: &[Defect] = &[
    Defect::tampering("no-acks", "AOS7-ACK-001", "Acknowledges nothing.", || {
        sent(|message| {
            if kind(message) == "ack" {
                Fate::Lost
            } else {
                Fate::Passes
            }
        })
    }),
    Defect::tampering(
        "acks-another-transaction",
        "AOS7-ACK-002",
        "Acknowledges another transaction.",
        || {
            sent(|message| {
                if kind(message) == "ack" {
                    let other = txn(message).chars().rev().collect::<String>();
                    message["header"]["txn"] = json!(other);
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "acks-say-more",
        "AOS7-ACK-003",
        "Says more in an ack than that it is one.",
        || super::said("ack", |data| data["result"] = json!("accepted")),
    ),
    Defect::tampering("acks-acks", "AOS7-ACK-004", "Acknowledges even acks.", || {
        stateful::<()>(
            |(), input, edge| {
                if let Input::WsFrame { socket, frame } = &input
                    && let Some(message) = message(frame)
                    && kind(&message) == "ack"
                {
                    edge.perform(Output::SendWs(*socket, ack_of(&message)));
                }
                edge.hear(input);
            },
            perform,
        )
    }),
    Defect::tampering(
        "acks-twice",
        "AOS7-ACK-005",
        "Acknowledges each message twice.",
        || {
            acks(|output, edge| {
                edge.perform(output.clone());
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "acks-afterwards",
        "AOS7-ACK-006",
        "Acknowledges messages after it has reacted.",
        || acks(|output, edge| edge.perform_later(Duration::from_millis(300), output)),
    ),
    Defect::tampering(
        "acks-slowly",
        "AOS7-ACK-007",
        "Acknowledges messages after two seconds.",
        || acks(|output, edge| edge.perform_later(Duration::from_secs(2), output)),
    ),
    Defect::tampering(
        "sends-again-though-acknowledged",
        "AOS7-ACK-008",
        "Sends messages again that were acknowledged.",
        || Box::new(Again::default()),
    ),
    Defect::tampering(
        "waits-for-acks-for-ever",
        "AOS7-ACK-009",
        "Takes a connection without acks for a good one.",
        || {
            stateful::<()>(hear, |(), output, edge| {
                if !matches!(output, Output::Timer(OUTBOX_TIMER, _)) {
                    edge.perform(output);
                }
            })
        },
    ),
    Defect::tampering(
        "sends-once-only",
        "AOS7-ACK-010",
        "Never sends a message again for want of an ack.",
        || once_only(),
    ),
    Defect::tampering(
        "late-acks-ignored",
        "AOS7-ACK-012",
        "Does not know an ack that comes after a second transmission.",
        || {
            stateful::<BTreeMap<String, u32>>(
                |sent, input, edge| {
                    if let Input::WsFrame { frame, .. } = &input
                        && let Some(message) = message(frame)
                        && kind(&message) == "ack"
                        && sent.get(txn(&message)).is_some_and(|times| *times > 1)
                    {
                        return;
                    }
                    edge.hear(input);
                },
                |sent, output, edge| {
                    if let Output::SendWs(_, frame) = &output
                        && let Some(message) = message(frame)
                    {
                        *sent.entry(txn(&message).to_owned()).or_default() += 1;
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "strange-acks-break",
        "AOS7-ACK-013",
        "Closes the connection at an ack it does not know.",
        || at_strange("ack", drop_connection),
    ),
    Defect::tampering(
        "duplicates-unacknowledged",
        "AOS7-ACK-014",
        "Does not acknowledge a message that comes a second time.",
        || {
            stateful::<BTreeSet<String>>(hear, |acked, output, edge| {
                if let Output::SendWs(_, frame) = &output
                    && let Some(message) = message(frame)
                    && kind(&message) == "ack"
                    && !acked.insert(txn(&message).to_owned())
                {
                    return;
                }
                edge.perform(output);
            })
        },
    ),
    Defect::tampering(
        "duplicates-executed",
        "AOS7-ACK-015",
        "Executes a message that comes a second time once more.",
        || {
            stateful::<BTreeSet<String>>(
                |seen, mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(mut message) = message(frame)
                        && !matches!(kind(&message), "ack" | "nack")
                        && !seen.insert(txn(&message).to_owned())
                    {
                        message["header"]["txn"] = json!(format!("{AGAIN}{}", txn(&message)));
                        *frame = with_message(frame, &message);
                    }
                    edge.hear(input);
                },
                |_, mut output, edge| {
                    if let Output::SendWs(_, frame) = &mut output
                        && let Some(mut message) = message(frame)
                        && let Some(own) = txn(&message).strip_prefix(AGAIN)
                    {
                        message["header"]["txn"] = json!(own.to_owned());
                        *frame = with_message(frame, &message);
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "nacks-taken-for-acks",
        "AOS7-NACK-001",
        "Takes a nack for an ack.",
        || {
            heard(|message| {
                if kind(message) == "nack" {
                    message["data"] = json!({"messageType": "ack"});
                }
                Fate::Passes
            })
        },
    ),
    Defect::tampering(
        "retries-too-soon",
        "AOS7-NACK-002",
        "Sends a refused message again at once.",
        || told("nack", |data| data["retryAfter"] = json!(1)),
    ),
    Defect::tampering(
        "retries-too-late",
        "AOS7-NACK-003",
        "Sends a refused message again much later.",
        || {
            told("nack", |data| {
                let wait = data["retryAfter"].as_i64().unwrap_or(500);
                data["retryAfter"] = json!(wait + 4000);
            })
        },
    ),
    Defect::tampering(
        "no-default-for-retries",
        "AOS7-NACK-004",
        "Sends a refused message again at once if it was not told when.",
        || {
            told("nack", |data| {
                if data.get("retryAfter").is_none() {
                    data["retryAfter"] = json!(1);
                }
            })
        },
    ),
    Defect::tampering(
        "retries-something-else",
        "AOS7-NACK-005",
        "Sends a refused message again with another content.",
        || {
            stateful::<BTreeSet<String>>(
                |refused, input, edge| {
                    if let Input::WsFrame { frame, .. } = &input
                        && let Some(message) = message(frame)
                        && kind(&message) == "nack"
                    {
                        refused.insert(txn(&message).to_owned());
                    }
                    edge.hear(input);
                },
                |refused, mut output, edge| {
                    if let Output::SendWs(_, frame) = &mut output
                        && let Some(mut message) = message(frame)
                        && refused.contains(txn(&message))
                    {
                        message["data"]["subjects"] = json!([{"codename": "another"}]);
                        *frame = with_message(frame, &message);
                    }
                    edge.perform(output);
                },
            )
        },
    ),
    Defect::tampering(
        "strange-nacks-break",
        "AOS7-NACK-006",
        "Closes the connection at a nack it does not know.",
        || at_strange("nack", drop_connection),
    ),
    Defect::tampering(
        "gives-up-after-three-nacks",
        "AOS7-NACK-007",
        "Drops a message that was refused three times.",
        || {
            stateful::<u32>(
                |nacks, mut input, edge| {
                    if let Input::WsFrame { frame, .. } = &mut input
                        && let Some(message) = message(frame)
                        && kind(&message) == "nack"
                    {
                        *nacks += 1;
                        if *nacks > 3 {
                            *frame = ack_of(&message);
                        }
                    }
                    edge.hear(input);
                },
                perform,
            )
        },
    ),
    Defect::tampering(
        "sends-nacks",
        "AOS7-NACK-008",
        "Refuses messages with a nack.",
        || {
            sent(|message| {
                if kind(message) == "ack" {
                    message["data"] = json!({"messageType": "nack", "retryAfter": 500});
                }
                Fate::Passes
            })
        },
    ),
];

/// Does something else with acks.
fn acks(act: fn(Output, &mut Edge<'_>)) -> Box<dyn Tamper> {
    Box::new(Acks(act))
}

struct Acks(fn(Output, &mut Edge<'_>));

impl Tamper for Acks {
    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        let is_ack = matches!(&output, Output::SendWs(_, frame)
            if message(frame).is_some_and(|message| kind(&message) == "ack"));
        if is_ack {
            self.0(output, edge);
        } else {
            edge.perform(output);
        }
    }
}

/// Sends what was acknowledged once more.
#[derive(Default)]
struct Again(BTreeMap<String, Frame>);

impl Tamper for Again {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if let Input::WsFrame { socket, frame } = &input
            && let Some(message) = message(frame)
            && kind(&message) == "ack"
            && let Some(own) = self.0.remove(txn(&message))
        {
            edge.perform_later(Duration::from_secs(12), Output::SendWs(*socket, own));
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::SendWs(_, frame) = &output
            && let Some(message) = message(frame)
        {
            self.0.insert(txn(&message).to_owned(), frame.clone());
        }
        edge.perform(output);
    }
}

/// Holds back every transmission of a message but the first.
fn once_only() -> Box<dyn Tamper> {
    stateful::<BTreeSet<String>>(hear, |sent, output, edge| {
        if let Output::SendWs(_, frame) = &output
            && let Some(message) = message(frame)
            && kind(&message) != "ack"
            && !sent.insert(txn(&message).to_owned())
        {
            return;
        }
        edge.perform(output);
    })
}

/// Does something at an ack or nack for a transaction the unit never began.
fn at_strange(kind: &'static str, act: fn(crate::SocketId, &mut Edge<'_>)) -> Box<dyn Tamper> {
    Box::new(AtStrange {
        kind,
        act,
        own: BTreeSet::new(),
    })
}

struct AtStrange {
    kind: &'static str,
    act: fn(crate::SocketId, &mut Edge<'_>),
    own: BTreeSet<String>,
}

impl Tamper for AtStrange {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        let strange = match &input {
            Input::WsFrame { socket, frame } => message(frame)
                .filter(|message: &Value| kind(message) == self.kind && !self.own.contains(txn(message)))
                .map(|_| *socket),
            _ => None,
        };
        edge.hear(input);
        if let Some(socket) = strange {
            (self.act)(socket, edge);
        }
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if let Output::SendWs(_, frame) = &output
            && let Some(message) = message(frame)
        {
            self.own.insert(txn(&message).to_owned());
        }
        edge.perform(output);
    }
}

/// What marks a transaction that was there before.
const AGAIN: &str = "again-";
