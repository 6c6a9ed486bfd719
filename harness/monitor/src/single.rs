//! Requests of a kind that wait for the outcome of the last.

use crate::{Judge, Tally};
use hil_trace::{Record, RecordBody, Stamp};
use std::{collections::BTreeMap, time::Duration};

/// Follows requests until they have an outcome: an answer, or none any more.
pub(crate) struct SingleRequest {
    /// Requests without an outcome: exchange and connection.
    open: BTreeMap<u32, u32>,
    overlaps: Vec<Overlap>,
    tally: Tally,
    /// What is said of a request that did not wait.
    text: &'static str,
}

/// A request that was sent while another one was open.
struct Overlap {
    /// The exchange that was open.
    older: u32,
    at: Stamp,
    record: u64,
}

impl SingleRequest {
    pub(crate) fn new(requirement: &'static str, text: &'static str) -> Self {
        SingleRequest {
            open: BTreeMap::new(),
            overlaps: Vec::new(),
            tally: Tally::new(requirement),
            text,
        }
    }

    /// A request of the kind was sent.
    pub(crate) fn began(&mut self, record: &Record) {
        let RecordBody::HttpRequest {
            exchange, connection, ..
        } = &record.what
        else {
            return;
        };
        if self.open.is_empty() {
            self.tally.met(record.seq);
        }
        self.overlaps.extend(self.open.keys().map(|older| Overlap {
            older: *older,
            at: record.at,
            record: record.seq,
        }));
        self.open.insert(*exchange, *connection);
    }

    /// Takes the outcomes a record tells of.
    pub(crate) fn observe(&mut self, record: &Record, judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::HttpResponse { exchange, .. } => self.ended(*exchange, record, judge),
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
            _ => {}
        }
    }

    /// What another process has sent is none of the next one's.
    pub(crate) fn forget(&mut self) {
        self.open.clear();
        self.overlaps.clear();
    }

    pub(crate) fn close(&mut self, judge: &mut Judge<'_>) {
        self.tally.close(judge);
    }

    /// A request has its outcome: was another one sent well before?
    fn ended(&mut self, exchange: u32, record: &Record, judge: &mut Judge<'_>) {
        self.open.remove(&exchange);
        for overlap in self.overlaps.extract_if(.., |overlap| overlap.older == exchange) {
            // What comes over two connections may change places.
            if record.at.since(overlap.at) > REORDERING {
                let evidence = vec![overlap.record, record.seq];
                self.tally.violated(self.text, evidence, judge);
            } else {
                self.tally.met(overlap.record);
            }
        }
    }
}

const REORDERING: Duration = Duration::from_millis(250);
/// Why an exchange has no answer whose connection stays open.
const STALLED: &str = "stalled";
