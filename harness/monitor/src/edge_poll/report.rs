//! What status reports say of update attempts (POLL-REPORT).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use std::collections::BTreeMap;

/// Follows every attempt to its end.
pub(super) struct ReportMonitor {
    attempts: BTreeMap<String, Attempt>,
    ended: Tally,
    before_ack: Tally,
    in_order: Tally,
}

#[derive(Default)]
struct Attempt {
    command: Option<String>,
    /// What it reported last, since the unit was interrupted.
    state: Option<String>,
    terminal: Option<u64>,
}

impl Default for ReportMonitor {
    fn default() -> Self {
        ReportMonitor {
            attempts: BTreeMap::new(),
            ended: Tally::new("POLL-REPORT-001"),
            before_ack: Tally::new("POLL-REPORT-003"),
            in_order: Tally::new("POLL-REPORT-005"),
        }
    }
}

impl Monitor for ReportMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/report"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["POLL-REPORT-001", "POLL-REPORT-003", "POLL-REPORT-005"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "report") => self.report(record.seq, event, judge),
                (Who::Unit, "ack") => self.ack(record.seq, event, judge),
                // What it had not stored safely is gone: an attempt may go on from further back.
                (Who::Unit, "power_cut" | "rebooted" | "stopped" | "exited") => {
                    for attempt in self.attempts.values_mut() {
                        attempt.state = None;
                    }
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [&mut self.ended, &mut self.before_ack, &mut self.in_order] {
            tally.close(judge);
        }
    }
}

impl ReportMonitor {
    fn report(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let (Some(id), Some(status)) = (event.text("attempt_id"), event.text("status")) else {
            return;
        };
        let attempt = self.attempts.entry(id.to_owned()).or_default();
        attempt.command = attempt
            .command
            .take()
            .or_else(|| event.text("command_id").map(str::to_owned));
        if attempt.state.as_deref() == Some(status) {
            return;
        }
        let rank = |status: &str| ORDER.iter().position(|state| *state == status);
        let backwards = match (attempt.state.as_deref().and_then(rank), rank(status)) {
            (Some(last), Some(now)) => now < last,
            _ => false,
        };
        let last = attempt.state.clone().unwrap_or_default();
        let text = || format!("attempt `{id}` reported {status} after {last}");
        self.in_order.check(!backwards, text, seq, judge);
        attempt.state = Some(status.to_owned());
        if TERMINAL.contains(&status) {
            attempt.terminal = Some(seq);
            self.ended.met(seq);
        }
    }

    fn ack(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let terminal = matches!(event.text("status"), Some("completed" | "failed"));
        let Some(id) = event.text("id").filter(|_| terminal) else {
            return;
        };
        for (name, attempt) in self
            .attempts
            .iter()
            .filter(|(_, a)| a.command.as_deref() == Some(id))
        {
            match attempt.terminal {
                Some(_) => self.before_ack.met(seq),
                None => {
                    let text = format!(
                        "the terminal ack for `{id}` came before attempt `{name}` was reported ended"
                    );
                    self.before_ack.violated(text, vec![seq], judge);
                }
            }
        }
    }
}

const ORDER: [&str; 4] = ["downloading", "verifying", "installing", "rebooting"];
const TERMINAL: [&str; 4] = ["success", "failure", "rolled_back", "already_installed"];
