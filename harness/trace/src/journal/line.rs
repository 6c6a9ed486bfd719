//! The lines of a journal, and what they come to in memory.

use crate::{HowClosed, Record, RecordBody, TraceHeader};
use serde::{Deserialize, Serialize};

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// Begins an instance.
    Header(Box<TraceHeader>),
    /// One record of an instance.
    Record {
        /// The instance it belongs to.
        instance: String,
        /// The record.
        record: Record,
    },
    /// An instance that did not run, and why.
    Skipped {
        /// What would have run.
        header: Box<TraceHeader>,
        /// Why it did not.
        reason: String,
    },
    /// Ends a run. A journal without it was not written to its end.
    End {
        /// Instances written before it.
        instances: usize,
        /// Whether instances that should have run did not.
        interrupted: bool,
    },
}

/// A whole trace in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its header.
    pub header: TraceHeader,
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Why it did not run, if it did not.
    pub skipped: Option<String>,
}

impl Trace {
    /// How the trace ended; `None` if its end is missing.
    pub fn closed(&self) -> Option<HowClosed> {
        match self.records.last().map(|r| &r.what) {
            Some(RecordBody::Closed { how }) => Some(*how),
            _ => None,
        }
    }
}
