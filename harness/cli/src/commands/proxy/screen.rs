//! What is printed while a proxy runs: as text, or one JSON object for each line.

use crate::commands::print;
use hil_link::{Address, Clock};
use hil_trace::{FaultPhase, RecordBody, Recorder};
use serde_json::{Map, Value, json};
use std::cell::Cell;

/// The recorder of a proxy that shows people what happens.
pub(super) struct Screen {
    json: bool,
    clock: Clock,
    next: Cell<u64>,
}

impl Screen {
    pub(super) fn new(json: bool, clock: Clock) -> Self {
        Screen {
            json,
            clock,
            next: Cell::new(0),
        }
    }

    /// Says where the proxy listens.
    pub(super) fn listens(&self, address: &Address) {
        self.show(json!({"event": "listening", "address": address.to_string()}));
    }

    fn show(&self, line: Value) {
        let mut line = line;
        line["at"] = json!(self.clock.now().seconds());
        if self.json {
            return print(&line.to_string());
        }
        let text = |name: &str| match line.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let facts = line.as_object().into_iter().flatten();
        let facts = facts.filter(|(name, _)| !matches!(name.as_str(), "event" | "at" | "fault"));
        let facts: Vec<String> = facts.map(|(name, _)| format!("{name}={}", text(name))).collect();
        let at = self.clock.now().seconds();
        print(&format!(
            "{at:9.3}  {:<9} {}{}",
            text("event"),
            match text("fault").as_str() {
                "" => String::new(),
                fault => format!("{fault} "),
            },
            facts.join(" ")
        ));
    }
}

impl Recorder for Screen {
    fn record(&self, what: RecordBody) -> u64 {
        let seq = self.next.get();
        self.next.set(seq + 1);
        match what {
            RecordBody::ConnectionOpened { connection, .. } => {
                self.show(json!({"event": "opened", "connection": connection}));
            }
            RecordBody::ConnectionClosed {
                connection, ending, ..
            } => self.show(json!({"event": "closed", "connection": connection, "ending": ending})),
            RecordBody::Fault {
                name, phase, facts, ..
            } => {
                let phase = match phase {
                    FaultPhase::Armed => "armed",
                    FaultPhase::Acted => "acted",
                    FaultPhase::Cleared => "cleared",
                };
                let told = facts
                    .into_iter()
                    .filter(|(name, value)| !value.is_null() && name != "on");
                let mut line: Map<String, Value> = told.collect();
                line.insert("event".to_owned(), json!(phase));
                line.insert("fault".to_owned(), json!(name));
                self.show(Value::Object(line));
            }
            _ => {}
        }
        seq
    }
}
