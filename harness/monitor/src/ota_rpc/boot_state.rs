//! What GetBootState says, and what a commit that was answered is worth (OTA-BOOT-001, OTA-COMMIT-002,
//! OTA-COMMIT-005).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use hil_wire::ota_rpc::BootState;
use serde_json::Value;

/// Follows the boot state through calls.
pub(super) struct BootStateMonitor {
    /// The version that answered last, if it still runs for certain.
    running: Option<String>,
    /// The version that ran when something began that may change it: it may answer for a while yet.
    old: Option<String>,
    /// A commit was answered with success and nothing since could undo it: its record and the version it was for.
    committed: Option<(u64, Option<String>)>,
    typed: Tally,
    settled: Tally,
    kept: Tally,
}

impl Default for BootStateMonitor {
    fn default() -> Self {
        BootStateMonitor {
            running: None,
            old: None,
            committed: None,
            typed: Tally::new("OTA-BOOT-001"),
            settled: Tally::new("OTA-COMMIT-002"),
            kept: Tally::new("OTA-COMMIT-005"),
        }
    }
}

impl Monitor for BootStateMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/boot-state"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-BOOT-001", "OTA-COMMIT-002", "OTA-COMMIT-005"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            let method = event.text("method").unwrap_or_default();
            let succeeded = event.field("ok") == Some(&Value::Bool(true));
            match (event.who, event.name.as_str(), method) {
                // These may change which firmware runs, or whether it is committed.
                (
                    Who::Cloud,
                    "call",
                    "OTA.Update" | "OTA.Revert" | "OTA.SetBootState" | "OTA.CreateSnapshot",
                ) => self.unsettle(),
                (Who::Cloud, "call", method) if method.starts_with("OTA.") && !KNOWN.contains(&method) => {
                    self.unsettle();
                }
                (Who::Unit, "reply", "Sys.GetInfo") if succeeded => {
                    self.information(record.seq, event, judge)
                }
                (Who::Unit, "reply", "OTA.Commit") if succeeded => {
                    self.committed = Some((record.seq, self.running.clone()));
                }
                (Who::Unit, "reply", "OTA.GetBootState") if succeeded => self.state(record.seq, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [&mut self.typed, &mut self.settled, &mut self.kept] {
            tally.close(judge);
        }
    }
}

impl BootStateMonitor {
    /// Something begins after which other firmware may run.
    fn unsettle(&mut self) {
        self.committed = None;
        self.old = self.running.take().or(self.old.take());
    }

    fn state(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let result = event.field("result").cloned().unwrap_or_default();
        let decoded = BootState::from_value(&result);
        let valid = decoded.is_valid();
        let Some(state) = decoded.value.filter(|_| valid) else {
            let text = format!("GetBootState answered {result}");
            return self.typed.violated(text, vec![seq], judge);
        };
        self.typed.met(seq);
        if let Some((commit, _)) = &self.committed {
            let commit = *commit;
            if state.is_committed && state.commit_timeout == 0 {
                self.settled.met(seq);
            } else {
                let text = "after an answered commit the unit shows an uncommitted state or a timeout";
                self.settled.violated(text, vec![commit, seq], judge);
            }
        }
    }

    fn information(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let Some(version) = event.text("version") else {
            return;
        };
        if let Some((commit, Some(kept))) = &self.committed {
            let commit = *commit;
            if kept == version {
                self.kept.met(seq);
            } else {
                let text = format!("`{kept}` was committed, and yet `{version}` runs");
                self.kept.violated(text, vec![commit, seq], judge);
                self.committed = None;
            }
        }
        if self.old.as_deref() != Some(version) {
            self.running = Some(version.to_owned());
            self.old = None;
        }
    }
}

const KNOWN: [&str; 6] = [
    "OTA.Update",
    "OTA.Commit",
    "OTA.Revert",
    "OTA.CreateSnapshot",
    "OTA.GetBootState",
    "OTA.SetBootState",
];
