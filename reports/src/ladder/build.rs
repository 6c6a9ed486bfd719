//! Trace and events to rows: an event is one row; records no event speaks for are shown as they are.

use super::{
    Ladder, Lane, Row, Shape,
    describe::{Drawn, Exchanges, describe},
};
use crate::text;
use hil_trace::{Event, Record, RecordBody, Trace, UnitChange, Who};
use serde_json::Value;
use std::collections::BTreeSet;

/// Fields of one event that are shown, and how long each may be.
const FIELDS: usize = 8;
const FIELD_LENGTH: usize = 60;

impl Ladder {
    /// The ladder of a trace with its decoded events.
    pub fn new(trace: &Trace, events: &[Event]) -> Self {
        let exchanges = Exchanges::of(&trace.records);
        let spoken_for: BTreeSet<u64> = events.iter().flat_map(|e| e.records.iter().copied()).collect();
        let mut events: Vec<&Event> = events.iter().filter(|e| !e.records.is_empty()).collect();
        events.sort_by_key(|e| e.records.last().copied());

        let mut rows = Vec::new();
        let mut running = true;
        let mut events = events.into_iter().peekable();
        for record in &trace.records {
            if let RecordBody::Unit { change, .. } = &record.what {
                running = runs_after(*change);
            }
            let drawn = describe(record, &exchanges);
            let mut decided = false;
            while let Some(event) = events.next_if(|e| e.records.last().is_some_and(|seq| *seq <= record.seq))
            {
                decided = true;
                rows.push(event_row(event, record, drawn.as_ref(), running));
            }
            if !decided
                && !spoken_for.contains(&record.seq)
                && let Some(drawn) = drawn
            {
                rows.push(Row {
                    records: vec![record.seq],
                    at: record.at,
                    shape: drawn.shape,
                    title: drawn.title,
                    fields: drawn.fields,
                    running,
                });
            }
        }
        Ladder { rows }
    }
}

/// The event's words in the shape of the record that decided it.
fn event_row(event: &Event, record: &Record, drawn: Option<&Drawn>, running: bool) -> Row {
    let lane = match event.who {
        Who::Cloud => Lane::Cloud,
        Who::Unit | Who::Fault => Lane::Unit,
    };
    let shape = match (event.who, drawn.map(|d| d.shape)) {
        (Who::Fault, _) => Shape::Fault,
        (_, Some(Shape::Message { lost, quiet, from })) => Shape::Message {
            from: lane,
            lost: lost && from == lane,
            quiet,
        },
        (_, Some(Shape::Note(_)) | None) => Shape::Note(lane),
        (_, Some(shape)) => shape,
    };
    Row {
        records: event.records.clone(),
        at: record.at,
        shape,
        title: text::short(&event.name, FIELD_LENGTH),
        fields: event
            .fields
            .iter()
            .filter(|(_, value)| !is_void(value))
            .take(FIELDS)
            .map(|(name, value)| (text::short(name, FIELD_LENGTH), text::value(value, FIELD_LENGTH)))
            .collect(),
        running,
    }
}

fn is_void(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn runs_after(change: UnitChange) -> bool {
    match change {
        UnitChange::Started | UnitChange::Booted | UnitChange::PowerRestored | UnitChange::Rebooted => true,
        UnitChange::PowerCut | UnitChange::Stopped | UnitChange::Exited => false,
    }
}
