//! SOTA in words: commands and replies on the gateways, events of every connection, and what the client asks of the
//! authentication server and of Core.

mod bus;
mod exchange;
mod words;

use super::{
    View,
    common::{common_event, event, fields},
};
use crate::message::{recorded_request, recorded_response};
use bus::BusView;
use exchange::Asked;
use hil_trace::{Event, FaultPhase, Party, Record, RecordBody, Who};
use hil_wire::{
    digest::sha256_hex,
    http::Request,
    sota::{
        console::{ConsoleOutcome, find_outcome},
        socket::{SocketEvent, SocketReply},
    },
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Remembers calls that were announced, exchanges, and connections.
#[derive(Default)]
pub(crate) struct SotaView {
    /// Calls whose bytes were not seen yet.
    announced: Vec<Announced>,
    /// Commands a fault struck: their bytes may not be those that were announced.
    struck: Vec<String>,
    exchanges: BTreeMap<u32, Open>,
    connections: BTreeMap<u32, Connection>,
    bus: BusView,
}

#[derive(Clone, Debug)]
struct Announced {
    call: u64,
    gateway: String,
    command: String,
    sha256: String,
}

struct Open {
    record: u64,
    kind: Kind,
}

enum Kind {
    Command(Value),
    Upgrade,
    Core(Asked),
}

/// A connection that carries more than HTTP.
#[derive(Default)]
struct Connection {
    face: String,
    /// Name of a WebSocket.
    name: String,
    /// Facts of the command on a socket connection.
    command: Value,
    told: bool,
    first: u64,
    bytes: Vec<u8>,
    fragments: BTreeMap<Party, Vec<u8>>,
    socket: bool,
    /// Commands typed on a console that were not answered, with their records.
    typed: VecDeque<(u64, Value)>,
}

impl View for SotaView {
    fn events(&mut self, record: &Record) -> Vec<Event> {
        match &record.what {
            RecordBody::Cloud { name, facts } => return self.note(record, name, facts),
            RecordBody::Fault {
                phase: FaultPhase::Acted,
                facts,
                ..
            } if facts.get("on").and_then(Value::as_str) == Some("command") => {
                let command = facts.get("command").and_then(Value::as_str);
                self.struck.push(command.unwrap_or_default().to_owned());
                return common_event(record).into_iter().collect();
            }
            RecordBody::ConnectionOpened { connection, face, .. } if face == BUS => {
                self.bus.opened(*connection);
            }
            RecordBody::ConnectionOpened { connection, face, .. } => {
                let open = Connection {
                    face: face.clone(),
                    first: record.seq,
                    ..Connection::default()
                };
                self.connections.insert(*connection, open);
            }
            RecordBody::HttpRequest {
                exchange,
                face,
                from,
                method,
                target,
                headers,
                body,
                ..
            } => {
                let request = recorded_request(method, target, headers, body);
                return self
                    .request(record, *exchange, face, *from, &request)
                    .into_iter()
                    .collect();
            }
            RecordBody::HttpResponse {
                exchange,
                status,
                headers,
                body,
                ending,
                ..
            } => {
                let response = recorded_response(*status, headers, body);
                let Some(open) = self.exchanges.remove(exchange) else {
                    return Vec::new();
                };
                let answer = match open.kind {
                    Kind::Command(facts) => Some((Who::Unit, "reply", words::http_reply(facts, &response))),
                    Kind::Upgrade if response.status == 101 => None,
                    Kind::Upgrade => {
                        let facts = json!({"http_status": response.status});
                        Some((Who::Unit, "socket_refused", facts))
                    }
                    Kind::Core(asked) => Some(asked.answered(&response, *ending)),
                };
                return answer
                    .map(|(who, name, facts)| {
                        let mut event = event(record, who, name, fields(facts));
                        event.records.insert(0, open.record);
                        event
                    })
                    .into_iter()
                    .collect();
            }
            RecordBody::HttpUnanswered { exchange, .. } => {
                self.exchanges.remove(exchange);
            }
            RecordBody::WebSocketOpened { connection, .. } => {
                if let Some(open) = self.connections.get_mut(connection) {
                    open.socket = true;
                }
            }
            RecordBody::WebSocketFrame {
                connection,
                from,
                opcode,
                fin,
                payload,
            } if *opcode <= 2 => {
                return self
                    .frame(record, *connection, *from, *fin, payload.bytes())
                    .into_iter()
                    .collect();
            }
            RecordBody::Bytes {
                connection,
                from,
                payload,
            } if self.bus.has(*connection) => {
                return self.bus.bytes(record, *connection, *from, payload.bytes());
            }
            RecordBody::Bytes {
                connection,
                from,
                payload,
            } => {
                return self.bytes(record, *connection, *from, payload.bytes());
            }
            RecordBody::ConnectionClosed { connection, .. } if self.bus.has(*connection) => {
                return self.bus.closed(record, *connection);
            }
            RecordBody::ConnectionClosed { connection, .. } => {
                let open = self.connections.remove(connection);
                return open.and_then(|open| open.closed(record)).into_iter().collect();
            }
            _ => return common_event(record).into_iter().collect(),
        }
        Vec::new()
    }
}

impl SotaView {
    /// Notes of the cloud: some only connect records, the others are events themselves.
    fn note(&mut self, record: &Record, name: &str, facts: &Map<String, Value>) -> Vec<Event> {
        let text = |name: &str| {
            let value = facts.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let number = |name: &str| facts.get(name).and_then(Value::as_u64).unwrap_or_default();
        match name {
            "calling" => {
                self.announced.push(Announced {
                    call: number("call"),
                    gateway: text("gateway"),
                    command: text("command"),
                    sha256: text("sha256"),
                });
                Vec::new()
            }
            "command_socket" => {
                let call = number("call");
                let position = self.announced.iter().position(|known| known.call == call);
                let announced = position.map(|position| self.announced.remove(position));
                if let Some(open) = u32::try_from(number("number"))
                    .ok()
                    .and_then(|number| self.connections.get_mut(&number))
                {
                    open.command = announced.map(Announced::facts).unwrap_or_default();
                }
                Vec::new()
            }
            "subscribed" => {
                let number = u32::try_from(number("number")).unwrap_or_default();
                if let Some(open) = self.connections.get_mut(&number) {
                    open.name = text("connection");
                }
                let facts = fields(json!({"connection": text("connection")}));
                vec![event(record, Who::Unit, "socket", facts)]
            }
            "subscribing" | "not_subscribed" => Vec::new(),
            "unanswered" => {
                let call = number("call");
                self.announced.retain(|known| known.call != call);
                // What came on a stream that did not end is no answer, though its connection is closed now.
                for open in self.connections.values_mut() {
                    if open.command["call"] == json!(call) {
                        open.bytes.clear();
                    }
                }
                let facts = facts.iter().filter(|(_, value)| **value != json!(""));
                let facts = facts.map(|(name, value)| (name.clone(), value.clone())).collect();
                vec![event(record, Who::Cloud, "unanswered", facts)]
            }
            _ => common_event(record).into_iter().collect(),
        }
    }

    fn request(
        &mut self,
        record: &Record,
        exchange: u32,
        face: &str,
        from: Party,
        request: &Request,
    ) -> Option<Event> {
        let (kind, event) = match (face, from) {
            ("sota-http", Party::Cloud) => {
                let facts = self.announced("http", &request.body);
                let seen = words::command(facts.clone(), &request.body);
                let event = event(record, Who::Cloud, "command", fields(seen));
                (Kind::Command(facts), Some(event))
            }
            ("sota-websocket", Party::Cloud) => (Kind::Upgrade, None),
            (_, Party::Unit) => {
                let (asked, name, facts) = exchange::read(face, request)?;
                let event = event(record, Who::Unit, name, fields(facts));
                (Kind::Core(asked), Some(event))
            }
            _ => return None,
        };
        let open = Open {
            record: record.seq,
            kind,
        };
        self.exchanges.insert(exchange, open);
        event
    }

    fn frame(
        &mut self,
        record: &Record,
        connection: u32,
        from: Party,
        fin: bool,
        payload: &[u8],
    ) -> Option<Event> {
        let open = self.connections.get_mut(&connection)?;
        let message = open.fragments.entry(from).or_default();
        message.extend_from_slice(payload);
        if !fin {
            return None;
        }
        let message = std::mem::take(message);
        let name = open.name.clone();
        if from == Party::Cloud {
            let mut facts = words::command(self.announced("websocket", &message), &message);
            facts["connection"] = json!(name);
            return Some(event(record, Who::Cloud, "command", fields(facts)));
        }
        let mut facts = words::event(&message);
        facts["connection"] = json!(name);
        Some(event(record, Who::Unit, "event", fields(facts)))
    }

    fn bytes(&mut self, record: &Record, connection: u32, from: Party, payload: &[u8]) -> Vec<Event> {
        let Some(open) = self.connections.get_mut(&connection) else {
            return Vec::new();
        };
        let console = open.face == CONSOLE;
        match from {
            Party::Unit if console => open.printed(record, payload),
            Party::Unit => {
                open.bytes.extend_from_slice(payload);
                Vec::new()
            }
            _ if console => {
                // One line may come in parts.
                let typed = open.fragments.entry(from).or_default();
                typed.extend_from_slice(payload);
                if !typed.ends_with(b"\n") {
                    return Vec::new();
                }
                let typed = std::mem::take(typed);
                let facts = self.announced("console", &typed);
                if let Some(open) = self.connections.get_mut(&connection) {
                    open.typed.push_back((record.seq, facts.clone()));
                }
                vec![event(record, Who::Cloud, "command", fields(facts))]
            }
            _ if std::mem::replace(&mut open.told, true) => Vec::new(),
            _ => vec![event(record, Who::Cloud, "command", fields(open.command.clone()))],
        }
    }

    /// Facts of a call by the bytes it was announced with, or, if a fault changed them, by the command it struck.
    fn announced(&mut self, gateway: &str, bytes: &[u8]) -> Value {
        let sha256 = sha256_hex(bytes);
        let position = |fits: &dyn Fn(&Announced) -> bool| {
            let fits = |known: &Announced| known.gateway == gateway && fits(known);
            self.announced.iter().position(fits)
        };
        let found = position(&|known| known.sha256 == sha256)
            .or_else(|| position(&|known| self.struck.contains(&known.command)));
        let Some(found) = found else {
            return json!({"gateway": gateway});
        };
        let call = self.announced.remove(found);
        if let Some(struck) = self.struck.iter().position(|command| *command == call.command) {
            self.struck.remove(struck);
        }
        call.facts()
    }
}

impl Announced {
    fn facts(self) -> Value {
        let command = Some(self.command).filter(|command| !command.is_empty());
        json!({"call": self.call, "gateway": self.gateway, "command": command})
    }
}

impl Connection {
    /// What a console printed: each line with an outcome answers the command typed first.
    fn printed(&mut self, record: &Record, payload: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        self.bytes.extend_from_slice(payload);
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let (Some(outcome), Some((asked, mut facts))) =
                (find_outcome(&line), self.typed.front().cloned())
            else {
                continue;
            };
            self.typed.pop_front();
            match outcome {
                ConsoleOutcome::Response { event, debug } => {
                    words::merge(
                        &mut facts,
                        json!({"event": event, "text": debug, "rejected": false}),
                    );
                }
                ConsoleOutcome::Error(text) => {
                    words::merge(&mut facts, json!({"rejected": true, "text": text}));
                }
            }
            let mut event = event(record, Who::Unit, "reply", fields(facts));
            event.records.insert(0, asked);
            events.push(event);
        }
        events
    }

    /// What a connection amounts to once it has ended.
    fn closed(self, record: &Record) -> Option<Event> {
        let (name, facts) = match self.face.as_str() {
            _ if self.socket => ("socket_closed", json!({"connection": self.name})),
            "sota-events" if !self.bytes.is_empty() => {
                let decoded = SocketEvent::decode(&self.bytes);
                // In a wrapper of another version it is another message.
                let foreign = decoded.oddities.iter().any(|oddity| oddity.path == "/version");
                let event = decoded.value.filter(|_| !foreign).map(SocketEvent::into_event);
                let raw = || json!({"text": String::from_utf8_lossy(&self.bytes)});
                let facts = event.as_ref().map_or_else(raw, words::event_facts);
                ("installer_event", facts)
            }
            "sota-commands" if !self.bytes.is_empty() => {
                let mut facts = self.command.clone();
                match SocketReply::decode(&self.bytes, words::dialect(&self.bytes)) {
                    SocketReply::Rejected { text, .. } => {
                        facts["rejected"] = json!(true);
                        facts["text"] = json!(text);
                    }
                    _ => words::merge(&mut facts, words::event(&self.bytes)),
                }
                ("reply", facts)
            }
            _ => return None,
        };
        let mut event = event(record, Who::Unit, name, fields(facts));
        event.records.insert(0, self.first);
        Some(event)
    }
}

/// The private bus.
const BUS: &str = "sota-bus";
/// The face that is the unit's console.
const CONSOLE: &str = "sota-console";
