//! How firmware is asked for (OTA-UPDATE-020).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};

/// Reads the headers of downloads.
pub(super) struct DownloadMonitor {
    introduced: Tally,
}

impl Default for DownloadMonitor {
    fn default() -> Self {
        DownloadMonitor {
            introduced: Tally::new("OTA-UPDATE-020"),
        }
    }
}

impl Monitor for DownloadMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/download"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-UPDATE-020"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events
            .iter()
            .filter(|e| e.who == Who::Unit && e.name == "download")
        {
            let holds = event.text("device").is_some() && event.text("firmware").is_some();
            let text = || "the firmware request has no X-MGOS-Device-ID or no X-MGOS-FW-Version".to_owned();
            self.introduced.check(holds, text, record.seq, judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.introduced.close(judge);
    }
}
