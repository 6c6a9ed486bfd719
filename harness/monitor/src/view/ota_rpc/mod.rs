//! OTA RPC in words: calls and replies on every transport, sockets, the serial handshake, downloads.

mod broker;
mod exchange;
mod stream;

use super::{
    View,
    common::{common_event, event, fields},
};
use crate::message::{recorded_request, recorded_response};
use hil_trace::{Ending, Event, Party, Record, RecordBody, Who};
use hil_wire::{
    http::Request,
    ota_rpc::{Frame, Id, Outcome, uart::Crc},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use stream::Line;

/// Remembers open exchanges, connections, and calls by id.
#[derive(Default)]
pub(crate) struct OtaRpcView {
    exchanges: BTreeMap<u32, exchange::Open>,
    connections: BTreeMap<u32, Connection>,
    /// Ids of calls whose form carries none, by method, in the order they were made.
    announced: Vec<(String, Value)>,
    /// Connections to the broker.
    clients: BTreeMap<u32, broker::Client>,
    broker: broker::Broker,
}

/// A connection between caller and unit.
struct Connection {
    face: String,
    by: Party,
    socket: bool,
    /// Text of a fragmented message, by sender.
    fragments: BTreeMap<Party, Vec<u8>>,
    line: Line,
    /// Calls not answered yet.
    calls: Vec<(Id, String)>,
}

impl View for OtaRpcView {
    fn events(&mut self, record: &Record) -> Vec<Event> {
        match &record.what {
            RecordBody::ConnectionOpened { connection, face, .. } if face == "mqtt-broker" => {
                self.clients.insert(*connection, broker::Client::default());
                Vec::new()
            }
            RecordBody::ConnectionOpened { connection, face, by } => {
                let opened = Connection {
                    face: face.clone(),
                    by: *by,
                    socket: false,
                    fragments: BTreeMap::new(),
                    line: Line::default(),
                    calls: Vec::new(),
                };
                self.connections.insert(*connection, opened);
                Vec::new()
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
                self.request(record, *exchange, face, *from, &request)
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
                let open = self.exchanges.remove(exchange);
                open.map(|open| open.answered(record, &response, *ending))
                    .into_iter()
                    .collect()
            }
            RecordBody::HttpUnanswered { exchange, .. } => {
                self.exchanges.remove(exchange);
                Vec::new()
            }
            RecordBody::WebSocketOpened { connection, .. } => {
                let Some(opened) = self.connections.get_mut(connection) else {
                    return Vec::new();
                };
                opened.socket = true;
                if opened.by == Party::Unit {
                    return vec![event(record, Who::Unit, "socket", fields(json!({"by": "unit"})))];
                }
                Vec::new()
            }
            RecordBody::WebSocketFrame {
                connection,
                from,
                opcode,
                fin,
                payload,
            } => {
                let Some(open) = self.connections.get_mut(connection) else {
                    return Vec::new();
                };
                if *opcode > 2 {
                    return Vec::new();
                }
                let message = open.fragments.entry(*from).or_default();
                message.extend_from_slice(payload.bytes());
                if !fin {
                    return Vec::new();
                }
                let message = std::mem::take(message);
                open.message(record, *from, &message, Seen::Socket)
                    .into_iter()
                    .collect()
            }
            RecordBody::Bytes {
                connection,
                from,
                payload,
            } => {
                let bytes = payload.bytes();
                if let Some(client) = self.clients.get_mut(connection) {
                    return client.bytes(record, *from, bytes, &mut self.broker);
                }
                let open = self.connections.get_mut(connection);
                open.map_or_else(Vec::new, |open| open.bytes(record, *from, bytes))
            }
            RecordBody::ConnectionClosed {
                connection, ending, ..
            } => self.closed(record, *connection, *ending),
            RecordBody::Cloud { name, facts } if name == "calling" => {
                self.announce(facts);
                Vec::new()
            }
            _ => common_event(record).into_iter().collect(),
        }
    }
}

/// What a frame came in.
enum Seen {
    Socket,
    Serial { crc: Crc, quotes: bool },
}

impl OtaRpcView {
    /// A call is about to be made; forms without an id are known by it.
    fn announce(&mut self, facts: &Map<String, Value>) {
        let word = |name: &str| facts.get(name).and_then(Value::as_str);
        if let (Some("rest" | "query"), Some(method), Some(id)) =
            (word("transport"), word("method"), facts.get("id"))
        {
            self.announced.push((method.to_owned(), id.clone()));
        }
    }

    fn request(
        &mut self,
        record: &Record,
        exchange: u32,
        face: &str,
        from: Party,
        request: &Request,
    ) -> Vec<Event> {
        let announced = &mut self.announced;
        let id_of = |method: &str| {
            let position = announced.iter().position(|(known, _)| known == method)?;
            Some(announced.remove(position).1)
        };
        match exchange::read(record, face, from, request, id_of) {
            Some((open, event)) => {
                self.exchanges.insert(exchange, open);
                event.into_iter().collect()
            }
            None => Vec::new(),
        }
    }

    fn closed(&mut self, record: &Record, connection: u32, ending: Ending) -> Vec<Event> {
        if let Some(client) = self.clients.remove(&connection) {
            return client.closed(record).into_iter().collect();
        }
        let Some(connection) = self.connections.remove(&connection).filter(|open| open.socket) else {
            return Vec::new();
        };
        let facts = json!({"by": opener(connection.by), "ending": ending});
        vec![event(record, Who::Unit, "socket_closed", fields(facts))]
    }
}

impl Connection {
    fn transport(&self) -> &'static str {
        match (self.face.as_str(), self.by) {
            ("rpc-serial", _) => "serial",
            (_, Party::Unit) => "unit_websocket",
            _ => "websocket",
        }
    }

    /// A whole frame; `None` if it is none or says nothing new.
    fn message(&mut self, record: &Record, from: Party, json: &[u8], seen: Seen) -> Option<Event> {
        let frame = hil_wire::ota_rpc::decode(json).value?;
        let mut facts = json!({"transport": self.transport()});
        if let Seen::Serial { crc, quotes } = seen {
            facts["checksum"] = json!(checksum(crc));
            facts["quotes"] = json!(quotes);
        }
        if from == Party::Unit {
            frame.outcome()?;
            let position = frame
                .id
                .as_ref()
                .and_then(|id| self.calls.iter().position(|(asked, _)| asked.answers(id)));
            if let Some(position) = position {
                let (_, method) = self.calls.remove(position);
                facts["method"] = json!(method);
            }
            describe_reply(&frame, &mut facts);
            return Some(event(record, Who::Unit, "reply", fields(facts)));
        }
        let method = frame.called_method()?.to_owned();
        describe_call(&frame, &mut facts);
        if let Some(id) = frame.id {
            self.calls.push((id, method));
        }
        Some(event(record, Who::Cloud, "call", fields(facts)))
    }
}

/// What a call says.
fn describe_call(frame: &Frame, facts: &mut Value) {
    facts["id"] = json!(frame.id.as_ref().map(Id::to_value));
    facts["method"] = json!(frame.called_method());
    facts["args"] = json!(frame.arguments());
    facts["notification"] = json!(frame.id.is_none());
    facts["credentials"] = json!(frame.auth.is_some());
    facts["src"] = json!(frame.src);
    facts["dst"] = json!(frame.dst);
    facts["tag"] = json!(frame.tag);
}

/// What a reply says.
fn describe_reply(frame: &Frame, facts: &mut Value) {
    facts["id"] = json!(frame.id.as_ref().map(Id::to_value));
    facts["src"] = json!(frame.src);
    facts["dst"] = json!(frame.dst);
    facts["tag"] = json!(frame.tag);
    facts["result"] = json!(frame.result);
    if let Some(result) = &frame.result {
        facts["version"] = json!(result.get("fw_version"));
        facts["uptime"] = json!(result.get("uptime"));
    }
    facts["ok"] = json!(matches!(frame.outcome(), Some(Outcome::Success { .. })));
    if let Some(error) = &frame.error {
        facts["error_code"] = json!(error.code);
        facts["message"] = json!(error.message);
    }
}

fn opener(by: Party) -> &'static str {
    match by {
        Party::Unit => "unit",
        _ => "caller",
    }
}

fn checksum(crc: Crc) -> &'static str {
    match crc {
        Crc::Absent => "absent",
        Crc::Valid => "valid",
        Crc::Wrong { .. } => "wrong",
    }
}
