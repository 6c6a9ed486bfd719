//! Requests for updates wait for the outcome of the last (SOTA-POLL-003).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp, Who};
use std::{collections::BTreeMap, time::Duration};

/// Follows requests for updates until they have an outcome: an answer, or none any more.
pub(super) struct PollingMonitor {
    /// Requests without an outcome: exchange and connection.
    open: BTreeMap<u32, u32>,
    overlaps: Vec<Overlap>,
    single: Tally,
}

/// A request that was sent while another one was open.
struct Overlap {
    older: u32,
    at: Stamp,
    record: u64,
}

impl Default for PollingMonitor {
    fn default() -> Self {
        PollingMonitor {
            open: BTreeMap::new(),
            overlaps: Vec::new(),
            single: Tally::new("SOTA-POLL-003"),
        }
    }
}

impl Monitor for PollingMonitor {
    fn name(&self) -> &'static str {
        "sota/polling"
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpResponse {
                exchange,
                from: Party::Cloud,
                ..
            } => self.ended(*exchange, record, judge),
            // As long as a stalled connection is up, the client still waits.
            RecordBody::HttpUnanswered { exchange, reason } if reason != STALLED => {
                self.ended(*exchange, record, judge);
            }
            RecordBody::ConnectionClosed { connection, .. } => {
                let open = self.open.iter();
                let gone: Vec<u32> = open
                    .filter(|(_, on)| *on == connection)
                    .map(|(id, _)| *id)
                    .collect();
                for exchange in gone {
                    self.ended(exchange, record, judge);
                }
            }
            RecordBody::HttpRequest {
                exchange, connection, ..
            } => {
                let polls = |event: &Event| (event.who, event.name.as_str()) == (Who::Unit, "updates");
                if events.iter().any(polls) {
                    self.began(*exchange, *connection, record);
                }
            }
            _ => {}
        }
        let ends = |event: &Event| {
            let over = ["booted", "power_cut", "stopped", "exited", "rebooted"];
            event.who == Who::Unit && over.contains(&event.name.as_str())
        };
        // What another process has sent is none of this one's.
        if events.iter().any(ends) {
            self.open.clear();
            self.overlaps.clear();
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.single.close(judge);
    }
}

impl PollingMonitor {
    fn began(&mut self, exchange: u32, connection: u32, record: &Record) {
        if self.open.is_empty() {
            self.single.met(record.seq);
        }
        self.overlaps.extend(self.open.keys().map(|older| Overlap {
            older: *older,
            at: record.at,
            record: record.seq,
        }));
        self.open.insert(exchange, connection);
    }

    /// A request has its outcome: was another one sent well before?
    fn ended(&mut self, exchange: u32, record: &Record, judge: &mut Judge<'_>) {
        self.open.remove(&exchange);
        for overlap in self.overlaps.extract_if(.., |overlap| overlap.older == exchange) {
            // What comes over two connections may change places.
            if record.at.since(overlap.at) > REORDERING {
                let text = "updates were asked for before the last request had an outcome";
                self.single
                    .violated(text, vec![overlap.record, record.seq], judge);
            } else {
                self.single.met(overlap.record);
            }
        }
    }
}

const REORDERING: Duration = Duration::from_millis(250);
/// Why an exchange has no answer whose connection stays open.
const STALLED: &str = "stalled";
