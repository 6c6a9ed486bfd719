//! What survives a power cut: flash, boot slots, services, clock, and the counters an observer would keep.

mod counter;
mod flash;
mod keep;
mod ledger;
mod segment;
mod service;
mod slot;

pub(crate) use counter::Counter;
pub use flash::{Flash, FlashError};
pub(crate) use keep::Mark;
pub(crate) use ledger::{Entry, FOLDER as COMMANDS, Ledger, load, save};
pub(crate) use segment::Segment;
pub use service::Service;
pub use slot::Slot;

use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// A unit's hardware.
#[derive(Clone, Debug, Default)]
pub struct Hardware {
    /// Non-volatile storage.
    pub flash: Flash,
    /// Boot slots, for protocols that have them.
    pub slots: Vec<Slot>,
    /// Index of the slot that boots next.
    pub active_slot: usize,
    /// System services by name.
    pub services: BTreeMap<String, Service>,
    /// How far the unit's wall clock is off, in microseconds.
    pub wall_offset_us: i64,
    /// Milliseconds since any start.
    pub(crate) counter: Counter,
    /// How often it booted.
    pub boots: u32,
    /// How many inputs its software worked on.
    pub inputs: u64,
    /// After what time power comes back once it failed at a write; `None` = not by itself.
    pub outage: Option<Duration>,
    /// The network segment the unit is on, with a tap.
    pub(crate) segment: Segment,
    /// What an observer counted; agents never decide anything by it.
    observations: BTreeMap<String, Value>,
    /// How often they changed.
    observed_changes: u64,
}

impl Hardware {
    /// Adds one to a counter.
    pub fn count(&mut self, name: &str) {
        let next = self.counted(name) + 1;
        self.observe(name, next);
    }

    /// A counter's value.
    pub fn counted(&self, name: &str) -> u64 {
        self.observations.get(name).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Notes a fact for probes.
    pub fn observe(&mut self, name: &str, value: impl Into<Value>) {
        if !self.flash.is_dead() {
            self.observations.insert(name.to_owned(), value.into());
            self.observed_changes += 1;
        }
    }

    /// A noted fact.
    pub fn observed(&self, name: &str) -> Option<&Value> {
        self.observations.get(name)
    }
}
