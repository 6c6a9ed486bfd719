//! What is printed while a simulated unit runs: as text, or one JSON object for each line.

use hil_trace::{RecordBody, Recorder, UnitChange};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    io::Write,
};
use tokio::sync::Notify;

/// The recorder of a simulated unit that shows people what happens.
pub(super) struct Screen {
    json: bool,
    next: Cell<u64>,
    booted: Cell<bool>,
    ended: Cell<Option<u8>>,
    changed: Notify,
    /// The beginning of a console line.
    line: RefCell<Vec<u8>>,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        Screen {
            json,
            next: Cell::new(0),
            booted: Cell::new(false),
            ended: Cell::new(None),
            changed: Notify::new(),
            line: RefCell::default(),
        }
    }

    /// Waits until the unit has booted for the first time.
    pub(super) async fn booted(&self) {
        while !self.booted.get() {
            self.changed.notified().await;
        }
    }

    /// Waits until the unit's software ends; its status.
    pub(super) async fn ended(&self) -> u8 {
        loop {
            if let Some(status) = self.ended.get() {
                return status;
            }
            self.changed.notified().await;
        }
    }

    /// Says where the unit listens, by face, with the form callers need.
    pub(super) fn listens(&self, protocol: Protocol, faces: &BTreeMap<String, (String, String)>) {
        if self.json {
            let faces: BTreeMap<_, _> = faces
                .iter()
                .map(|(face, (address, url))| (face, json!({"address": address, "url": url})))
                .collect();
            self.show(&json!({"event": "listening", "protocol": protocol, "faces": faces}).to_string());
            return;
        }
        for (face, (address, url)) in faces {
            let variable = face.replace('-', "_").to_ascii_uppercase();
            self.show(&format!("# {face:16} {url}\nHIL_{variable}={address}"));
        }
    }

    /// Says that it can be called.
    pub(super) fn ready(&self) {
        match self.json {
            true => self.show(&json!({"event": "ready"}).to_string()),
            false => self.show("ready"),
        }
    }

    fn console(&self, bytes: &[u8]) {
        let mut line = self.line.borrow_mut();
        line.extend_from_slice(bytes);
        while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            let whole: Vec<u8> = line.drain(..=end).collect();
            let text = String::from_utf8_lossy(&whole);
            let text = text.trim_end_matches(['\r', '\n']);
            match self.json {
                true => self.show(&json!({"event": "console", "text": text}).to_string()),
                false => self.show(&format!("console: {text}")),
            }
        }
    }

    fn unit(&self, change: UnitChange, facts: &Map<String, Value>) {
        let name = serde_json::to_value(change).unwrap_or_default();
        let name = name.as_str().unwrap_or_default();
        if self.json {
            let mut event = Map::new();
            event.insert("event".into(), json!("unit"));
            event.insert("change".into(), json!(name));
            event.extend(facts.clone());
            self.show(&Value::Object(event).to_string());
            return;
        }
        let facts = facts.iter().map(|(name, value)| match value {
            Value::String(text) => format!(" {name}={text}"),
            other => format!(" {name}={other}"),
        });
        self.show(&format!(
            "unit: {}{}",
            name.replace('_', " "),
            facts.collect::<String>()
        ));
    }

    fn show(&self, line: &str) {
        super::super::print(line);
    }
}

impl Recorder for Screen {
    fn record(&self, body: RecordBody) -> u64 {
        match &body {
            RecordBody::Console { payload, .. } => self.console(payload.bytes()),
            RecordBody::Unit { change, facts } => {
                self.unit(*change, facts);
                match change {
                    UnitChange::Booted => self.booted.set(true),
                    UnitChange::Exited => {
                        let status = facts.get("status").and_then(Value::as_u64).unwrap_or_default();
                        self.ended.set(Some(u8::try_from(status).unwrap_or(u8::MAX)));
                    }
                    _ => {}
                }
                self.changed.notify_waiters();
            }
            RecordBody::Trouble { blame, text } => {
                let blame = serde_json::to_value(blame).unwrap_or_default();
                let blame = blame.as_str().unwrap_or_default();
                match self.json {
                    true => self.show(&json!({"event": "trouble", "blame": blame, "text": text}).to_string()),
                    // Standard error that is gone takes no notes.
                    false => drop(writeln!(std::io::stderr(), "trouble ({blame}): {text}")),
                }
            }
            _ => {}
        }
        let seq = self.next.get();
        self.next.set(seq + 1);
        seq
    }
}
