//! Waits for the n-th event of a kind.

use crate::judge::is_meant;
use hil_trace::{Event, Stamp};
use serde_json::{Map, Value};
use std::cell::Cell;

/// An event a fault waits for.
pub(crate) struct Tripwire {
    event: String,
    pattern: Value,
    /// How many are still to come.
    left: Cell<u32>,
    tripped: Cell<Option<Stamp>>,
}

impl Tripwire {
    /// Waits for the `nth` event of that name and with those facts, from 1.
    pub(crate) fn new(event: &str, pattern: Value, nth: u32) -> Self {
        Tripwire {
            event: event.to_owned(),
            pattern,
            left: Cell::new(nth.max(1)),
            tripped: Cell::new(None),
        }
    }

    /// Takes in an event; true once it is the one.
    pub(crate) fn trips(&self, event: &Event) -> bool {
        if self.tripped.get().is_none() && is_meant(event, &self.event, &self.pattern, None, &Map::new()) {
            self.left.set(self.left.get() - 1);
            if self.left.get() == 0 {
                self.tripped.set(Some(event.at));
            }
        }
        self.tripped.get().is_some()
    }

    /// When the event came.
    pub(crate) fn tripped(&self) -> Option<Stamp> {
        self.tripped.get()
    }
}
