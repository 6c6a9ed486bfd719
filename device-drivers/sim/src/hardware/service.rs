//! A system service of a unit.

use hil_trace::Stamp;
use std::time::Duration;

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// How often it was started on request; starts at boot do not count.
    pub starts: u64,
    /// Since when it is active; `None` while it starts or is broken.
    pub active_since: Option<Stamp>,
    /// How long it takes to start.
    pub start_time: Duration,
    /// It never becomes active.
    pub broken: bool,
}

impl Service {
    /// A service that takes one second to start.
    pub fn new() -> Self {
        Service {
            start_time: Duration::from_secs(1),
            ..Service::default()
        }
    }
}
