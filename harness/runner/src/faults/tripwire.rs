//! Waits for the n-th event of a kind.

use crate::judge::is_meant;
use hil_trace::{Event, Stamp};
use serde_json::{Map, Value};
use std::cell::Cell;
use tokio::sync::Notify;

/// An event a fault waits for.
pub struct Tripwire {
    event: String,
    pattern: Value,
    /// How many are still to come.
    left: Cell<u32>,
    tripped: Cell<Option<Stamp>>,
    came: Notify,
}

impl Tripwire {
    /// Waits for the `nth` event of that name and with those facts, from 1.
    pub fn new(event: &str, pattern: Value, nth: u32) -> Self {
        Tripwire {
            event: event.to_owned(),
            pattern,
            left: Cell::new(nth.max(1)),
            tripped: Cell::new(None),
            came: Notify::new(),
        }
    }

    /// Takes in an event; true once it is the one.
    pub fn trips(&self, event: &Event) -> bool {
        if self.tripped.get().is_none() && is_meant(event, &self.event, &self.pattern, None, &Map::new()) {
            self.left.set(self.left.get() - 1);
            if self.left.get() == 0 {
                self.tripped.set(Some(event.at));
                self.came.notify_one();
            }
        }
        self.tripped.get().is_some()
    }

    /// Waits for the event; when it came.
    pub(super) async fn tripped(&self) -> Stamp {
        loop {
            match self.tripped.get() {
                Some(at) => return at,
                None => self.came.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::Who;
    use serde_json::json;

    fn event(at: u64, status: &str) -> Event {
        Event {
            who: Who::Unit,
            name: "report".to_owned(),
            at: Stamp(at),
            records: Vec::new(),
            fields: Map::from_iter([("status".to_owned(), json!(status))]),
        }
    }

    #[test]
    fn trips_at_the_event_that_is_meant_and_at_no_other() {
        let wire = Tripwire::new("unit.report", json!({"status": "downloading"}), 2);
        assert!(!wire.trips(&event(1, "downloading")));
        assert!(!wire.trips(&event(2, "verifying")));
        assert!(wire.trips(&event(3, "downloading")));
        assert!(wire.trips(&event(4, "downloading")));
        assert_eq!(wire.tripped.get(), Some(Stamp(3)));
    }
}
