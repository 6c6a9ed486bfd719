//! The cloud's side of OTA RPC: it calls the unit over HTTP, WebSocket and serial line, serves firmware, takes
//! the WebSocket a unit opens, and is the broker of units that speak MQTT (reference sections 1 to 3).

mod act;
mod broker;
mod call;
mod channel;
mod firmware;
mod published;
mod request;
mod signing;
#[cfg(test)]
mod tests;
mod variant;

use super::{ActError, Core, HttpCall, Now, Operation, Outputs, RedirectPlaces};
use crate::settings::CloudSettings;
use act::Poll;
use broker::Broker;
use call::Pending;
use channel::{Channel, Name};
use hil_fault::{Artifact, MessagePlaces};
use hil_trace::Stamp;
use hil_wire::{http::Response, ota_rpc::mqtt::Publish};
use request::Transport;
use serde_json::{Map, Value, json};
use signing::SigningKeys;
use std::collections::BTreeMap;

/// The face firmware is fetched from.
pub const FIRMWARE: &str = "firmware-host";
/// The face units open a WebSocket to.
pub const RPC_SERVER: &str = "rpc-server";
/// The HTTP faces.
pub(crate) const FACES: &[&str] = &[FIRMWARE, RPC_SERVER];
/// The face units and others reach the MQTT broker on.
pub const BROKER: &str = "mqtt-broker";

/// Faces of the unit.
const UNIT_HTTP: &str = "rpc-http";
const UNIT_WEBSOCKET: &str = "rpc-websocket";
const UNIT_SERIAL: &str = "rpc-serial";

/// State of the cloud; only the archives are in the store as well.
#[derive(Debug)]
pub struct OtaRpcCloud {
    settings: CloudSettings,
    firmware_url: String,
    /// What calls take that name no transport.
    usual: Transport,
    archives: BTreeMap<String, Vec<u8>>,
    signing: &'static SigningKeys,
    pending: BTreeMap<u64, Pending>,
    polls: Vec<Poll>,
    /// The unit may be in any state: nobody provisioned it.
    unsettled: bool,
    /// It is being brought into the declared state.
    settling: bool,
    /// The version the unit said last that it runs.
    running: Option<String>,
    channels: BTreeMap<Name, Channel>,
    broker: Broker,
    /// Connections that are being opened.
    links: BTreeMap<u64, Name>,
    /// Connections that are open.
    connections: BTreeMap<u32, Name>,
    next_call: u64,
    next_poll: u64,
    next_link: u64,
    next_id: i64,
}

impl OtaRpcCloud {
    /// A caller that has called nobody. The URL is where units reach the firmware host, without trailing slash; the
    /// faces are those of the unit that are known at the start.
    pub fn new(settings: CloudSettings, firmware_url: String, unit_faces: &[String]) -> Self {
        OtaRpcCloud {
            usual: Transport::usual(unit_faces, settings.flag("mqtt")),
            firmware_url: settings.public_url.clone().unwrap_or(firmware_url),
            archives: BTreeMap::new(),
            signing: SigningKeys::of(settings.seed),
            pending: BTreeMap::new(),
            polls: Vec::new(),
            unsettled: settings.flag("unsettled"),
            settling: false,
            running: None,
            channels: BTreeMap::new(),
            broker: Broker::default(),
            links: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_call: 1,
            next_poll: 1,
            next_link: 1,
            // Ids look drawn, and differ from run to run.
            next_id: (settings.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 25) as i64,
            settings,
        }
    }
}

impl Core for OtaRpcCloud {
    fn faces(&self) -> &'static [&'static str] {
        FACES
    }

    fn byte_faces(&self) -> &'static [&'static str] {
        &[BROKER]
    }

    fn collections(&self) -> &'static [&'static str] {
        &[firmware::COLLECTION]
    }

    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>) {
        for (key, document) in documents.into_values().flatten() {
            self.load_archive(key, &document);
        }
    }

    fn operation(&self, call: HttpCall<'_>) -> Operation {
        let (name, facts) = match firmware::is_firmware(call.face) {
            true => ("download", json!({"path": call.request.path()})),
            false => ("connect", json!({})),
        };
        Operation {
            name: name.to_owned(),
            facts: facts.as_object().cloned().unwrap_or_default(),
        }
    }

    fn http(&mut self, _: Now, call: HttpCall<'_>, _: &mut Outputs) -> Response {
        match firmware::is_firmware(call.face) {
            true => self.download(call.request),
            false => Response::new(426).header("Upgrade", "websocket"),
        }
    }

    fn act(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError> {
        self.do_action(now, action, with, artifacts, out)
    }

    fn redirect_places(&self, _: Now, call: HttpCall<'_>) -> RedirectPlaces {
        self.redirected(call.request)
    }

    fn upgrade(&mut self, _: Now, call: HttpCall<'_>, _: &mut Outputs) -> Result<(), Response> {
        match call.face == RPC_SERVER {
            true => Ok(()),
            false => Err(Response::new(404)),
        }
    }

    fn subprotocols(&self, _: &str) -> &'static [&'static str] {
        &["json-rpc"]
    }

    fn websocket_opened(&mut self, _: Now, connection: u32, _: HttpCall<'_>, out: &mut Outputs) {
        self.opened(Name::UnitSocket, connection, out);
    }

    fn websocket_message(
        &mut self,
        now: Now,
        connection: u32,
        opcode: u8,
        payload: &[u8],
        out: &mut Outputs,
    ) {
        let name = self.connections.get(&connection).cloned();
        if let (Some(name), 1 | 2) = (name, opcode) {
            self.received(now, &name, payload, out);
        }
    }

    fn places(&self) -> MessagePlaces {
        MessagePlaces {
            transaction: Some(&["id"]),
            kind: Some(&["method"]),
            version: None,
            content: &[],
        }
    }

    fn line_operation(&self, connection: u32, line: &[u8]) -> Operation {
        match self.broker.holds(connection) {
            true => Operation::default(),
            false => self.printed(line),
        }
    }

    fn stream_opened(&mut self, now: Now, connection: u32, _: &str, _: &mut Outputs) {
        self.broker.opened(now, connection);
    }

    fn bytes(&mut self, now: Now, connection: u32, payload: &[u8], out: &mut Outputs) {
        if self.broker.holds(connection) {
            self.broker_heard(now, connection, payload, out);
        } else if let Some(name) = self.connections.get(&connection).cloned() {
            self.received(now, &name, payload, out);
        }
    }

    fn held_back(&mut self, _: Now, publish: &Publish, out: &mut Outputs) {
        self.publish_late(publish, out);
    }

    fn link_opened(&mut self, _: Now, link: u64, result: Result<u32, String>, out: &mut Outputs) {
        let Some(name) = self.links.remove(&link) else {
            return;
        };
        match result {
            Ok(connection) => self.opened(name, connection, out),
            Err(reason) => self.ended(&name, &reason, out),
        }
    }

    fn connection_closed(&mut self, _: Now, connection: u32, out: &mut Outputs) {
        self.broker.closed(connection);
        if let Some(name) = self.connections.remove(&connection) {
            // A newer connection of the same name is not touched.
            if !self.connections.values().any(|other| *other == name) {
                self.ended(&name, "the connection ended", out);
            }
        }
    }

    fn answered(&mut self, _: Now, call: u64, result: Result<Response, String>, out: &mut Outputs) {
        self.exchange_ended(call, result, out);
    }

    fn next_wake(&self) -> Option<Stamp> {
        let calls = self.pending.values().filter_map(|pending| pending.deadline);
        let polls = self.next_poll_at();
        let channels = self.channels.values().filter_map(Channel::next_wake);
        let broker = self.broker.next_wake();
        calls.chain(polls).chain(channels).chain(broker).min()
    }

    fn wake(&mut self, now: Now, out: &mut Outputs) {
        self.broker.wake(now, out);
        self.expire_calls(now, out);
        self.make_polls(now, out);
        self.go_on_with_handshake(now, out);
    }

    fn endpoints(&self, url: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        let server = url(RPC_SERVER).replacen("http", "ws", 1);
        let broker = url(BROKER).replacen("tcp", "mqtt", 1);
        let place = broker.strip_prefix("mqtt://").unwrap_or_default();
        let (host, port) = place.rsplit_once(':').unwrap_or_default();
        let places = [
            ("firmware_url".to_owned(), self.firmware_url.clone()),
            ("rpc_server_url".to_owned(), format!("{server}/rpc")),
            ("mqtt_host".to_owned(), host.to_owned()),
            ("mqtt_port".to_owned(), port.to_owned()),
            ("mqtt_url".to_owned(), broker.clone()),
            ("device_id".to_owned(), self.settings.unit_id.clone()),
        ];
        places.into_iter().chain(self.signing.settings()).collect()
    }

    fn is_operator(&self, _: HttpCall<'_>) -> bool {
        false
    }
}
