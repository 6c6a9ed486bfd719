//! `Retry-After` on fetches and statuses (DCMD-ROBUST-003).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Remembers per kind of request when the cloud wants to see the next one.
pub(super) struct PatienceMonitor {
    slack: Duration,
    not_before: BTreeMap<&'static str, (Stamp, u64)>,
    patient: Tally,
}

impl PatienceMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        PatienceMonitor {
            slack: Duration::from_micros(header.tolerances.stamp_us),
            not_before: BTreeMap::new(),
            patient: Tally::new("DCMD-ROBUST-003"),
        }
    }
}

impl Monitor for PatienceMonitor {
    fn name(&self) -> &'static str {
        "device-command/patience"
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "fetch") => self.check("fetch", record, judge),
                (Who::Unit, "status") => self.check("status", record, judge),
                (Who::Cloud, "commands") => self.learn("fetch", record, event),
                (Who::Cloud, "status_answer") => self.learn("status", record, event),
                // A wait need not outlive the software that was told to wait.
                (Who::Unit, "booted" | "power_cut" | "stopped") => self.not_before.clear(),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.patient.close(judge);
    }
}

impl PatienceMonitor {
    fn learn(&mut self, kind: &'static str, record: &Record, event: &Event) {
        let status = event.field("http_status").and_then(Value::as_u64);
        let wait = event
            .text("retry_after")
            .and_then(|text| text.trim().parse::<u64>().ok());
        if let (Some(429 | 503), Some(seconds)) = (status, wait) {
            let until = record.at + Duration::from_secs(seconds);
            self.not_before.insert(kind, (until, record.seq));
        }
    }

    fn check(&mut self, kind: &'static str, record: &Record, judge: &mut Judge<'_>) {
        if let Some((until, told)) = self.not_before.remove(kind) {
            let early = record.at + self.slack < until;
            if early {
                let missing = until.since(record.at).as_secs_f64();
                let text = format!("a {kind} came {missing:.3} s before Retry-After allows");
                self.patient.violated(text, vec![told, record.seq], judge);
            } else {
                self.patient.met(record.seq);
            }
        }
    }
}
