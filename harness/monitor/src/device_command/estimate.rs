//! What the answer to an issuing call foretells (DCMD-RESP-005, direct mode).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};
use hil_wire::timestamp::parse_millis;
use std::collections::BTreeMap;

/// Compares estimates with reports. A command that had to wait for another one is nobody's estimate, and a clock that
/// was touched estimates nothing.
pub(super) struct EstimateMonitor {
    epoch_ms: i64,
    open: BTreeMap<String, Foretold>,
    kept: Tally,
}

struct Foretold {
    execution_ms: i64,
    recovery_ms: i64,
    alone: bool,
    seq: u64,
}

impl EstimateMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        EstimateMonitor {
            epoch_ms: header.epoch_unix_us / 1000,
            open: BTreeMap::new(),
            kept: Tally::new("DCMD-RESP-005"),
        }
    }

    fn foretold(&mut self, record: &Record, event: &Event) {
        let time = |name: &str| event.text(name).and_then(parse_millis);
        let (Some(id), Some(execution_ms), Some(recovery_ms)) = (
            event.text("command_id"),
            time("estimated_execution"),
            time("recovery_expected"),
        ) else {
            return;
        };
        for other in self.open.values_mut() {
            other.alone = false;
        }
        let alone = self.open.is_empty() && event.text("command_status") != Some("completed");
        let foretold = Foretold {
            execution_ms,
            recovery_ms,
            alone,
            seq: record.seq,
        };
        self.open.entry(id.to_owned()).or_insert(foretold);
    }

    fn status(&mut self, record: &Record, event: &Event, judge: &mut Judge<'_>) {
        let Some(id) = event.text("command_id") else {
            return;
        };
        let now = self.epoch_ms + i64::try_from(record.at.0 / 1000).unwrap_or(i64::MAX / 2);
        let Some(foretold) = self.open.get(id) else {
            return;
        };
        let evidence = vec![foretold.seq, record.seq];
        match event.text("status") {
            Some("executing") if foretold.alone => {
                if (now - foretold.execution_ms).abs() > LIMIT_MS {
                    let text = format!("`{id}` did not start within 30 s of its estimate");
                    self.kept.violated(text, evidence, judge);
                } else {
                    self.kept.met(record.seq);
                }
            }
            Some("completed" | "failed") => {
                if foretold.alone && now - foretold.recovery_ms > LIMIT_MS {
                    let text = format!("`{id}` ended more than 30 s after the expected recovery");
                    self.kept.violated(text, evidence, judge);
                }
                self.open.remove(id);
            }
            _ => {}
        }
    }
}

impl Monitor for EstimateMonitor {
    fn name(&self) -> &'static str {
        "device-command/estimate"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-RESP-005"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events.iter().filter(|event| event.who == Who::Unit) {
            match event.name.as_str() {
                "issue_answer" => self.foretold(record, event),
                "status" => self.status(record, event, judge),
                "power_cut" | "rebooted" | "stopped" => self.open.clear(),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.kept.close(judge);
    }
}

const LIMIT_MS: i64 = 30_000;
