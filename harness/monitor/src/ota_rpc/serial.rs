//! Checksums on the serial line (OTA-UART-002, OTA-UART-003).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use serde_json::Value;

/// Follows serial calls by their checksums.
pub(super) struct SerialMonitor {
    /// Frames with a wrong checksum, by an id no other call has: damage may turn one id into another.
    damaged: Vec<(Value, u64)>,
    /// Ids of frames a unit may answer.
    proper: Vec<Value>,
    checked: Vec<(Value, u64)>,
    dropped: Tally,
    sticky: Tally,
}

impl Default for SerialMonitor {
    fn default() -> Self {
        SerialMonitor {
            damaged: Vec::new(),
            proper: Vec::new(),
            checked: Vec::new(),
            dropped: Tally::new("OTA-UART-002"),
            sticky: Tally::new("OTA-UART-003"),
        }
    }
}

impl Monitor for SerialMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/serial"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-UART-002", "OTA-UART-003"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events
            .iter()
            .filter(|event| event.text("transport") == Some("serial"))
        {
            let id = event.field("id").cloned().unwrap_or_default();
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "call") => self.call(id, event.text("checksum"), record.seq),
                (Who::Unit, "reply") => self.reply(&id, event.text("checksum"), record.seq, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.dropped.close(judge);
        self.sticky.close(judge);
    }
}

impl SerialMonitor {
    fn call(&mut self, id: Value, checksum: Option<&str>, seq: u64) {
        if checksum == Some("wrong") {
            if !self.proper.contains(&id) {
                self.damaged.push((id, seq));
            }
            return;
        }
        self.damaged.retain(|(damaged, _)| *damaged != id);
        if checksum == Some("valid") {
            self.checked.push((id.clone(), seq));
        }
        self.proper.push(id);
    }

    fn reply(&mut self, id: &Value, checksum: Option<&str>, seq: u64, judge: &mut Judge<'_>) {
        if let Some((_, call)) = self.damaged.iter().find(|(damaged, _)| damaged == id) {
            let text = "a frame with a wrong checksum was answered";
            self.dropped.violated(text, vec![*call, seq], judge);
        }
        // Whoever answers a checked frame has received it, and no restart lies between.
        let Some((_, call)) = self.checked.iter().find(|(checked, _)| checked == id) else {
            return;
        };
        if checksum == Some("valid") {
            self.sticky.met(seq);
        } else {
            let text = "the reply to a frame with a valid checksum has none that fits";
            self.sticky.violated(text, vec![*call, seq], judge);
        }
    }
}
