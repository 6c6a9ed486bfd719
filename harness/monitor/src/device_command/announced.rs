//! `executing` comes before the end of what it announces (DCMD-STATUS-004).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use std::collections::BTreeSet;

/// Remembers which commands were announced. What a unit sends while nobody listens, or loses with its power, is not
/// seen: from then on a missing `executing` proves nothing.
pub(super) struct AnnouncedMonitor {
    announced: BTreeSet<String>,
    ended: BTreeSet<String>,
    blind: bool,
    first: Tally,
}

impl Default for AnnouncedMonitor {
    fn default() -> Self {
        AnnouncedMonitor {
            announced: BTreeSet::new(),
            ended: BTreeSet::new(),
            blind: false,
            first: Tally::new("DCMD-STATUS-004"),
        }
    }
}

impl Monitor for AnnouncedMonitor {
    fn name(&self) -> &'static str {
        "device-command/announced"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-STATUS-004"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "stopped" | "tls_presented")
                | (Who::Unit, "power_cut" | "stopped" | "rebooted") => {
                    self.blind = true;
                }
                (Who::Unit, "status") => self.status(record.seq, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.first.close(judge);
    }
}

impl AnnouncedMonitor {
    fn status(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let Some(id) = event.text("command_id") else {
            return;
        };
        match event.text("status") {
            Some("executing") => {
                self.announced.insert(id.to_owned());
            }
            Some("completed") if self.ended.insert(id.to_owned()) && !self.blind => {
                let announced = self.announced.contains(id);
                let text = || format!("`{id}` was reported completed, and never executing");
                self.first.check(announced, text, seq, judge);
            }
            _ => {}
        }
    }
}
