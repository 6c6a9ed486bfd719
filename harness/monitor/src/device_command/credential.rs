//! Where the device token goes (DCMD-SEC).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Party, Record, RecordBody, Stamp};

/// Looks at every request of the unit to another origin than the API.
pub(super) struct CredentialMonitor {
    origin: Tally,
}

impl Default for CredentialMonitor {
    fn default() -> Self {
        CredentialMonitor {
            origin: Tally::new("DCMD-SEC-007"),
        }
    }
}

impl Monitor for CredentialMonitor {
    fn name(&self) -> &'static str {
        "device-command/credential"
    }

    fn observe(&mut self, record: &Record, _: &[Event], judge: &mut Judge<'_>) {
        if let RecordBody::HttpRequest {
            face,
            from: Party::Unit,
            headers,
            ..
        } = &record.what
            && face == "firmware-host"
        {
            let quiet = headers.get("Authorization").is_none();
            let text = || "the device token was sent to another origin than the API".to_owned();
            self.origin.check(quiet, text, record.seq, judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.origin.close(judge);
    }
}
