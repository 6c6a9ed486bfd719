//! What every report is made from.

use crate::ladder::Ladder;
use hil_trace::{Catalogue, Event, InstanceSummary, RunSummary, Trace};

/// Where the decoded events of a trace come from; reports know no protocol.
pub trait EventSource {
    /// The events of a trace, each with the records it was read from.
    fn events(&self, trace: &Trace) -> Vec<Event>;
}

/// Decodes nothing: ladders show raw records.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSource for NoEvents {
    fn events(&self, _trace: &Trace) -> Vec<Event> {
        Vec::new()
    }
}

/// A judged run with everything that explains it. Traces may be missing; their ladders are then left out.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The judged run.
    pub summary: &'a RunSummary,
    /// The traces that were judged, in any order.
    pub traces: &'a [Trace],
    /// Every requirement.
    pub catalogue: &'a Catalogue,
    /// Decodes traces.
    pub events: &'a dyn EventSource,
}

impl<'a> Report<'a> {
    /// The trace of an instance, if it was kept.
    pub fn trace(&self, instance: &str) -> Option<&'a Trace> {
        self.traces.iter().find(|t| t.header.instance == instance)
    }

    /// The message ladder of an instance, if its trace was kept and holds anything.
    pub fn ladder(&self, instance: &InstanceSummary) -> Option<Ladder> {
        let trace = self.trace(&instance.header.instance)?;
        if trace.records.is_empty() {
            return None;
        }
        Some(Ladder::new(trace, &self.events.events(trace)))
    }

    /// The sentence of a requirement, if the catalogue knows it.
    pub fn sentence(&self, requirement: &str) -> Option<&'a str> {
        self.catalogue.get(requirement).map(|r| r.sentence.as_str())
    }
}

impl std::fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report")
            .field("instances", &self.summary.instances.len())
            .field("traces", &self.traces.len())
            .finish_non_exhaustive()
    }
}
