//! The AosEdge protocol in words: discovery, upgrade, messages by their type, blobs, and what becomes of connections.

use super::{
    View,
    aos_glimpse::Glimpse,
    common::{common_event, event, fields},
};
use hil_trace::{
    CertificateFacts, Ending, Event, HttpEnding, PLAIN_INSTEAD_OF_TLS, Party, Record, RecordBody, Who,
};
use hil_wire::{
    OddityKind,
    aos::{Dialect, Direction, decode},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Follows connections, open exchanges, fragments, and the types behind transactions.
pub(crate) struct AosView {
    dialect: Dialect,
    faces: BTreeMap<u32, String>,
    peers: BTreeMap<u32, CertificateFacts>,
    exchanges: BTreeMap<u32, Exchange>,
    sockets: BTreeMap<u32, Fragments>,
    /// Messages by sender and transaction: their type, and how often they were sent.
    sent: BTreeMap<(Party, String), (String, u64)>,
}

struct Exchange {
    record: u64,
    name: &'static str,
}

/// What came of a message that is not whole yet, by sender.
#[derive(Default)]
struct Fragments {
    of_unit: Vec<u8>,
    of_cloud: Vec<u8>,
}

impl AosView {
    pub(crate) fn new(ics: &Map<String, Value>) -> Self {
        AosView {
            dialect: dialect(ics),
            faces: BTreeMap::new(),
            peers: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            sockets: BTreeMap::new(),
            sent: BTreeMap::new(),
        }
    }
}

/// The dialect the unit speaks, by its ICS.
pub(crate) fn dialect(ics: &Map<String, Value>) -> Dialect {
    match ics.get("dialect").and_then(Value::as_str) {
        Some("publisher") => Dialect::Publisher,
        _ => Dialect::Seed,
    }
}

impl View for AosView {
    fn events(&mut self, record: &Record) -> Vec<Event> {
        match &record.what {
            RecordBody::ConnectionOpened { connection, face, .. } => {
                self.faces.insert(*connection, face.clone());
                Vec::new()
            }
            RecordBody::TlsEstablished {
                connection,
                peer: Some(peer),
                ..
            } => {
                self.peers.insert(*connection, peer.clone());
                Vec::new()
            }
            RecordBody::TlsRefused { connection, reason } => {
                let face = self.faces.get(connection);
                if reason == PLAIN_INSTEAD_OF_TLS {
                    return vec![event(record, Who::Unit, "plain", fields(json!({"face": face})))];
                }
                let facts = json!({"face": face, "reason": reason});
                vec![event(record, Who::Unit, "tls_refused", fields(facts))]
            }
            RecordBody::HttpRequest {
                connection,
                exchange,
                face,
                from: Party::Unit,
                method,
                target,
                headers,
                body,
            } => {
                let peer = self.peers.get(connection);
                let path = target.split('?').next().unwrap_or_default();
                let (name, facts) = match face.as_str() {
                    "aos-discovery" => {
                        let body: Value = serde_json::from_slice(body.bytes()).unwrap_or(Value::Null);
                        let facts = json!({
                            "method": method,
                            "path": path,
                            "systemId": body.get("systemId"),
                            "version": body.get("version"),
                            "supportedProtocols": body.get("supportedProtocols"),
                            "common_name": peer.map(|peer| &peer.common_name),
                        });
                        ("discovery", facts)
                    }
                    "aos-websocket" => {
                        let facts = json!({
                            "path": path,
                            "bearer": headers.get("Authorization"),
                            "common_name": peer.map(|peer| &peer.common_name),
                            "serial": peer.map(|peer| &peer.serial),
                        });
                        ("upgrade", facts)
                    }
                    "aos-blobs" => ("download", json!({"path": path, "range": headers.get("Range")})),
                    _ => return Vec::new(),
                };
                let open = Exchange {
                    record: record.seq,
                    name,
                };
                self.exchanges.insert(*exchange, open);
                vec![event(record, Who::Unit, name, fields(facts))]
            }
            RecordBody::HttpResponse {
                exchange,
                from: Party::Cloud,
                status,
                body,
                ending,
                ..
            } => {
                let Some(open) = self.exchanges.remove(exchange) else {
                    return Vec::new();
                };
                let (name, facts) = answer(open.name, *status, body.bytes(), body.length(), *ending);
                let mut event = event(record, Who::Cloud, name, fields(facts));
                event.records.insert(0, open.record);
                vec![event]
            }
            RecordBody::WebSocketOpened { connection, .. } => {
                self.sockets.insert(*connection, Fragments::default());
                let peer = self.peers.get(connection);
                let facts = json!({
                    "connection": connection,
                    "common_name": peer.map(|peer| &peer.common_name),
                    "serial": peer.map(|peer| &peer.serial),
                });
                vec![event(record, Who::Unit, "connected", fields(facts))]
            }
            RecordBody::ConnectionClosed {
                connection,
                ending,
                by,
            } => {
                if self.sockets.remove(connection).is_none() {
                    return Vec::new();
                }
                let ending = match ending {
                    Ending::Fin => "fin",
                    Ending::Reset => "reset",
                    Ending::Broken => "broken",
                };
                let by = if *by == Party::Unit { "unit" } else { "cloud" };
                let facts = json!({"connection": connection, "ending": ending, "by": by});
                vec![event(record, Who::Unit, "disconnected", fields(facts))]
            }
            RecordBody::WebSocketFrame {
                connection,
                from,
                opcode,
                fin,
                payload,
            } => self.frame(record, *connection, *from, *opcode, *fin, payload.bytes()),
            _ => common_event(record).into_iter().collect(),
        }
    }
}

impl AosView {
    fn frame(
        &mut self,
        record: &Record,
        connection: u32,
        from: Party,
        opcode: u8,
        fin: bool,
        payload: &[u8],
    ) -> Vec<Event> {
        let who = if from == Party::Unit {
            Who::Unit
        } else {
            Who::Cloud
        };
        let text = || String::from_utf8_lossy(payload).into_owned();
        let control = |name: &str, facts: Value| vec![event(record, who, name, fields(facts))];
        match opcode {
            8 => {
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                return control("close", json!({"code": code}));
            }
            9 => return control("ping", json!({"payload": text(), "hex": hex::encode(payload)})),
            10 => return control("pong", json!({"payload": text(), "hex": hex::encode(payload)})),
            1 => {
                let facts = json!({"reason": "a text frame", "opcode": 1});
                return control("unreadable", facts);
            }
            _ => {}
        }
        let fragments = self.sockets.entry(connection).or_default();
        let whole = if from == Party::Unit {
            &mut fragments.of_unit
        } else {
            &mut fragments.of_cloud
        };
        if !fin || !whole.is_empty() {
            whole.extend_from_slice(payload);
        }
        if !fin {
            return Vec::new();
        }
        let whole = std::mem::take(whole);
        let whole = if whole.is_empty() { payload } else { &whole };
        vec![self.message(record, connection, from, who, whole)]
    }

    fn message(&mut self, record: &Record, connection: u32, from: Party, who: Who, payload: &[u8]) -> Event {
        let direction = match who {
            Who::Unit => Direction::UnitToCloud,
            _ => Direction::CloudToUnit,
        };
        let decoded = decode(payload, direction, self.dialect);
        let valid = decoded.is_valid();
        let readable = decoded
            .value
            .as_ref()
            .and_then(|envelope| envelope.data.message_type());
        let (Some(envelope), Some(message_type), true) = (&decoded.value, readable, valid) else {
            let worst = decoded
                .oddities
                .iter()
                .find(|oddity| oddity.weight == hil_wire::Weight::Invalid);
            let reason = worst.map(|oddity| format!("{} {}", oddity.path, oddity.detail));
            let glimpse = match &decoded.value {
                Some(envelope) => Glimpse {
                    txn: Some(envelope.header.txn.clone()),
                    message: readable.map(|message| message.to_string()),
                    too_deep: false,
                },
                None => Glimpse::of(payload),
            };
            let mut facts = fields(json!({
                "reason": reason,
                "message": glimpse.message,
                "txn": glimpse.txn,
                "connection": connection,
                "opcode": 2,
            }));
            if glimpse.too_deep {
                facts.insert("too_deep".to_owned(), json!(true));
            }
            return event(record, who, "unreadable", facts);
        };
        let name = message_type.to_string();
        let txn = envelope.header.txn.clone();
        let mut facts = members(&serde_json::to_value(&envelope.data).unwrap_or_default());
        if envelope.is_acknowledgement() {
            let other = if from == Party::Unit {
                Party::Cloud
            } else {
                Party::Unit
            };
            if let Some((answered, _)) = self.sent.get(&(other, txn.clone())) {
                facts.insert("message".to_owned(), json!(answered));
            }
            let unknown = decoded.oddities.iter();
            let unknown = unknown.filter(|oddity| oddity.kind == OddityKind::UnknownMember);
            let more: Vec<&str> = unknown
                .filter_map(|oddity| oddity.path.strip_prefix("/data/"))
                .collect();
            if !more.is_empty() {
                facts.insert("more".to_owned(), json!(more));
            }
        } else {
            let known = self.sent.entry((from, txn.clone())).or_insert((name.clone(), 0));
            known.1 += 1;
            facts.insert("copy".to_owned(), json!(known.1));
        }
        facts.insert("txn".to_owned(), json!(txn));
        facts.insert("connection".to_owned(), json!(connection));
        event(record, who, &name, facts)
    }
}

fn members(data: &Value) -> Map<String, Value> {
    let mut members = data.as_object().cloned().unwrap_or_default();
    members.shift_remove("messageType");
    members
}

fn answer(name: &str, status: u16, body: &[u8], length: u64, ending: HttpEnding) -> (&'static str, Value) {
    match name {
        "discovery" => {
            let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
            let facts = json!({
                "http_status": status,
                "connectionInfo": body.get("connectionInfo"),
                "nextRequestDelay": body.get("nextRequestDelay"),
                "errorCode": body.get("errorCode"),
                "authToken": body.get("authToken"),
            });
            ("discovery_answer", facts)
        }
        "upgrade" => ("upgrade_answer", json!({"http_status": status})),
        _ => {
            let complete = ending == HttpEnding::Complete;
            let facts = json!({"http_status": status, "bytes": length, "complete": complete});
            ("download_answer", facts)
        }
    }
}
