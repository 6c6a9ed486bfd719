//! Downloads that were refused or cut must not be called complete (SOTA-DL-005, 006).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use hil_wire::sota::bus::DOWNLOAD_COMPLETE;
use serde_json::Value;
use std::collections::BTreeMap;

/// Follows every update from its downloads to its outcome.
pub(super) struct DownloadMonitor {
    refused: Tally,
    cut: Tally,
    updates: BTreeMap<String, Fetched>,
}

#[derive(Default)]
struct Fetched {
    /// It was sent whole at least once, or it is not known that it was not.
    whole: bool,
    refused: Option<u64>,
    cut: Option<u64>,
}

impl Default for DownloadMonitor {
    fn default() -> Self {
        DownloadMonitor {
            refused: Tally::new("SOTA-DL-005"),
            cut: Tally::new("SOTA-DL-006"),
            updates: BTreeMap::new(),
        }
    }
}

impl Monitor for DownloadMonitor {
    fn name(&self) -> &'static str {
        "sota/download"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["SOTA-DL-005", "SOTA-DL-006"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            let Some(id) = event.text("id") else {
                continue;
            };
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "download_answer") => {
                    let status = event.field("http_status").and_then(Value::as_u64);
                    let complete = event.field("complete") == Some(&Value::Bool(true));
                    let fetched = self.updates.entry(id.to_owned()).or_default();
                    match status.unwrap_or_default() {
                        200..300 if complete => fetched.whole = true,
                        200..300 => fetched.cut = Some(record.seq),
                        400.. => fetched.refused = Some(record.seq),
                        // A redirect may lead where nobody looks.
                        _ => fetched.whole = true,
                    }
                }
                (Who::Unit, "event" | "reply" | "installer_event") => {
                    self.outcome(record.seq, id, event.text("event").unwrap_or_default(), judge);
                }
                (Who::Unit, "manager_call") if event.text("method") == Some(DOWNLOAD_COMPLETE) => {
                    self.outcome(record.seq, id, "DownloadComplete", judge);
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.refused.close(judge);
        self.cut.close(judge);
    }
}

impl DownloadMonitor {
    fn outcome(&mut self, seq: u64, id: &str, event: &str, judge: &mut Judge<'_>) {
        let Some(fetched) = self.updates.get(id).filter(|fetched| !fetched.whole) else {
            return;
        };
        let failed = match event {
            "DownloadFailed" => true,
            "DownloadComplete" => false,
            _ => return,
        };
        let text = || format!("DownloadComplete of `{id}`, which was never sent whole");
        for (tally, seen) in [(&mut self.refused, fetched.refused), (&mut self.cut, fetched.cut)] {
            match (seen, failed) {
                (Some(_), true) => tally.met(seq),
                (Some(answer), false) => tally.violated(text(), vec![answer, seq], judge),
                (None, _) => {}
            }
        }
    }
}
