//! What acks say, how often, and when they must stop (POLL-ACK, POLL-FETCH-002).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use serde_json::Value;
use std::collections::BTreeMap;

/// Follows every command id from its listing to its terminal ack.
pub(super) struct AckMonitor {
    commands: BTreeMap<String, Followed>,
    listed: usize,
    own_path: Tally,
    one_terminal: Tally,
    explained: Tally,
    settled: Tally,
    minimal: Tally,
    order: Tally,
    last_started: Option<(usize, String)>,
    /// The unit ran before this trace began, and may have acks left from then.
    remote: bool,
    /// What ids made by the cloud begin with.
    own_ids: Option<String>,
}

#[derive(Default)]
struct Followed {
    /// Position of its first listing among all ids.
    position: Option<usize>,
    started: bool,
    terminal: Option<(String, u64)>,
    /// The answer after which no ack may follow.
    ended_by: Option<(u64, u64)>,
    /// After an answer 400, 413 or 415: how many acks may still follow, and those that did. Each further listing
    /// calls for an ack of its own and its retry.
    after_bad_request: Option<(usize, Vec<u64>)>,
}

impl Default for AckMonitor {
    fn default() -> Self {
        AckMonitor {
            commands: BTreeMap::new(),
            listed: 0,
            own_path: Tally::new("POLL-ACK-001"),
            one_terminal: Tally::new("POLL-ACK-009"),
            explained: Tally::new("POLL-ACK-011"),
            settled: Tally::new("POLL-ACK-007"),
            minimal: Tally::new("POLL-ACK-008"),
            order: Tally::new("POLL-FETCH-002"),
            last_started: None,
            remote: false,
            own_ids: None,
        }
    }
}

impl Monitor for AckMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/ack"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "POLL-ACK-001",
            "POLL-ACK-007",
            "POLL-ACK-008",
            "POLL-ACK-009",
            "POLL-ACK-011",
            "POLL-FETCH-002",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "started") => {
                    self.remote |= event.field("remote").and_then(Value::as_bool) == Some(true);
                }
                (Who::Cloud, "queued") => {
                    let made = event.text("id").filter(|id| id.starts_with("cmd-"));
                    let prefix = made.and_then(|id| id.rsplit_once('-'));
                    self.own_ids = prefix
                        .map(|(prefix, _)| prefix.to_owned())
                        .or(self.own_ids.take());
                }
                (Who::Cloud, "commands") => self.listing(event),
                (Who::Unit, "ack") => self.ack(record.seq, event, judge),
                (Who::Cloud, "ack_answer") => self.answer(record.seq, event),
                (Who::Cloud, "redelivered" | "started") => self.last_started = None,
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for followed in self.commands.values() {
            if let Some((_, record)) = followed.terminal {
                self.own_path.met(record);
            }
            if let Some((_, answer)) = followed.ended_by {
                self.settled.met(answer);
            }
            if let Some((_, acks)) = &followed.after_bad_request {
                self.minimal.met(acks.first().copied().unwrap_or_default());
            }
        }
        let tallies = [
            &mut self.own_path,
            &mut self.one_terminal,
            &mut self.explained,
            &mut self.settled,
            &mut self.minimal,
            &mut self.order,
        ];
        for tally in tallies {
            tally.close(judge);
        }
    }
}

impl AckMonitor {
    fn listing(&mut self, event: &Event) {
        let Some(Value::Array(ids)) = event.field("ids") else {
            return;
        };
        for id in ids.iter().filter_map(Value::as_str) {
            let followed = self.commands.entry(id.to_owned()).or_default();
            if let Some((allowed, _)) = &mut followed.after_bad_request {
                *allowed = 2;
            }
            // Delivered again, it is acknowledged again.
            if let Some((answer, _)) = followed.ended_by.take() {
                self.settled.met(answer);
            }
            if followed.position.is_none() {
                followed.position = Some(self.listed);
                self.listed += 1;
            }
        }
    }

    fn ack(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let (Some(id), status) = (event.text("id"), event.text("status").unwrap_or("")) else {
            return;
        };
        let Some(followed) = self
            .commands
            .get_mut(id)
            .filter(|followed| followed.position.is_some())
        else {
            let ours = self
                .own_ids
                .as_ref()
                .is_some_and(|own| id.starts_with(own.as_str()));
            if self.remote && !ours {
                return;
            }
            let text = format!("an ack for `{id}`, a command that was never delivered");
            return self.own_path.violated(text, vec![seq], judge);
        };
        if let Some((settled_by, http_status)) = followed.ended_by {
            let text = format!("another ack for `{id}` after the answer {http_status} settled it");
            self.settled.violated(text, vec![settled_by, seq], judge);
        }
        if let Some((allowed, acks)) = &mut followed.after_bad_request {
            acks.push(seq);
            match allowed.checked_sub(1) {
                Some(left) => *allowed = left,
                None => {
                    let text = format!(
                        "more than one retry of the ack for `{id}` after it was refused as malformed"
                    );
                    self.minimal.violated(text, acks.clone(), judge);
                }
            }
        }
        if !followed.started {
            followed.started = true;
            let position = followed.position.unwrap_or_default();
            match &self.last_started {
                Some((last, other)) if *last > position => {
                    let text =
                        format!("`{id}` was started after `{other}`, which stood behind it in the list");
                    self.order.violated(text, vec![seq], judge);
                }
                _ => {
                    self.order.met(seq);
                    self.last_started = Some((position, id.to_owned()));
                }
            }
        }
        if matches!(status, "completed" | "failed" | "rejected") {
            match &followed.terminal {
                Some((earlier, record)) if earlier != status => {
                    let text = format!("`{id}` was acked {earlier} and later {status}");
                    self.one_terminal.violated(text, vec![*record, seq], judge);
                }
                Some(_) => {}
                None => {
                    self.one_terminal.met(seq);
                    followed.terminal = Some((status.to_owned(), seq));
                }
            }
        }
        if matches!(status, "failed" | "rejected") && followed.after_bad_request.is_none() {
            let has_code = event.text("error_code").is_some_and(|code| !code.is_empty());
            let text = || format!("the ack {status} for `{id}` has no error_code");
            self.explained.check(has_code, text, seq, judge);
        }
    }

    fn answer(&mut self, seq: u64, event: &Event) {
        let (Some(id), Some(status)) = (
            event.text("id"),
            event.field("http_status").and_then(Value::as_u64),
        ) else {
            return;
        };
        let Some(followed) = self.commands.get_mut(id) else {
            return;
        };
        match status {
            404 | 409 | 410 if followed.ended_by.is_none() => followed.ended_by = Some((seq, status)),
            400 | 413 | 415 if followed.after_bad_request.is_none() => {
                followed.after_bad_request = Some((1, Vec::new()));
            }
            _ => {}
        }
    }
}
