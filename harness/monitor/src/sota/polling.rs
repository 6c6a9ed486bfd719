//! Requests for updates wait for the outcome of the last (SOTA-POLL-003).

use crate::{Judge, Monitor, single::SingleRequest};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};

/// Follows requests for updates.
pub(super) struct PollingMonitor {
    single: SingleRequest,
}

impl Default for PollingMonitor {
    fn default() -> Self {
        let text = "updates were asked for before the last request had an outcome";
        PollingMonitor {
            single: SingleRequest::new("SOTA-POLL-003", text),
        }
    }
}

impl Monitor for PollingMonitor {
    fn name(&self) -> &'static str {
        "sota/polling"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["SOTA-POLL-003"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        self.single.observe(record, judge);
        for event in events.iter().filter(|event| event.who == Who::Unit) {
            match event.name.as_str() {
                "updates" => self.single.began(record),
                "booted" | "power_cut" | "stopped" | "exited" | "rebooted" => self.single.forget(),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.single.close(judge);
    }
}
