//! The lines of a journal, and what they come to in memory.

use crate::{Figures, HowClosed, Partition, Record, RecordBody, TraceHeader, Waivers};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// Comes before anything of the repeats of one scenario: what they have in common.
    Repeats(Box<TraceHeader>),
    /// A repeat that keeps its figures only.
    Figures {
        /// Name of the repeats it belongs to.
        group: String,
        /// What is kept.
        figures: Figures,
    },
    /// The waivers of a run; comes before all of its instances.
    Waivers(Waivers),
    /// Ends a run. A journal without it was not written to its end.
    End {
        /// Instances written before it.
        instances: usize,
        /// Whether instances that should have run did not.
        interrupted: bool,
        /// The parts of a run it holds, if machines share it.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        partitions: BTreeSet<Partition>,
    },
}

/// Repeats of one scenario that keep their figures only.
#[derive(Clone, Debug, PartialEq)]
pub struct RepeatFigures {
    /// What they have in common; its instance is the name of the group.
    pub header: TraceHeader,
    /// What is kept of each, in the order it was read.
    pub figures: Vec<Figures>,
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
