//! Acks of the unit: for what, how often, how soon (ACK, ROBUST-002, ROBUST-007), and that acknowledged messages are
//! not repeated.

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, TraceHeader, Who};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Counts messages and acks by transaction.
pub(super) struct AckMonitor {
    patience: Duration,
    slack: Duration,
    system_id: Option<String>,
    messages: BTreeMap<String, Message>,
    refusals: BTreeSet<String>,
    /// Messages no ack came for yet: when, on which connection, which record.
    open: BTreeMap<u64, Open>,
    /// Acks of the cloud by transaction: when and on which connection.
    acked: BTreeMap<String, (Stamp, u32, u64)>,
    /// Requests of the cloud by correlation id: transaction and connection.
    asked: BTreeMap<String, (String, u32)>,
    /// Connections with a fault of the network: whether what the cloud sent there came, and when, is not known.
    disturbed: BTreeSet<u32>,
    sent: Tally,
    echoed: Tally,
    formed: Tally,
    not_for_acks: Tally,
    once: Tally,
    soon: Tally,
    order: Tally,
    settled: Tally,
    foreign: Tally,
    refused: Tally,
}

struct Message {
    copies: u64,
    /// How many of them were proper messages for this unit: a fault may have struck some copies only.
    proper: u64,
    acks: u64,
    /// One of them was for another unit.
    foreign: bool,
    record: u64,
}

impl Message {
    /// More acks than copies that are to be acknowledged.
    fn is_acknowledged_wrongly(&self) -> bool {
        self.proper < self.copies && self.acks > self.proper
    }
}

struct Open {
    txn: String,
    at: Stamp,
    /// Since when it is the unit's turn to acknowledge it: whoever is still at the messages before it goes on working.
    due: Stamp,
    connection: u32,
    alone: bool,
}

impl AckMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        let patience = header.timing_seconds("ack_timeout").unwrap_or(10.0);
        AckMonitor {
            patience: Duration::try_from_secs_f64(patience).unwrap_or(Duration::from_secs(10)),
            slack: header.tolerances.across_taps(),
            system_id: None,
            messages: BTreeMap::new(),
            refusals: BTreeSet::new(),
            open: BTreeMap::new(),
            acked: BTreeMap::new(),
            asked: BTreeMap::new(),
            disturbed: BTreeSet::new(),
            sent: Tally::new("AOS7-ACK-001"),
            echoed: Tally::new("AOS7-ACK-002"),
            formed: Tally::new("AOS7-ACK-003"),
            not_for_acks: Tally::new("AOS7-ACK-004"),
            once: Tally::new("AOS7-ACK-005"),
            soon: Tally::new("AOS7-ACK-007"),
            order: Tally::new("AOS7-ACK-006"),
            settled: Tally::new("AOS7-ACK-008"),
            foreign: Tally::new("AOS7-ROBUST-002"),
            refused: Tally::new("AOS7-ROBUST-007"),
        }
    }
}

impl Monitor for AckMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/ack"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-ACK-001",
            "AOS7-ACK-002",
            "AOS7-ACK-003",
            "AOS7-ACK-004",
            "AOS7-ACK-005",
            "AOS7-ACK-006",
            "AOS7-ACK-007",
            "AOS7-ACK-008",
            "AOS7-ROBUST-002",
            "AOS7-ROBUST-007",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            let connection = event.field("connection").and_then(Value::as_u64);
            let connection = connection.and_then(|n| u32::try_from(n).ok()).unwrap_or_default();
            match (event.who, event.name.as_str(), event.text("txn")) {
                (Who::Unit, "discovery", _) => {
                    self.system_id = event
                        .text("systemId")
                        .map(str::to_owned)
                        .or(self.system_id.take());
                }
                // What the unit may not have read before its connection ended needs no ack.
                (Who::Unit, "disconnected", _) => self.open.retain(|_, open| open.connection != connection),
                (Who::Unit, "power_cut" | "rebooted" | "stopped" | "exited" | "started" | "close", _)
                | (Who::Cloud, "close" | "stopped", _) => self.open.clear(),
                (Who::Fault, "acted", _)
                    if event.text("fault").is_some_and(|fault| fault.starts_with("net.")) =>
                {
                    self.disturbed.insert(connection);
                }
                (Who::Unit, "ack", Some(txn)) => self.ack_of_unit(txn.to_owned(), event, record, judge),
                (Who::Cloud, "ack", Some(txn)) => {
                    self.refusals.insert(txn.to_owned());
                    self.acked
                        .entry(txn.to_owned())
                        .or_insert((record.at, connection, record.seq));
                    self.settled.met(record.seq);
                }
                (Who::Cloud, "nack", Some(txn)) => {
                    self.refusals.insert(txn.to_owned());
                }
                // How deep a unit reads is its own matter.
                (Who::Cloud, "unreadable", Some(txn)) if event.field("too_deep").is_some() => {
                    self.message(txn, true, connection, record);
                    self.open.remove(&record.seq);
                }
                (Who::Cloud, "unreadable", Some(txn)) => self.message(txn, false, connection, record),
                // Whether a unit accepts what it cannot decrypt is its own matter.
                (Who::Cloud, "desiredStatus", Some(txn)) if event.field("encrypted").is_some() => {
                    self.message(txn, true, connection, record);
                    self.open.remove(&record.seq);
                }
                (Who::Cloud, name, Some(txn)) if is_frame(record) => {
                    if REQUESTS.contains(&name)
                        && let Some(correlation) = event.text("correlationId")
                    {
                        let asked = (txn.to_owned(), connection);
                        self.asked.entry(correlation.to_owned()).or_insert(asked);
                    }
                    self.message(txn, true, connection, record);
                }
                (Who::Unit, _, Some(txn)) if is_frame(record) => {
                    self.repeated(txn, connection, record, judge);
                    self.answered(event, connection, record.seq, judge);
                }
                _ => {}
            }
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        self.open
            .values()
            .map(|open| open.due + self.patience + self.slack)
            .min()
    }

    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let patience = self.patience + self.slack;
        let late: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, open)| open.due + patience <= now)
            .map(|(seq, _)| *seq)
            .collect();
        for seq in late {
            if let Some(open) = self.open.remove(&seq) {
                let text = format!(
                    "no ack for txn `{}` within {:.1} s",
                    open.txn,
                    patience.as_secs_f64()
                );
                self.sent.violated(text, vec![seq], judge);
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for message in self.messages.values() {
            if message.is_acknowledged_wrongly() || message.proper == message.copies {
                continue;
            }
            if message.foreign {
                self.foreign.met(message.record);
            }
            self.refused.met(message.record);
        }
        if self.echoed_any() {
            for txn in &self.refusals {
                if let Some((_, _, record)) = self.acked.get(txn) {
                    self.not_for_acks.met(*record);
                }
            }
        }
        for tally in [
            &mut self.sent,
            &mut self.echoed,
            &mut self.formed,
            &mut self.not_for_acks,
            &mut self.once,
            &mut self.soon,
            &mut self.order,
            &mut self.settled,
            &mut self.foreign,
            &mut self.refused,
        ] {
            tally.close(judge);
        }
    }
}

impl AckMonitor {
    fn echoed_any(&self) -> bool {
        self.messages.values().any(|message| message.acks > 0)
    }

    fn message(&mut self, txn: &str, valid: bool, connection: u32, record: &Record) {
        let foreign = match (&self.system_id, system_id_of(record)) {
            (Some(ours), Some(theirs)) => *ours != theirs,
            _ => false,
        };
        let message = self.messages.entry(txn.to_owned()).or_insert(Message {
            copies: 0,
            proper: 0,
            acks: 0,
            foreign: false,
            record: record.seq,
        });
        let proper = valid && !foreign;
        message.copies += 1;
        message.proper += u64::from(proper);
        message.foreign |= foreign;
        if proper && self.system_id.is_some() {
            let open = Open {
                txn: txn.to_owned(),
                at: record.at,
                due: record.at,
                connection,
                alone: self.open.is_empty(),
            };
            self.open.insert(record.seq, open);
        }
    }

    fn ack_of_unit(&mut self, txn: String, event: &Event, record: &Record, judge: &mut Judge<'_>) {
        let members: Vec<&str> = event.fields.keys().map(String::as_str).collect();
        let exact = members
            .iter()
            .all(|name| ["txn", "connection", "message", "correlationId"].contains(name));
        let text = || "the ack carries more than its type".to_owned();
        self.formed.check(exact, text, record.seq, judge);
        let Some(message) = self.messages.get_mut(&txn) else {
            if self.refusals.contains(&txn) {
                let text = format!("an ack for the ack or nack of txn `{txn}`");
                self.not_for_acks.violated(text, vec![record.seq], judge);
            } else {
                let text = format!("an ack for txn `{txn}`, which the cloud never sent");
                self.echoed.violated(text, vec![record.seq], judge);
            }
            return;
        };
        message.acks += 1;
        self.echoed.met(record.seq);
        if message.acks > message.copies {
            let text = format!(
                "{} acks for {} copies of txn `{txn}`",
                message.acks, message.copies
            );
            self.once.violated(text, vec![message.record, record.seq], judge);
        } else {
            self.once.met(record.seq);
        }
        if message.is_acknowledged_wrongly() {
            let evidence = vec![message.record, record.seq];
            if message.foreign {
                let text = format!("a message for another systemId, txn `{txn}`, was acknowledged");
                return self.foreign.violated(text, evidence, judge);
            }
            let text = format!("a message that is none of the protocol, txn `{txn}`, was acknowledged");
            return self.refused.violated(text, evidence, judge);
        }
        let first = self
            .open
            .iter()
            .find(|(_, open)| open.txn == txn)
            .map(|(seq, _)| *seq);
        if let Some(seq) = first
            && let Some(open) = self.open.remove(&seq)
        {
            for behind in self.open.range_mut(seq..).map(|(_, behind)| behind) {
                if behind.connection == open.connection {
                    behind.due = record.at;
                }
            }
            self.sent.met(record.seq);
            let took = record.at.since(open.at);
            if took <= Duration::from_secs(1) + self.slack {
                self.soon.met(record.seq);
            } else if open.alone {
                let text = format!("the ack took {:.3} s", took.as_secs_f64());
                self.soon.violated(text, vec![seq, record.seq], judge);
            }
        }
    }

    /// The unit answers a request: on the connection that brought it, the ack comes first.
    fn answered(&mut self, event: &Event, connection: u32, seq: u64, judge: &mut Judge<'_>) {
        let correlation = event.text("correlationId").unwrap_or_default();
        let first = event.field("copy").and_then(Value::as_u64) == Some(1);
        let asked = self
            .asked
            .get(correlation)
            .filter(|(_, asked_on)| first && *asked_on == connection);
        let Some(message) = asked.and_then(|(txn, _)| self.messages.get(txn)) else {
            return;
        };
        let text = || format!("the answer to request `{correlation}` came before its ack");
        let acked = message.acks > 0 || message.copies > 1;
        self.order.check(acked, text, seq, judge);
    }

    /// A message the cloud acknowledged on this very connection, and long enough ago to have arrived, comes again.
    fn repeated(&mut self, txn: &str, connection: u32, record: &Record, judge: &mut Judge<'_>) {
        if let Some((at, acked_on, seq)) = self.acked.get(txn)
            && *acked_on == connection
            && !self.disturbed.contains(&connection)
            && record.at.since(*at) > Duration::from_secs(2) + self.slack
        {
            let text = format!("txn `{txn}` was sent again after it was acknowledged");
            self.settled.violated(text, vec![*seq, record.seq], judge);
        }
    }
}

/// Requests that are answered with their correlation id.
const REQUESTS: [&str; 5] = [
    "requestLog",
    "overrideEnvVars",
    "startProvisioningRequest",
    "finishProvisioningRequest",
    "deprovisioningRequest",
];

fn is_frame(record: &Record) -> bool {
    matches!(record.what, RecordBody::WebSocketFrame { .. })
}

fn system_id_of(record: &Record) -> Option<String> {
    let RecordBody::WebSocketFrame {
        from: Party::Cloud,
        payload,
        ..
    } = &record.what
    else {
        return None;
    };
    let parsed: Value = serde_json::from_slice(payload.bytes()).ok()?;
    parsed["header"]["systemId"].as_str().map(str::to_owned)
}
