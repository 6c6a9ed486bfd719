//! Acknowledgements and reports on their way to the cloud: one at a time, in order, until they are settled
//! (reference sections 3.2 and 3.5).

use super::{
    agent::{DELIVERY, EdgeAgent, OUTBOX_TIMER},
    defects, pacing,
    store::{self, CommandState, REPORTS, Settled},
};
use crate::{Context, HttpError, Limits};
use hil_trace::Stamp;
use hil_wire::http::Response;
use rand::Rng;
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

/// What waits to be delivered.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    entries: VecDeque<Entry>,
    in_flight: bool,
    begun: Stamp,
    failures: u32,
    next_report: u64,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    what: What,
    body: Value,
    minimal: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Ack {
        id: String,
        terminal: bool,
    },
    /// A report; terminal ones lie in a file.
    Report {
        file: Option<String>,
    },
}

impl Outbox {
    /// Number of messages that wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Nothing is on its way, or nothing gets through at the moment.
    pub(super) fn is_quiet(&self) -> bool {
        !self.in_flight && (self.entries.is_empty() || self.failures > 0)
    }

    /// Whether a message about a command waits.
    pub(super) fn has_ack(&self, command: &str) -> bool {
        self.entries
            .iter()
            .any(|e| matches!(&e.what, What::Ack { id, .. } if id == command))
    }
}

impl EdgeAgent {
    /// Fills the outbox from flash after a boot: reports first, so that none comes after its acknowledgement.
    pub(super) fn recover_outbox(&mut self, context: &mut Context<'_>) {
        let flash = &context.hardware.flash;
        for name in flash.names(REPORTS) {
            if let Some(body) = store::load(flash, name) {
                self.outbox.entries.push_back(Entry {
                    what: What::Report {
                        file: Some(name.to_owned()),
                    },
                    body,
                    minimal: false,
                });
            }
            let number = name[REPORTS.len()..].parse::<u64>().unwrap_or(0);
            self.outbox.next_report = self.outbox.next_report.max(number + 1);
        }
        let open = self
            .commands
            .iter()
            .filter(|record| record.state == CommandState::Done && record.settled.is_none());
        for record in open {
            self.outbox.entries.push_back(Entry {
                what: What::Ack {
                    id: record.id.clone(),
                    terminal: true,
                },
                body: record.ack.clone().unwrap_or_default(),
                minimal: record.minimal,
            });
        }
        if !self.outbox.entries.is_empty() {
            let spread = self.interval().mul_f64(0.1 * context.rng.random::<f64>());
            context.timer(OUTBOX_TIMER, spread);
        }
    }

    /// Hands over an acknowledgement whose result is in flash already. It replaces an `in_progress` that waits.
    pub(super) fn send_ack(&mut self, id: &str, body: Value, terminal: bool, context: &mut Context<'_>) {
        let first = usize::from(self.outbox.in_flight);
        if terminal {
            let mut place = 0;
            self.outbox.entries.retain(|entry| {
                place += 1;
                let replaced = matches!(&entry.what, What::Ack { id: own, terminal: false } if own == id);
                place <= first || !replaced
            });
        }
        let minimal = self.commands.get(id).is_some_and(|record| record.minimal);
        self.outbox.entries.push_back(Entry {
            what: What::Ack {
                id: id.to_owned(),
                terminal,
            },
            body,
            minimal: terminal && minimal,
        });
        self.deliver_if_free(context);
    }

    /// Hands over a report; a terminal one is written to flash first.
    pub(super) fn send_report(&mut self, body: Value, terminal: bool, context: &mut Context<'_>) {
        let file = terminal.then(|| {
            let file = format!("{REPORTS}{:010}", self.outbox.next_report);
            self.outbox.next_report += 1;
            store::save(&mut context.hardware.flash, &file, &body);
            file
        });
        self.outbox.entries.push_back(Entry {
            what: What::Report { file },
            body,
            minimal: false,
        });
        self.deliver_if_free(context);
    }

    /// Whether the outbox holds this terminal report already, from before a power loss.
    pub(super) fn is_report_waiting(&self, body: &Value) -> bool {
        let key = |report: &Value| (report.get("attempt_id").cloned(), report.get("status").cloned());
        self.outbox
            .entries
            .iter()
            .any(|entry| matches!(entry.what, What::Report { .. }) && key(&entry.body) == key(body))
    }

    /// Sends the first message.
    pub(super) fn deliver(&mut self, context: &mut Context<'_>) {
        if self.outbox.in_flight || self.silent {
            return;
        }
        let Some(entry) = self.outbox.entries.front() else {
            self.restart_if_idle(context);
            return;
        };
        let wait = self.held(self.base.as_ref(), Duration::ZERO, context.now());
        if !wait.is_zero() {
            context.timer(OUTBOX_TIMER, wait);
            return;
        }
        let path = match &entry.what {
            What::Ack { id, .. } => {
                let id = if context.setup.has(defects::ACK_WRONG_ID) {
                    wrong(id)
                } else {
                    encode(id)
                };
                format!("/api/v1/commands/{id}/ack")
            }
            What::Report { .. } => "/api/v1/snaps/status".to_owned(),
        };
        let body = if entry.minimal {
            store::minimal_body(&entry.body)
        } else {
            entry.body.clone()
        };
        let call = self.api("POST", &path, context).json(&body).limits(Limits {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            total: Some(Duration::from_secs(30)),
            body: 64 * 1024,
        });
        self.outbox.in_flight = true;
        self.outbox.begun = context.now();
        context.http(DELIVERY, call);
    }

    /// The message has its answer, or none.
    pub(super) fn delivered(&mut self, result: Result<Response, HttpError>, context: &mut Context<'_>) {
        self.outbox.in_flight = false;
        if let Ok(response) = &result {
            self.note_answer(response, context);
        }
        let Some(entry) = self.outbox.entries.front().cloned() else {
            return;
        };
        let verdict = judge(&entry, result.as_ref().ok().map(|response| response.status));
        match verdict {
            Verdict::Settled(how) => {
                self.outbox.failures = 0;
                self.outbox.entries.pop_front();
                self.settle(&entry, how, context);
            }
            Verdict::Minimal => {
                self.outbox.failures = 0;
                if let Some(front) = self.outbox.entries.front_mut() {
                    front.minimal = true;
                }
                if let What::Ack { id, terminal: true } = &entry.what {
                    let flash = &mut context.hardware.flash;
                    self.commands.change(flash, id, |record| record.minimal = true);
                }
            }
            Verdict::Again => {
                self.outbox.failures += 1;
                let gap = pacing::backoff(self.interval(), self.outbox.failures, context.rng);
                let rest = (self.outbox.begun + gap).since(context.now());
                let rest = self.held(self.base.as_ref(), rest, context.now());
                context.timer(OUTBOX_TIMER, rest);
                self.restart_if_idle(context);
                return;
            }
        }
        self.deliver(context);
    }

    /// The cloud answers polls: what waits for a later attempt is tried again, though not before the interval.
    pub(super) fn hurry_outbox(&mut self, context: &mut Context<'_>) {
        if !self.outbox.in_flight && self.outbox.failures > 0 && !self.outbox.entries.is_empty() {
            let rest = (self.outbox.begun + self.interval()).since(context.now());
            let rest = self.held(self.base.as_ref(), rest, context.now());
            context.timer(OUTBOX_TIMER, rest);
        }
    }

    fn deliver_if_free(&mut self, context: &mut Context<'_>) {
        // After a failure the timer decides when to try again.
        if self.outbox.failures == 0 {
            self.deliver(context);
        }
    }

    fn settle(&mut self, entry: &Entry, how: Settled, context: &mut Context<'_>) {
        let flash = &mut context.hardware.flash;
        match &entry.what {
            What::Report { file: None } => {}
            What::Report { file: Some(file) } => {
                let _ = flash.remove(file);
            }
            What::Ack { id, terminal } => {
                // A refused `in_progress` means that the cloud has closed the command.
                if *terminal || how == Settled::Dropped {
                    self.commands
                        .change(flash, id, |record| record.settled = Some(how));
                    self.polling.settled_meanwhile.insert(id.clone());
                }
                if !terminal {
                    self.announced(&id.clone(), context);
                }
            }
        }
    }
}

enum Verdict {
    Settled(Settled),
    Minimal,
    Again,
}

fn judge(entry: &Entry, status: Option<u16>) -> Verdict {
    let Some(status) = status else {
        return Verdict::Again;
    };
    let is_ack = matches!(entry.what, What::Ack { .. });
    match status {
        200..=299 => Verdict::Settled(Settled::Stored),
        401 | 403 => Verdict::Again,
        status if pacing::is_retryable(status) => Verdict::Again,
        400 | 413 | 415 if is_ack && !entry.minimal => Verdict::Minimal,
        _ => Verdict::Settled(Settled::Dropped),
    }
}

/// Every character that is not legal in an id is percent-encoded; legal ids stay as they are.
fn encode(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC)
        .to_string()
        .replace("%5F", "_")
        .replace("%2D", "-")
}

fn wrong(id: &str) -> String {
    let mut wrong = encode(id);
    let last = wrong.pop();
    wrong.push(if last == Some('0') { '1' } else { '0' });
    wrong
}
