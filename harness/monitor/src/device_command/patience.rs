//! `Retry-After` on fetches and statuses (DCMD-ROBUST-003).

use crate::{Judge, Monitor, Tally, patience::Patience};
use hil_trace::{Event, HowClosed, Record, Stamp, TraceHeader, Who};

/// Remembers per kind of request when the cloud wants to see the next one.
pub(super) struct PatienceMonitor {
    fetch: Patience,
    status: Patience,
    patient: Tally,
}

impl PatienceMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        PatienceMonitor {
            fetch: Patience::new(header),
            status: Patience::new(header),
            patient: Tally::new("DCMD-ROBUST-003"),
        }
    }
}

impl Monitor for PatienceMonitor {
    fn name(&self) -> &'static str {
        "device-command/patience"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-ROBUST-003"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Unit, "fetch") => self.fetch.check("a fetch", record, &mut self.patient, judge),
                (Who::Unit, "status") => self.status.check("a status", record, &mut self.patient, judge),
                (Who::Cloud, "commands") => self.fetch.learn(event, record),
                (Who::Cloud, "status_answer") => self.status.learn(event, record),
                (Who::Unit, "booted" | "power_cut" | "stopped") => {
                    self.fetch.forget();
                    self.status.forget();
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.patient.close(judge);
    }
}
