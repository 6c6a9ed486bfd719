//! Subprotocols of WebSockets (OTA-WS-002).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};

/// Compares what was offered with what was chosen.
pub(super) struct SocketMonitor {
    chosen: Tally,
}

impl Default for SocketMonitor {
    fn default() -> Self {
        SocketMonitor {
            chosen: Tally::new("OTA-WS-002"),
        }
    }
}

impl Monitor for SocketMonitor {
    fn name(&self) -> &'static str {
        "ota-rpc/socket"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["OTA-WS-002"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        let opened = events
            .iter()
            .filter(|event| event.who == Who::Unit && event.name == "socket");
        for event in opened.filter(|event| event.text("by") == Some("caller")) {
            let offered = event.text("offered").unwrap_or_default();
            let holds = event
                .text("subprotocol")
                .is_none_or(|chosen| offered.split(',').any(|offer| offer.trim() == chosen));
            let text = || {
                format!(
                    "the subprotocol `{}` was not offered",
                    event.text("subprotocol").unwrap_or("")
                )
            };
            self.chosen.check(holds, text, record.seq, judge);
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.chosen.close(judge);
    }
}
