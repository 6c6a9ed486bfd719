//! Frames, header and type of every message of the unit (ENV), and that it never sends a nack (NACK-008).

use crate::{Judge, Monitor, Tally, view::dialect};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, TraceHeader};
use hil_wire::{
    aos::{Dialect, Direction, MessageType, direction_allowed, is_uuid_v4_lower},
    timestamp::parse,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Looks at the bytes themselves.
pub(super) struct EnvelopeMonitor {
    dialect: Dialect,
    fragments: BTreeMap<u32, Vec<u8>>,
    system_id: Option<(String, u64)>,
    /// By connection and transaction: the record and its payload.
    seen: BTreeMap<(u32, String), (u64, Vec<u8>)>,
    /// By transaction, over all connections.
    sent: BTreeMap<String, (u64, Vec<u8>)>,
    shape: Tally,
    version: Tally,
    identity: Tally,
    time: Tally,
    utc: Tally,
    txn: Tally,
    unique: Tally,
    uuid: Tally,
    name: Tally,
    binary: Tally,
    whole: Tally,
    identical: Tally,
    no_nack: Tally,
}

impl EnvelopeMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        EnvelopeMonitor {
            dialect: dialect(&header.ics),
            fragments: BTreeMap::new(),
            system_id: None,
            seen: BTreeMap::new(),
            sent: BTreeMap::new(),
            shape: Tally::new("AOS7-ENV-001"),
            version: Tally::new("AOS7-ENV-002"),
            identity: Tally::new("AOS7-ENV-003"),
            time: Tally::new("AOS7-ENV-004"),
            utc: Tally::new("AOS7-ENV-005"),
            txn: Tally::new("AOS7-ENV-006"),
            unique: Tally::new("AOS7-ENV-007"),
            uuid: Tally::new("AOS7-ENV-008"),
            name: Tally::new("AOS7-ENV-009"),
            binary: Tally::new("AOS7-ENV-010"),
            whole: Tally::new("AOS7-ENV-011"),
            identical: Tally::new("AOS7-ENV-014"),
            no_nack: Tally::new("AOS7-NACK-008"),
        }
    }
}

impl Monitor for EnvelopeMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/envelope"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-ENV-001",
            "AOS7-ENV-002",
            "AOS7-ENV-003",
            "AOS7-ENV-004",
            "AOS7-ENV-005",
            "AOS7-ENV-006",
            "AOS7-ENV-007",
            "AOS7-ENV-008",
            "AOS7-ENV-009",
            "AOS7-ENV-010",
            "AOS7-ENV-011",
            "AOS7-ENV-014",
            "AOS7-NACK-008",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            if event.full_name() == "unit.discovery"
                && let Some(id) = event.text("systemId")
            {
                self.identify(id, record.seq, judge);
            }
            // A unit that restarts may be given another identity.
            if event.full_name() == "unit.started" {
                self.system_id = None;
            }
        }
        let RecordBody::WebSocketFrame {
            connection,
            from: Party::Unit,
            opcode,
            fin,
            payload,
        } = &record.what
        else {
            return;
        };
        if *opcode >= 8 {
            return;
        }
        let text = || "a data frame of the unit is not binary".to_owned();
        self.binary.check(*opcode != 1, text, record.seq, judge);
        let text = || "a message of the unit comes in fragments".to_owned();
        self.whole.check(*fin && *opcode != 0, text, record.seq, judge);
        if *opcode == 1 || payload.length() > 0 && payload.bytes().is_empty() {
            return;
        }
        let pending = self.fragments.entry(*connection).or_default();
        pending.extend_from_slice(payload.bytes());
        if *fin {
            let message = std::mem::take(pending);
            self.message(*connection, record.seq, message, judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.shape,
            &mut self.version,
            &mut self.identity,
            &mut self.time,
            &mut self.utc,
            &mut self.txn,
            &mut self.unique,
            &mut self.uuid,
            &mut self.name,
            &mut self.binary,
            &mut self.whole,
            &mut self.identical,
            &mut self.no_nack,
        ] {
            tally.close(judge);
        }
    }
}

impl EnvelopeMonitor {
    fn identify(&mut self, id: &str, seq: u64, judge: &mut Judge<'_>) {
        match &self.system_id {
            Some((known, record)) if known != id => {
                let text = format!("systemId `{id}` after `{known}`");
                self.identity.violated(text, vec![*record, seq], judge);
            }
            Some(_) => self.identity.met(seq),
            None => self.system_id = Some((id.to_owned(), seq)),
        }
    }

    fn message(&mut self, connection: u32, seq: u64, payload: Vec<u8>, judge: &mut Judge<'_>) {
        let parsed: Value = serde_json::from_slice(&payload).unwrap_or(Value::Null);
        let exact = parsed.as_object().is_some_and(|members| {
            members.len() == 2
                && members.get("header").is_some_and(Value::is_object)
                && members.get("data").is_some_and(Value::is_object)
        });
        let text = || "the message is not an object with just `header` and `data`".to_owned();
        self.shape.check(exact, text, seq, judge);
        if !exact {
            return;
        }
        let (header, data) = (&parsed["header"], &parsed["data"]);
        let text = || format!("header.version is {}", header["version"]);
        self.version
            .check(header["version"].as_i64() == Some(7), text, seq, judge);
        match header["systemId"].as_str() {
            Some(id) => self.identify(id, seq, judge),
            None => self
                .identity
                .violated("header.systemId is missing", vec![seq], judge),
        }
        let created = header["createdAt"].as_str().unwrap_or_default();
        let instant = parse(created);
        let readable = instant.is_some() || parse(&format!("{created}Z")).is_some();
        let text = || format!("header.createdAt is `{created}`");
        self.time.check(readable, text, seq, judge);
        if readable {
            self.utc
                .check(instant.is_some() && created.ends_with('Z'), text, seq, judge);
        }
        let message_type = data["messageType"].as_str().unwrap_or_default();
        let known = MessageType::from_name(message_type);
        let ours = known.is_some_and(|t| direction_allowed(t, Direction::UnitToCloud, self.dialect));
        if message_type == "nack" {
            self.no_nack.violated("the unit sends a nack", vec![seq], judge);
        } else {
            self.no_nack.met(seq);
            let text = || format!("`{message_type}` is no message of a unit");
            self.name.check(ours, text, seq, judge);
        }
        let txn = header["txn"].as_str().unwrap_or_default();
        let text = || "header.txn is missing or empty".to_owned();
        self.txn.check(!txn.is_empty(), text, seq, judge);
        if txn.is_empty() || matches!(message_type, "ack" | "nack") {
            return;
        }
        let text = || format!("txn `{txn}` is no lower-case UUID of version 4");
        self.uuid.check(is_uuid_v4_lower(txn), text, seq, judge);
        if let Some((first, same)) = self.sent.get(txn) {
            let (first, same) = (*first, *same == payload);
            if same {
                self.identical.met(seq);
            } else {
                let text = format!("the bytes sent again under txn `{txn}` differ from the first ones");
                self.identical.violated(text, vec![first, seq], judge);
            }
        } else {
            self.sent.insert(txn.to_owned(), (seq, payload.clone()));
        }
        match self.seen.get(&(connection, txn.to_owned())) {
            Some((first, other)) => {
                let other: Value = serde_json::from_slice(other).unwrap_or(Value::Null);
                if other["data"] == *data {
                    self.unique.met(seq);
                } else {
                    let text = format!("txn `{txn}` is used for two messages");
                    self.unique.violated(text, vec![*first, seq], judge);
                }
            }
            None => {
                self.unique.met(seq);
                self.seen.insert((connection, txn.to_owned()), (seq, payload));
            }
        }
    }
}
