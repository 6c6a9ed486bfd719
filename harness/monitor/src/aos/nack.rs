//! What the unit does with a nack (NACK-001 to NACK-005). Judged while the connection lasts.

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Follows refused messages until they come again.
pub(super) struct NackMonitor {
    slack: Duration,
    sent: BTreeMap<String, Value>,
    refused: BTreeMap<String, Refused>,
    again: Tally,
    patient: Tally,
    soon: Tally,
    default: Tally,
    same: Tally,
}

struct Refused {
    at: Stamp,
    wait: Duration,
    given: bool,
    record: u64,
}

impl NackMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        NackMonitor {
            slack: Duration::from_micros(header.tolerances.stamp_us),
            sent: BTreeMap::new(),
            refused: BTreeMap::new(),
            again: Tally::new("AOS7-NACK-001"),
            patient: Tally::new("AOS7-NACK-002"),
            soon: Tally::new("AOS7-NACK-003"),
            default: Tally::new("AOS7-NACK-004"),
            same: Tally::new("AOS7-NACK-005"),
        }
    }
}

impl Monitor for NackMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/nack"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-NACK-001",
            "AOS7-NACK-002",
            "AOS7-NACK-003",
            "AOS7-NACK-004",
            "AOS7-NACK-005",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str(), event.text("txn")) {
                (
                    Who::Unit,
                    "disconnected" | "power_cut" | "rebooted" | "stopped" | "exited" | "started",
                    _,
                )
                | (Who::Cloud, "stopped", _) => self.refused.clear(),
                (Who::Cloud, "nack", Some(txn)) if self.sent.contains_key(txn) => {
                    let given = event.field("retryAfter").and_then(Value::as_u64);
                    let refused = Refused {
                        at: record.at,
                        wait: Duration::from_millis(given.unwrap_or(500)),
                        given: given.is_some(),
                        record: record.seq,
                    };
                    self.refused.insert(txn.to_owned(), refused);
                }
                (Who::Unit, name, Some(txn)) if name != "ack" && event.field("copy").is_some() => {
                    self.message(txn, event, record, judge);
                }
                _ => {}
            }
        }
    }

    fn next_deadline(&self) -> Option<Stamp> {
        let deadline = |refused: &Refused| refused.at + refused.wait + PATIENCE;
        self.refused.values().map(deadline).min()
    }

    fn expire(&mut self, now: Stamp, judge: &mut Judge<'_>) {
        let late = |refused: &Refused| refused.at + refused.wait + PATIENCE <= now;
        let mut gone: Vec<(u64, String)> = self
            .refused
            .iter()
            .filter(|(_, refused)| late(refused))
            .map(|(txn, refused)| (refused.record, txn.clone()))
            .collect();
        gone.sort();
        for (record, txn) in gone {
            self.refused.remove(&txn);
            let text = format!("txn `{txn}` was refused and did not come again");
            self.again.violated(text, vec![record], judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.again,
            &mut self.patient,
            &mut self.soon,
            &mut self.default,
            &mut self.same,
        ] {
            tally.close(judge);
        }
    }
}

impl NackMonitor {
    fn message(&mut self, txn: &str, event: &Event, record: &Record, judge: &mut Judge<'_>) {
        let mut content = Value::Object(event.fields.clone());
        content["name"] = Value::from(event.name.clone());
        content["copy"] = Value::Null;
        content["connection"] = Value::Null;
        if let Some(refused) = self.refused.remove(txn) {
            let evidence = vec![refused.record, record.seq];
            self.again.met(record.seq);
            let took = record.at.since(refused.at);
            let early = took + self.slack < refused.wait;
            let text = format!(
                "txn `{txn}` came again after {:.3} s instead of {:.3} s",
                took.as_secs_f64(),
                refused.wait.as_secs_f64()
            );
            let tally = if refused.given {
                &mut self.patient
            } else {
                &mut self.default
            };
            if early {
                tally.violated(text.clone(), evidence.clone(), judge);
            } else {
                tally.met(record.seq);
            }
            if took > refused.wait + Duration::from_secs(2) + self.slack {
                self.soon.violated(text, evidence.clone(), judge);
            } else {
                self.soon.met(record.seq);
            }
            if self.sent.get(txn) == Some(&content) {
                self.same.met(record.seq);
            } else {
                let text = format!("txn `{txn}` came again with another content");
                self.same.violated(text, evidence, judge);
            }
        }
        self.sent.insert(txn.to_owned(), content);
    }
}

/// How much later than it may a refused message can still come before it counts as given up.
const PATIENCE: Duration = Duration::from_secs(60);
