//! What status reports say and in which order (DCMD-STATUS-001, -002 and -005, DCMD-DIAG-002).

use crate::{Judge, Monitor, Tally};
use hil_trace::{Event, HowClosed, Record, Stamp, Who};
use hil_wire::device_command::Diagnostics;
use std::collections::BTreeMap;

/// Follows the statuses of each command.
pub(super) struct StatusMonitor {
    commands: BTreeMap<String, Followed>,
    types: BTreeMap<String, String>,
    body: Tally,
    whole: Tally,
    life: Tally,
    diagnostics: Tally,
}

#[derive(Default)]
struct Followed {
    terminal: Option<(String, u64)>,
}

impl Default for StatusMonitor {
    fn default() -> Self {
        StatusMonitor {
            commands: BTreeMap::new(),
            types: BTreeMap::new(),
            body: Tally::new("DCMD-STATUS-001"),
            whole: Tally::new("DCMD-STATUS-005"),
            life: Tally::new("DCMD-STATUS-002"),
            diagnostics: Tally::new("DCMD-DIAG-002"),
        }
    }
}

impl Monitor for StatusMonitor {
    fn name(&self) -> &'static str {
        "device-command/status"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "DCMD-DIAG-002",
            "DCMD-STATUS-001",
            "DCMD-STATUS-002",
            "DCMD-STATUS-005",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        for event in events {
            match (event.who, event.name.as_str()) {
                (Who::Cloud, "issued" | "issue") => {
                    if let (Some(id), Some(kind)) = (event.text("command_id"), event.text("type")) {
                        self.types.insert(id.to_owned(), kind.to_owned());
                    }
                }
                (Who::Unit, "status") => self.status(record.seq, event, judge),
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.body,
            &mut self.whole,
            &mut self.life,
            &mut self.diagnostics,
        ] {
            tally.close(judge);
        }
    }
}

impl StatusMonitor {
    fn status(&mut self, seq: u64, event: &Event, judge: &mut Judge<'_>) {
        let valid = event.field("valid").and_then(|value| value.as_bool()) == Some(true);
        let problem = || {
            let problem = event.text("problem").unwrap_or("unreadable");
            format!("a status report breaks a rule: {problem}")
        };
        self.body.check(valid, problem, seq, judge);
        let lost = event.text("lost");
        let text = || format!("`{}` of a status report is lost", lost.unwrap_or_default());
        self.whole.check(lost.is_none(), text, seq, judge);
        let (Some(id), Some(status)) = (event.text("command_id"), event.text("status")) else {
            return;
        };
        let followed = self.commands.entry(id.to_owned()).or_default();
        let terminal = matches!(status, "completed" | "failed");
        match &followed.terminal {
            Some((first, at)) if terminal && first != status => {
                let text = format!("`{id}` was reported {first} and later {status}");
                self.life.violated(text, vec![*at, seq], judge);
            }
            Some((first, at)) if !terminal => {
                let text = format!("`{id}` was reported {status} after {first}");
                self.life.violated(text, vec![*at, seq], judge);
            }
            Some(_) => {}
            None if terminal => {
                self.life.met(seq);
                followed.terminal = Some((status.to_owned(), seq));
            }
            None => {}
        }
        if status == "completed"
            && self
                .types
                .get(id)
                .is_some_and(|kind| kind == "network_diagnostics")
        {
            let decoded = Diagnostics::decode(event.text("details").unwrap_or_default());
            let text = || format!("the result of `{id}` is no diagnostics object");
            self.diagnostics.check(decoded.is_valid(), text, seq, judge);
        }
    }
}
