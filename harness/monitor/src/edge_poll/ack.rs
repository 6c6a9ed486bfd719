//! What acks say, how often, and when they must stop (POLL-ACK, POLL-FETCH-002).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, HttpEnding, Record, RecordBody, Stamp, TraceHeader, Who};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

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
    /// It does not say that it runs commands side by side.
    in_turn: bool,
    last_started: Option<Started>,
    /// The last record at which an ack that was due may have been lost or put off.
    put_off: Option<u64>,
    /// Faults on connections that act: what is recorded as sent may never arrive, and the other way round.
    lossy: BTreeSet<u64>,
    /// Acks that wait for their answers, by exchange.
    open: BTreeMap<u32, String>,
    /// The unit ran before this trace began, and may have acks left from then.
    remote: bool,
    /// What ids made by the cloud begin with.
    own_ids: Option<String>,
}

#[derive(Default)]
struct Followed {
    /// Position of its first listing among all ids.
    position: Option<usize>,
    /// The record of its first listing.
    listed: u64,
    started: bool,
    terminal: Option<(String, u64)>,
    /// The answer after which no ack may follow.
    ended_by: Option<Ended>,
    /// The terminal ack was answered 400, 413 or 415.
    after_bad_request: Option<Refused>,
    /// Any of its acks was answered so.
    refused: bool,
}

/// The command that was the last to show that it was started.
struct Started {
    position: usize,
    id: String,
    /// The last record until then at which an ack may have been lost or put off.
    put_off: Option<u64>,
}

/// An answer that settles an ack for good.
struct Ended {
    record: u64,
    at: Stamp,
    http_status: u64,
}

/// How many acks may still follow, and those that did. Each further listing calls for an ack of its own and its retry,
/// and an ack without an answer that settles it for another one.
struct Refused {
    at: Stamp,
    allowed: usize,
    acks: Vec<u64>,
}

impl AckMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        AckMonitor {
            in_turn: header.claims(ONE_AT_A_TIME) != Some(false),
            commands: BTreeMap::new(),
            listed: 0,
            own_path: Tally::new("POLL-ACK-001"),
            one_terminal: Tally::new("POLL-ACK-009"),
            explained: Tally::new("POLL-ACK-011"),
            settled: Tally::new("POLL-ACK-007"),
            minimal: Tally::new("POLL-ACK-008"),
            order: Tally::new("POLL-FETCH-002"),
            last_started: None,
            put_off: None,
            lossy: BTreeSet::new(),
            open: BTreeMap::new(),
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
        if let RecordBody::HttpUnanswered { exchange, .. } = &record.what {
            self.put_off = Some(record.seq);
            if let Some(id) = self.open.remove(exchange) {
                self.unsettled(&id);
            }
        }
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "started") => {
                    self.remote |= event.field("remote").and_then(Value::as_bool) == Some(true);
                }
                (Who::Unit, "power_cut" | "exited" | "rebooted" | "stopped" | "booted") => {
                    self.put_off = Some(record.seq);
                    self.forgive(event.at, STORED_WITHIN);
                }
                (Who::Fault, "acted") if is_lossy(event) => {
                    self.put_off = Some(record.seq);
                    self.lossy.extend(event.field("id").and_then(Value::as_u64));
                    self.forgive(event.at, ON_ITS_WAY);
                }
                (Who::Fault, "cleared") if is_lossy(event) => {
                    self.put_off = Some(record.seq);
                    if let Some(id) = event.field("id").and_then(Value::as_u64) {
                        self.lossy.remove(&id);
                    }
                }
                (Who::Cloud, "queued") => {
                    let made = event.text("id").filter(|id| id.starts_with("cmd-"));
                    let prefix = made.and_then(|id| id.rsplit_once('-'));
                    self.own_ids = prefix
                        .map(|(prefix, _)| prefix.to_owned())
                        .or(self.own_ids.take());
                }
                (Who::Cloud, "commands") => {
                    self.listing(record.seq, event);
                    self.put_off(record.seq, event);
                }
                (Who::Unit, "ack") => {
                    if let (RecordBody::HttpRequest { exchange, .. }, Some(id)) =
                        (&record.what, event.text("id"))
                    {
                        self.open.insert(*exchange, id.to_owned());
                    }
                    self.ack(record.seq, event, judge);
                }
                (Who::Cloud, "ack_answer") => {
                    let whole = match &record.what {
                        RecordBody::HttpResponse { exchange, ending, .. } => {
                            self.open.remove(exchange);
                            *ending == HttpEnding::Complete
                        }
                        _ => true,
                    };
                    self.answer(record.seq, event, whole && self.lossy.is_empty());
                    self.put_off(record.seq, event);
                }
                // The terminal ack of an update waits for its terminal report.
                (Who::Unit, "report") => match event.text("command_id") {
                    Some(id) => {
                        let id = id.to_owned();
                        self.started(record.seq, &id, judge);
                    }
                    None => self.put_off = Some(record.seq),
                },
                (Who::Cloud, "report_answer") => self.put_off(record.seq, event),
                (Who::Cloud, "redelivered") => self.last_started = None,
                // Nobody heard what was sent while it was away, and what came last may not have been answered.
                (Who::Cloud, "stopped" | "started" | "face_closed" | "face_opened") => {
                    self.last_started = None;
                    self.put_off = Some(record.seq);
                    self.forgive(event.at, ON_ITS_WAY);
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for followed in self.commands.values() {
            if let Some((_, record)) = followed.terminal {
                self.own_path.met(record);
            }
            if let Some(ended) = &followed.ended_by {
                self.settled.met(ended.record);
            }
            if let Some(refused) = &followed.after_bad_request {
                self.minimal
                    .met(refused.acks.first().copied().unwrap_or_default());
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
    fn listing(&mut self, seq: u64, event: &Event) {
        let Some(Value::Array(ids)) = event.field("ids") else {
            return;
        };
        for id in ids.iter().filter_map(Value::as_str) {
            let followed = self.commands.entry(id.to_owned()).or_default();
            if let Some(refused) = &mut followed.after_bad_request {
                refused.allowed = refused.allowed.max(2);
            }
            // Delivered again, it is acknowledged again.
            if let Some(ended) = followed.ended_by.take() {
                self.settled.met(ended.record);
            }
            if followed.position.is_none() {
                followed.position = Some(self.listed);
                followed.listed = seq;
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
        if let Some(ended) = &followed.ended_by {
            let text = format!(
                "another ack for `{id}` after the answer {} settled it",
                ended.http_status
            );
            self.settled.violated(text, vec![ended.record, seq], judge);
        }
        // That a command goes on may be told again and again; each time is an ack of its own.
        if let Some(refused) = followed
            .after_bad_request
            .as_mut()
            .filter(|_| status != IN_PROGRESS)
        {
            refused.acks.push(seq);
            match refused.allowed.checked_sub(1) {
                Some(left) => refused.allowed = left,
                None => {
                    let text = format!(
                        "more than one retry of the ack for `{id}` after it was refused as malformed"
                    );
                    self.minimal.violated(text, refused.acks.clone(), judge);
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
        if matches!(status, "failed" | "rejected") && !followed.refused {
            let has_code = event.text("error_code").is_some_and(|code| !code.is_empty());
            let text = || format!("the ack {status} for `{id}` has no error_code");
            self.explained.check(has_code, text, seq, judge);
        }
        self.started(seq, id, judge);
    }

    /// A command shows that it was started.
    fn started(&mut self, seq: u64, id: &str, judge: &mut Judge<'_>) {
        let Some(followed) = self.commands.get_mut(id).filter(|followed| !followed.started) else {
            return;
        };
        let Some(position) = followed.position else {
            return;
        };
        followed.started = true;
        if !self.in_turn {
            return;
        }
        if !self.lossy.is_empty() {
            self.put_off = Some(seq);
        }
        match &self.last_started {
            // Its first ack may have been lost, or had to wait, before the other one came.
            Some(last) if last.position > position && last.put_off >= Some(followed.listed) => {}
            Some(last) if last.position > position => {
                let text = format!(
                    "`{id}` was started after `{}`, which stood behind it in the list",
                    last.id
                );
                self.order.violated(text, vec![seq], judge);
            }
            _ => {
                self.order.met(seq);
                self.last_started = Some(Started {
                    position,
                    id: id.to_owned(),
                    put_off: self.put_off,
                });
            }
        }
    }

    /// After answers that ask for patience, acks wait, each for its own time.
    fn put_off(&mut self, seq: u64, event: &Event) {
        let status = event.field("http_status").and_then(Value::as_u64);
        if status.is_some_and(|status| status >= 400) {
            self.put_off = Some(seq);
        }
    }

    /// An ack had no answer that settles it, or none that is sure to have arrived.
    fn unsettled(&mut self, id: &str) {
        let followed = self.commands.get_mut(id);
        if let Some(refused) = followed.and_then(|followed| followed.after_bad_request.as_mut()) {
            refused.allowed += 1;
        }
    }

    /// What was answered so shortly before may not have been heard, or not have been stored.
    fn forgive(&mut self, at: Stamp, within: Duration) {
        for followed in self.commands.values_mut() {
            followed.ended_by.take_if(|ended| at.since(ended.at) < within);
            if let Some(refused) = &mut followed.after_bad_request
                && at.since(refused.at) < within
            {
                refused.allowed += 1;
            }
        }
    }

    fn answer(&mut self, seq: u64, event: &Event, arrives: bool) {
        let (Some(id), Some(status)) = (
            event.text("id"),
            event.field("http_status").and_then(Value::as_u64),
        ) else {
            return;
        };
        let Some(followed) = self.commands.get_mut(id) else {
            return;
        };
        let goes_on = event.text("status") == Some(IN_PROGRESS);
        match status {
            404 | 409 | 410 if arrives && followed.ended_by.is_none() => {
                followed.ended_by = Some(Ended {
                    record: seq,
                    at: event.at,
                    http_status: status,
                });
            }
            400 | 413 | 415 if goes_on => followed.refused = true,
            400 | 413 | 415 => {
                followed.refused = true;
                match &mut followed.after_bad_request {
                    Some(refused) => {
                        refused.at = event.at;
                        refused.allowed += usize::from(!arrives);
                    }
                    None => {
                        followed.after_bad_request = Some(Refused {
                            at: event.at,
                            allowed: 1 + usize::from(!arrives),
                            acks: Vec::new(),
                        });
                    }
                }
            }
            200..=299 if arrives => {}
            404 | 409 | 410 if arrives => {}
            _ if goes_on => {}
            _ => {
                let id = id.to_owned();
                self.unsettled(&id);
            }
        }
    }
}

/// A fault below HTTP.
fn is_lossy(event: &Event) -> bool {
    let name = event.text("fault").unwrap_or_default();
    name.starts_with("net.") || name.starts_with("tls.")
}

const ONE_AT_A_TIME: &str = "one-at-a-time";
const IN_PROGRESS: &str = "in_progress";
/// What was answered this long before software ended may not have been stored.
const STORED_WITHIN: Duration = Duration::from_secs(2);
/// What was answered this long before a connection was struck may not have arrived.
const ON_ITS_WAY: Duration = Duration::from_secs(60);
