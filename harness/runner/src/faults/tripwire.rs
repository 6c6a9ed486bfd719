//! Waits for the n-th event of a kind, once or again and again.

use crate::judge::is_meant;
use hil_trace::{Event, Stamp};
use serde_json::{Map, Value};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};
use tokio::sync::Notify;

/// An event a fault waits for.
pub struct Tripwire {
    event: String,
    pattern: Value,
    nth: u32,
    /// How many are still to come until it trips.
    left: Cell<u32>,
    /// How often it still trips.
    times: Cell<u32>,
    /// When it tripped, as far as nobody has seen to it yet.
    tripped: RefCell<VecDeque<Stamp>>,
    came: Notify,
}

impl Tripwire {
    /// Trips at each `nth` event of that name and with those facts, from 1, and so often.
    pub fn new(event: &str, pattern: Value, nth: u32, times: u32) -> Self {
        Tripwire {
            event: event.to_owned(),
            pattern,
            nth: nth.max(1),
            left: Cell::new(nth.max(1)),
            times: Cell::new(times.max(1)),
            tripped: RefCell::default(),
            came: Notify::new(),
        }
    }

    /// Takes in an event; true once it trips no more.
    pub fn trips(&self, event: &Event) -> bool {
        if !self.is_spent() && is_meant(event, &self.event, &self.pattern, None, &Map::new()) {
            self.left.set(self.left.get() - 1);
            if self.left.get() == 0 {
                self.left.set(self.nth);
                self.times.set(self.times.get() - 1);
                self.tripped.borrow_mut().push_back(event.at);
                self.came.notify_one();
            }
        }
        self.is_spent()
    }

    /// Waits until it trips; when it did, each time once.
    pub(super) async fn tripped(&self) -> Stamp {
        loop {
            match self.take() {
                Some(at) => return at,
                None => self.came.notified().await,
            }
        }
    }

    fn take(&self) -> Option<Stamp> {
        self.tripped.borrow_mut().pop_front()
    }

    /// Whether it trips no more and everybody has seen to it.
    pub(super) fn is_done(&self) -> bool {
        self.is_spent() && self.tripped.borrow().is_empty()
    }

    fn is_spent(&self) -> bool {
        self.times.get() == 0
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
            name: "ack".to_owned(),
            at: Stamp(at),
            records: vec![at],
            fields: Map::from_iter([("status".to_owned(), json!(status))]),
        }
    }

    #[test]
    fn trips_at_each_nth_event_so_often() {
        let wire = Tripwire::new("unit.ack", json!({"status": "completed"}), 2, 2);
        let spent: Vec<bool> = (1..=6).map(|at| wire.trips(&event(at, "completed"))).collect();
        assert_eq!(spent, [false, false, false, true, true, true]);
        assert_eq!(
            [wire.take(), wire.take(), wire.take()],
            [Some(Stamp(2)), Some(Stamp(4)), None]
        );
    }

    #[test]
    fn other_events_do_not_count() {
        let wire = Tripwire::new("unit.ack", json!({"status": "completed"}), 1, 1);
        assert!(!wire.trips(&event(1, "failed")));
        assert!(wire.trips(&event(2, "completed")));
        assert_eq!(wire.take(), Some(Stamp(2)));
    }
}
