//! One command at a time (DCMD-QUEUE-001).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use std::collections::BTreeSet;

/// Remembers which command executes, as first reports tell.
pub(super) struct QueueMonitor {
    executing: Option<(String, u64)>,
    ended: BTreeSet<String>,
    alone: Tally,
}

impl Default for QueueMonitor {
    fn default() -> Self {
        QueueMonitor {
            executing: None,
            ended: BTreeSet::new(),
            alone: Tally::new("DCMD-QUEUE-001"),
        }
    }
}

impl Monitor for QueueMonitor {
    fn name(&self) -> &'static str {
        "device-command/queue"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &["DCMD-QUEUE-001"]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            if event.who != Who::Unit {
                continue;
            }
            match event.name.as_str() {
                "status" => self.status(record.seq, event, judge),
                // After a power loss nothing executes; what is reported next may be the past.
                "power_cut" | "rebooted" | "booted" | "stopped" | "exited" => self.executing = None,
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        self.alone.close(judge);
    }
}

impl QueueMonitor {
    fn status(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let (Some(id), Some(status)) = (event.text("command_id"), event.text("status")) else {
            return;
        };
        if status != "executing" {
            self.ended.insert(id.to_owned());
            if self.executing.as_ref().is_some_and(|(other, _)| other == id) {
                self.executing = None;
            }
            return;
        }
        match &self.executing {
            Some((other, at)) if other != id => {
                let text = format!("`{id}` executes while `{other}` has no terminal status");
                self.alone.violated(text, vec![*at, seq], judge);
            }
            Some(_) => {}
            None if self.ended.contains(id) => {}
            None => {
                self.alone.met(seq);
                self.executing = Some((id.to_owned(), seq));
            }
        }
    }
}
