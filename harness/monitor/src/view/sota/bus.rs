//! The private bus in words: who takes the client's name, calls of the client and its replies, and its calls of the software
//! manager with their answers. Read from the bytes of each connection.

use super::super::common::{event, fields};
use hil_trace::{Event, Party, Record, Who};
use hil_wire::{
    dbus::{Accepted, Assembler, Handshake, Kind, Message, to_json},
    sota::bus::{
        DOWNLOAD_COMPLETE, GET_INSTALLED_PACKAGES, HARNESS, MANAGER, MANAGER_PATH, UPDATE_AVAILABLE,
        id_of_image,
    },
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Both directions of every connection to the bus.
#[derive(Default)]
pub(super) struct BusView {
    connections: BTreeMap<u32, Connection>,
}

#[derive(Default)]
struct Connection {
    /// What the unit said before its first message.
    handshake: Option<Handshake>,
    unit: Assembler,
    /// Lines of the bus before its first message, as far as they came.
    lines: Vec<u8>,
    begun: bool,
    bus: Assembler,
    /// Names the unit asked for and calls of the software manager, by serial, with their records.
    asked: BTreeMap<u32, (u64, Asked)>,
    /// Calls of the harness that were not answered.
    called: BTreeMap<u32, (u64, Value)>,
    names: BTreeSet<String>,
}

enum Asked {
    Name(String),
    Release(String),
    Manager(Value),
}

impl BusView {
    /// A connection to the bus is open.
    pub(super) fn opened(&mut self, connection: u32) {
        let open = Connection {
            handshake: Some(Handshake::default()),
            ..Connection::default()
        };
        self.connections.insert(connection, open);
    }

    /// Whether a connection is one to the bus.
    pub(super) fn has(&self, connection: u32) -> bool {
        self.connections.contains_key(&connection)
    }

    /// What bytes of either side amount to.
    pub(super) fn bytes(
        &mut self,
        record: &Record,
        connection: u32,
        from: Party,
        payload: &[u8],
    ) -> Vec<Event> {
        let Some(open) = self.connections.get_mut(&connection) else {
            return Vec::new();
        };
        match from {
            Party::Unit => open.heard(record, payload),
            _ => open.said(record, payload),
        }
    }

    /// A connection has ended.
    pub(super) fn closed(&mut self, record: &Record, connection: u32) -> Vec<Event> {
        let open = self.connections.remove(&connection);
        let names = open.map(|open| open.names).unwrap_or_default();
        names.iter().map(|name| left(record, name)).collect()
    }
}

impl Connection {
    /// What the unit sends.
    fn heard(&mut self, record: &Record, payload: &[u8]) -> Vec<Event> {
        match &mut self.handshake {
            None => self.unit.push(payload),
            Some(handshake) => match handshake.push(payload, "") {
                Ok(Accepted::Begun(_, rest)) => {
                    self.handshake = None;
                    self.unit.push(&rest);
                }
                Ok(Accepted::NotYet(_)) => {}
                Err(_) => self.unit.stop(),
            },
        }
        let mut events = Vec::new();
        // What is no message the cloud refuses with a note of its own.
        while let Ok(Some(message)) = self.unit.next_message() {
            events.extend(self.unit_message(record, &message));
        }
        events
    }

    /// What the bus sends.
    fn said(&mut self, record: &Record, payload: &[u8]) -> Vec<Event> {
        if self.begun {
            self.bus.push(payload);
        } else {
            self.lines.extend_from_slice(payload);
            // Lines begin with capitals, and `B` of a message in big-endian order begins none of them.
            while !matches!(self.lines.first(), None | Some(b'l' | b'B')) {
                match self.lines.windows(2).position(|pair| pair == b"\r\n") {
                    Some(end) => drop(self.lines.drain(..end + 2)),
                    None => return Vec::new(),
                }
            }
            self.begun = !self.lines.is_empty();
            self.bus.push(&std::mem::take(&mut self.lines));
        }
        let mut events = Vec::new();
        while let Ok(Some(message)) = self.bus.next_message() {
            events.extend(self.bus_message(record, &message));
        }
        events
    }

    fn unit_message(&mut self, record: &Record, message: &Message) -> Option<Event> {
        match message.kind {
            Kind::Call if message.destination == BUS => {
                let arguments = message.arguments().ok()?;
                let name = arguments.first().map(to_json)?.as_str()?.to_owned();
                let asked = match message.member.as_str() {
                    "RequestName" => Asked::Name(name),
                    "ReleaseName" => Asked::Release(name),
                    _ => return None,
                };
                self.asked.insert(message.serial, (record.seq, asked));
                None
            }
            Kind::Call if message.destination == MANAGER => {
                let facts = manager_call(message);
                if message.expects_reply() {
                    let asked = Asked::Manager(facts.clone());
                    self.asked.insert(message.serial, (record.seq, asked));
                }
                Some(event(record, Who::Unit, "manager_call", fields(facts)))
            }
            Kind::Return | Kind::Error if message.destination == HARNESS => {
                let (asked, mut facts) = self.called.remove(&message.reply_serial?)?;
                facts["rejected"] = json!(message.kind == Kind::Error);
                if message.kind == Kind::Error {
                    facts["error"] = json!(message.error_name);
                    facts["text"] = json!(first_text(message));
                }
                let mut event = event(record, Who::Unit, "bus_reply", fields(facts));
                event.records.insert(0, asked);
                Some(event)
            }
            _ => None,
        }
    }

    fn bus_message(&mut self, record: &Record, message: &Message) -> Option<Event> {
        match message.kind {
            Kind::Call if message.sender == HARNESS => {
                let mut facts = client_call(message);
                let seen = event(record, Who::Cloud, "bus_call", fields(facts.clone()));
                if let Some(members) = facts.as_object_mut() {
                    members.retain(|name, _| matches!(name.as_str(), "call" | "method" | "id"));
                }
                self.called.insert(message.serial, (record.seq, facts));
                Some(seen)
            }
            Kind::Return | Kind::Error => {
                let (asked, what) = self.asked.remove(&message.reply_serial?)?;
                let mut event = self.answered(record, message, what)?;
                event.records.insert(0, asked);
                Some(event)
            }
            Kind::Signal if message.member == "NameLost" && message.sender == BUS => {
                let name = first_text(message)?;
                self.names.remove(&name).then(|| left(record, &name))
            }
            _ => None,
        }
    }

    fn answered(&mut self, record: &Record, message: &Message, asked: Asked) -> Option<Event> {
        let code = message.arguments().ok()?.first().map(to_json).unwrap_or_default();
        let granted = message.kind == Kind::Return;
        match asked {
            // The unit is the owner, now or already.
            Asked::Name(name) if granted && (code == json!(1) || code == json!(4)) => {
                self.names.insert(name.clone());
                Some(event(
                    record,
                    Who::Unit,
                    "bus_name",
                    fields(json!({"name": name})),
                ))
            }
            Asked::Release(name) if granted => self.names.remove(&name).then(|| left(record, &name)),
            Asked::Manager(mut facts) => {
                if let Some(members) = facts.as_object_mut() {
                    members.retain(|name, _| matches!(name.as_str(), "method" | "id"));
                }
                facts["rejected"] = json!(!granted);
                if !granted {
                    facts["error"] = json!(message.error_name);
                }
                Some(event(record, Who::Cloud, "manager_answer", fields(facts)))
            }
            _ => None,
        }
    }
}

/// A call of the client: the update and its results, as far as they can be told.
fn client_call(message: &Message) -> Value {
    let mut facts = json!({"call": message.serial, "method": message.member, "signature": message.signature});
    let arguments = message.arguments().unwrap_or_default();
    let arguments: Vec<Value> = arguments.iter().map(to_json).collect();
    if let Some(Value::String(id)) = arguments.first() {
        facts["id"] = json!(id);
    }
    if let Some(results @ Value::Array(all)) = arguments.get(1) {
        facts["results"] = results.clone();
        facts["count"] = json!(all.len());
    }
    facts
}

/// A call of the software manager, and whether it is one it knows.
fn manager_call(message: &Message) -> Value {
    let signature = match message.member.as_str() {
        DOWNLOAD_COMPLETE => Some("ss"),
        UPDATE_AVAILABLE => Some("sssb"),
        GET_INSTALLED_PACKAGES => Some("bb"),
        _ => None,
    };
    let addressed = message.path == MANAGER_PATH && matches!(message.interface.as_str(), "" | MANAGER);
    let valid = addressed && signature == Some(message.signature.as_str());
    let mut facts = json!({"method": message.member, "valid": valid});
    let text = first_text(message);
    match (message.member.as_str(), text) {
        (DOWNLOAD_COMPLETE, Some(image)) => {
            facts["id"] = json!(id_of_image(&image));
            facts["update_image"] = json!(image);
        }
        (UPDATE_AVAILABLE, Some(id)) => facts["id"] = json!(id),
        _ => {}
    }
    facts
}

fn first_text(message: &Message) -> Option<String> {
    let arguments = message.arguments().ok()?;
    arguments.first().map(to_json)?.as_str().map(str::to_owned)
}

fn left(record: &Record, name: &str) -> Event {
    event(record, Who::Unit, "bus_name_lost", fields(json!({"name": name})))
}

/// Name of the bus itself.
const BUS: &str = "org.freedesktop.DBus";
