//! What one run of a sweep comes to: when power was cut, how long the way back took, and which outcome holds.

use crate::sweep::POINT;
use hil_scenario::Condition;
use hil_trace::{FaultPhase, Party, Record, RecordBody, Stamp, SweepResult, TraceHeader, UnitChange};
use serde_json::{Map, Value};

/// Follows the cut through a trace; does nothing where there is no sweep.
pub(super) struct SweepJudge {
    outcomes: Option<Vec<(String, Condition)>>,
    cut: Option<Stamp>,
    back: Option<Stamp>,
    contact: Option<Stamp>,
}

impl SweepJudge {
    pub(super) fn new(header: &TraceHeader) -> Self {
        let compiled = |(word, text): &(String, String)| Some((word.clone(), Condition::parse(text).ok()?));
        let outcomes = header.sweep.as_ref();
        SweepJudge {
            outcomes: outcomes.map(|run| run.outcomes.iter().filter_map(compiled).collect()),
            cut: None,
            back: None,
            contact: None,
        }
    }

    pub(super) fn observe(&mut self, record: &Record) {
        if self.outcomes.is_none() || self.contact.is_some() {
            return;
        }
        match &record.what {
            RecordBody::Fault {
                phase: FaultPhase::Acted,
                facts,
                ..
            } if facts.contains_key(POINT) => self.cut = Some(record.at),
            RecordBody::Unit {
                change: UnitChange::PowerRestored,
                ..
            } if self.cut.is_some() && self.back.is_none() => self.back = Some(record.at),
            what if self.back.is_some() && is_contact(what) => self.contact = Some(record.at),
            _ => {}
        }
    }

    /// The result; `values` is what named steps gave.
    pub(super) fn result(&self, values: &Map<String, Value>) -> Option<SweepResult> {
        let outcomes = self.outcomes.as_ref()?;
        let holds = |condition: &Condition| condition.holds(values).unwrap_or(false);
        let outcome = outcomes.iter().find(|(_, condition)| holds(condition));
        Some(SweepResult {
            cut_at: self.cut.map(Stamp::seconds),
            recovery: self
                .back
                .zip(self.contact)
                .map(|(back, contact)| contact.since(back).as_secs_f64()),
            outcome: outcome.map(|(word, _)| word.clone()),
        })
    }
}

/// Whether the unit is heard of.
fn is_contact(what: &RecordBody) -> bool {
    match what {
        RecordBody::ConnectionOpened { by: party, .. }
        | RecordBody::HttpRequest { from: party, .. }
        | RecordBody::HttpResponse { from: party, .. }
        | RecordBody::WebSocketFrame { from: party, .. }
        | RecordBody::Bytes { from: party, .. } => *party == Party::Unit,
        _ => false,
    }
}
