//! That a cloud in trouble is not hammered: polls after failures keep their distance (POLL-INTERVAL-003,
//! POLL-AUTH-004). The upper bounds are left to scenarios.

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, RecordBody, Stamp, TraceHeader, Who};
use std::time::Duration;

/// Follows runs of failed polls.
pub(super) struct BackoffMonitor {
    interval: Duration,
    slack: Duration,
    /// The cloud or a command may have set another interval.
    changed: bool,
    last: Option<Poll>,
    run: Option<Run>,
    after_failures: Tally,
    after_refusals: Tally,
}

struct Poll {
    at: Stamp,
    record: u64,
    exchange: u32,
    boot: Option<String>,
}

/// Failed polls in a row.
struct Run {
    class: Class,
    begun: Stamp,
    records: Vec<u64>,
    /// Polls after the first one.
    gaps: u32,
}

/// Why a poll failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Retryable,
    Refused,
}

impl BackoffMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        let interval = header.timing_seconds("poll_interval").unwrap_or(30.0);
        BackoffMonitor {
            interval: Duration::from_secs_f64(interval),
            slack: Duration::from_micros(header.tolerances.stamp_us),
            changed: false,
            last: None,
            run: None,
            after_failures: Tally::new("POLL-INTERVAL-003"),
            after_refusals: Tally::new("POLL-AUTH-004"),
        }
    }
}

impl Monitor for BackoffMonitor {
    fn name(&self) -> &'static str {
        "edge-poll/backoff"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["POLL-AUTH-004", "POLL-INTERVAL-003"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        if let RecordBody::HttpUnanswered { exchange, .. } = &record.what
            && self.last.as_ref().is_some_and(|poll| poll.exchange == *exchange)
        {
            self.failed(Class::Retryable);
        }
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "poll") => self.poll(record, event, judge),
                (Who::Cloud, "commands") => self.answered(event),
                (Who::Cloud, "queued") => self.queued(event),
                // A unit that starts polls when it is ready; a cloud that was away has not seen every poll.
                (Who::Unit, "booted" | "started" | "stopped" | "rebooted" | "power_cut" | "exited")
                | (Who::Cloud, "stopped") => self.begin_again(),
                (Who::Fault, "cleared") if event.text("fault") == Some("cloud.key") => self.begin_again(),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.after_failures.close(judge);
        self.after_refusals.close(judge);
    }
}

impl BackoffMonitor {
    /// What came before says nothing about the next poll.
    fn begin_again(&mut self) {
        self.last = None;
        self.run = None;
    }

    fn poll(&mut self, record: &Record, event: &Event, judge: &mut Judge<'_>) {
        let RecordBody::HttpRequest { exchange, .. } = &record.what else {
            return;
        };
        let boot = event.text("boot_id").map(str::to_owned);
        if self.last.take().is_some_and(|last| last.boot != boot) {
            self.run = None;
        }
        self.last = Some(Poll {
            at: record.at,
            record: record.seq,
            exchange: *exchange,
            boot,
        });
        if let Some(run) = self.run.as_mut().filter(|_| !self.changed) {
            run.gaps += 1;
            run.records.push(record.seq);
            let wanted = self.interval * run.gaps;
            let tolerance = wanted.mul_f64(0.1).max(LEAST_TOLERANCE) + self.slack;
            let taken = record.at.since(run.begun);
            let tally = match run.class {
                Class::Retryable => &mut self.after_failures,
                Class::Refused => &mut self.after_refusals,
            };
            if taken + tolerance >= wanted {
                tally.met(record.seq);
            } else {
                let text = format!(
                    "{} gaps between polls after failures took {:.3} s together, less than the interval each",
                    run.gaps,
                    taken.as_secs_f64()
                );
                tally.violated(text, run.records.clone(), judge);
                self.run = None;
            }
        }
    }

    fn answered(&mut self, event: &Event) {
        if event.field("interval").is_some() {
            self.changed = true;
        }
        match event.field("http_status").and_then(|status| status.as_u64()) {
            Some(408 | 425 | 429 | 500 | 502 | 503 | 504) => self.failed(Class::Retryable),
            Some(401 | 403) => self.failed(Class::Refused),
            _ => self.run = None,
        }
    }

    fn failed(&mut self, class: Class) {
        if self.run.as_ref().is_some_and(|run| run.class == class) {
            return;
        }
        self.run = self.last.as_ref().map(|poll| Run {
            class,
            begun: poll.at,
            records: vec![poll.record],
            gaps: 0,
        });
    }

    fn queued(&mut self, event: &Event) {
        let payload = event.field("payload");
        if payload.is_some_and(|payload| payload.get("poll_interval_s").is_some()) {
            self.changed = true;
        }
    }
}

/// Tolerance of a sum of gaps, if a tenth of it is less.
const LEAST_TOLERANCE: Duration = Duration::from_secs(1);
