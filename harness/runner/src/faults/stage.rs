//! Where faults wait for their triggers: whatever stamps records and reads events from them.

use super::Tripwire;
use crate::Dispatcher;
use hil_link::Clock;
use hil_trace::Recorder;
use std::rc::Rc;

/// A recorder whose records become events.
pub trait Stage: Recorder {
    /// The clock it stamps with.
    fn clock(&self) -> Clock;

    /// Shows a tripwire every event from now on, until it has tripped.
    fn stretch(&self, tripwire: Rc<Tripwire>);

    /// The unit's adapter said that it does not implement something that was needed.
    fn not_implemented(&self, what: &str) {
        let _ = what;
    }
}

impl Stage for Dispatcher {
    fn clock(&self) -> Clock {
        Dispatcher::clock(self)
    }

    fn stretch(&self, tripwire: Rc<Tripwire>) {
        self.watch_for(tripwire);
    }

    fn not_implemented(&self, what: &str) {
        Dispatcher::not_implemented(self, what);
    }
}
