//! What the external installer is told: completed and failed downloads, and nothing else (SOTA-SOCK-005).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};

/// Reads every message on the events socket.
pub(super) struct InstallerMonitor {
    only: Tally,
}

impl Default for InstallerMonitor {
    fn default() -> Self {
        InstallerMonitor {
            only: Tally::new("SOTA-SOCK-005"),
        }
    }
}

impl Monitor for InstallerMonitor {
    fn name(&self) -> &'static str {
        "sota/installer"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["SOTA-SOCK-005"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        let told = |event: &&Event| event.who == Who::Unit && event.name == "installer_event";
        for event in events.iter().filter(told) {
            let name = event.text("event");
            let known = matches!(name, Some("DownloadComplete" | "DownloadFailed"));
            let text = || match event.text("text") {
                Some(other) => format!("the events socket carries something else: {other}"),
                None => "the events socket carries something else".to_owned(),
            };
            self.only.check(known, text, record.seq, judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.only.close(judge);
    }
}
