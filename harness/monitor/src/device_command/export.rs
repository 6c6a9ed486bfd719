//! Exports against what is said about them (DCMD-EXPORT).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use hil_wire::device_command::status_text::read_exported;
use std::collections::BTreeMap;

/// Compares the last upload of a command with its `completed`.
pub(super) struct ExportMonitor {
    uploads: BTreeMap<String, (u64, u64)>,
    counted: Tally,
    parsed: Tally,
}

impl Default for ExportMonitor {
    fn default() -> Self {
        ExportMonitor {
            uploads: BTreeMap::new(),
            counted: Tally::new("DCMD-EXPORT-001"),
            parsed: Tally::new("DCMD-EXPORT-002"),
        }
    }
}

impl Monitor for ExportMonitor {
    fn name(&self) -> &'static str {
        "device-command/export"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-EXPORT-001", "DCMD-EXPORT-002"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events.iter().filter(|event| event.who == Who::Unit) {
            let id = event.text("command_id").unwrap_or_default();
            match event.name.as_str() {
                "export" => {
                    let valid = event.field("valid").and_then(|value| value.as_bool()) == Some(true);
                    let text = || format!("the export of `{id}` does not parse as what it says it is");
                    self.parsed.check(valid, text, record.seq, judge);
                    if let Some(records) = event.field("records").and_then(|value| value.as_u64()) {
                        self.uploads.insert(id.to_owned(), (records, record.seq));
                    }
                }
                "status" if event.text("status") == Some("completed") => {
                    let told = event.text("details").and_then(read_exported);
                    if let (Some(told), Some((records, at))) = (told, self.uploads.get(id)) {
                        if told == *records {
                            self.counted.met(record.seq);
                        } else {
                            let text = format!("`{id}` says {told} records, its upload has {records}");
                            self.counted.violated(text, vec![*at, record.seq], judge);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.counted.close(judge);
        self.parsed.close(judge);
    }
}
