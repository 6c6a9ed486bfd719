//! The cloud's side of SOTA: the authentication server and Core the client polls, and the harness as commander of its
//! gateways and as the external installer (reference sections 1 to 4).

mod act;
mod bus;
mod bus_call;
mod command;
#[cfg(test)]
mod fixture_tests;
mod gateway;
mod operator;
#[cfg(test)]
mod tests;
mod token;
mod unit_calls;
mod update;

use super::{ActError, Core, HttpCall, Now, Operation, Outputs, RedirectPlaces};
use crate::settings::CloudSettings;
use bus::Bus;
use gateway::Gateways;
use hil_fault::{Artifact, MessagePlaces};
use hil_wire::{
    dbus::BusAddress,
    http::{Request, Response},
    sota::{Dialect, Package, core::Call},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};
use token::Tokens;
use update::StoredUpdate;

/// The authentication server.
pub const AUTH: &str = "sota-auth";
/// Core.
pub const CORE: &str = "sota-core";
/// The origin of redirected downloads.
pub const SECOND_ORIGIN: &str = "sota-second";
/// Where the external installer listens for events.
pub const EVENTS: &str = "sota-events";
/// The private bus of the D-Bus gateway.
pub const BUS: &str = "sota-bus";
/// The HTTP faces.
pub(crate) const FACES: &[&str] = &[AUTH, CORE, SECOND_ORIGIN];

/// State of the cloud; updates, images and tokens are in the store as well.
#[derive(Debug)]
pub struct SotaCloud {
    settings: CloudSettings,
    core_url: String,
    second_url: String,
    /// UUID of the device.
    device: String,
    dialect: Dialect,
    tokens: Tokens,
    /// In order of queueing.
    updates: Vec<StoredUpdate>,
    images: BTreeMap<String, Vec<u8>>,
    /// The install queue is blocked after a failed update.
    blocked: bool,
    installed: Vec<Package>,
    system_info: Option<Vec<u8>>,
    gateways: Gateways,
    bus: Bus,
    next_id: u64,
}

impl SotaCloud {
    /// An empty cloud. The URLs are where units reach Core and the second origin, without trailing slash.
    pub fn new(settings: CloudSettings, core_url: String, second_url: String) -> Self {
        let dialect = match settings.text("dialect") {
            Some("serde") => Dialect::Serde,
            _ => Dialect::Rustc,
        };
        let device = update::device_uuid(&settings.unit_id);
        SotaCloud {
            core_url: settings.public_url.clone().unwrap_or(core_url),
            second_url,
            tokens: Tokens::new(&settings, &device),
            device,
            dialect,
            updates: Vec::new(),
            images: BTreeMap::new(),
            blocked: false,
            installed: Vec::new(),
            system_info: None,
            gateways: Gateways::default(),
            bus: Bus::new(
                settings.seed,
                settings.options.get("software_manager") != Some(&Value::Bool(false)),
            ),
            next_id: 1,
            settings,
        }
    }

    fn download_url(&self, origin: &str, request: &Request) -> String {
        match Call::parse(&request.method, &request.target) {
            Ok(Call::Download { update, .. }) => format!("{origin}/moved/{update}"),
            _ => format!("{origin}{}", request.target),
        }
    }
}

impl Core for SotaCloud {
    fn faces(&self) -> &'static [&'static str] {
        FACES
    }

    fn byte_faces(&self) -> &'static [&'static str] {
        &[EVENTS, BUS]
    }

    fn collections(&self) -> &'static [&'static str] {
        &[
            update::COLLECTION,
            update::IMAGES,
            token::COLLECTION,
            update::DEVICE,
        ]
    }

    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>) {
        for (collection, documents) in documents {
            for (key, document) in documents {
                self.load_document(collection, key, document);
            }
        }
        self.updates.sort_by_key(|update| update.number);
        self.next_id = self.updates.last().map_or(1, |update| update.number + 1);
    }

    fn operation(&self, call: HttpCall<'_>) -> Operation {
        let (name, facts) = match Call::parse(&call.request.method, &call.request.target) {
            _ if call.face == SECOND_ORIGIN => ("download", json!({"origin": "second"})),
            Ok(Call::Token) => ("token", json!({})),
            Ok(Call::Updates { .. }) => ("updates", json!({})),
            Ok(Call::Download { update, .. }) => ("download", json!({"id": update, "origin": "core"})),
            Ok(Call::Report { update, .. }) => ("report", json!({"id": update})),
            Ok(Call::Installed { .. }) => ("installed", json!({})),
            Ok(Call::SystemInfo { .. }) => ("system_info", json!({})),
            _ if update::moved(call.request.path()).is_some() => ("moved", json!({})),
            _ => ("other", json!({})),
        };
        Operation {
            name: name.to_owned(),
            facts: facts.as_object().cloned().unwrap_or_default(),
        }
    }

    fn http(&mut self, now: Now, call: HttpCall<'_>, out: &mut Outputs) -> Response {
        let request = call.request;
        if let Some(update) = update::moved(request.path())
            && call.face != AUTH
        {
            return self.download(now, update, out);
        }
        let parsed = match Call::parse(&request.method, &request.target) {
            Ok(parsed) => parsed,
            Err(error) => return operator::misrouted(error),
        };
        match (call.face, parsed) {
            (AUTH, Call::Token) => self.token(request, out),
            (AUTH, Call::RegisterClient) => self.register_client(request),
            (CORE, Call::RegisterDevice) => self.register_device(request),
            (CORE, Call::QueueUpdate { device }) => self.operator_queue(now, &device, request, out),
            (CORE, Call::BlockQueue { device }) => self.operator_block(&device, true, request, out),
            (CORE, Call::UnblockQueue { device }) => self.operator_block(&device, false, request, out),
            (CORE, parsed) if parsed.device().is_some() => self.unit_call(now, &parsed, request, out),
            _ => operator::misrouted(hil_wire::sota::core::RouteError::NotFound),
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
        let download = matches!(
            Call::parse(&call.request.method, &call.request.target),
            Ok(Call::Download { .. })
        );
        RedirectPlaces {
            moved: download.then(|| self.download_url(&self.core_url, call.request)),
            second: Some(self.download_url(&self.second_url, call.request)),
            ..RedirectPlaces::of(&self.core_url, call.request)
        }
    }

    fn places(&self) -> MessagePlaces {
        MessagePlaces {
            kind: Some(&["variant"]),
            ..MessagePlaces::default()
        }
    }

    fn line_operation(&self, connection: u32, line: &[u8]) -> Operation {
        if self.bus.has(connection) {
            return Operation::default();
        }
        Operation {
            name: if line.trim_ascii().is_empty() {
                ""
            } else {
                "answer"
            }
            .to_owned(),
            facts: Map::new(),
        }
    }

    fn bytes(&mut self, _: Now, connection: u32, payload: &[u8], out: &mut Outputs) {
        match self.bus.has(connection) {
            true => self.bus.bytes(connection, payload, out),
            false => self.gateways.bytes(connection, payload, out),
        }
    }

    fn stream_opened(&mut self, _: Now, connection: u32, face: &str, out: &mut Outputs) {
        if face == BUS {
            self.bus.opened(connection, out);
        }
    }

    fn connect_patience(&self) -> Duration {
        PATIENCE
    }

    fn link_opened(&mut self, _: Now, link: u64, result: Result<u32, String>, out: &mut Outputs) {
        self.gateways.opened(link, result, out);
    }

    fn connection_closed(&mut self, _: Now, connection: u32, out: &mut Outputs) {
        match self.bus.has(connection) {
            true => self.bus.closed(connection, out),
            false => self.gateways.closed(connection, out),
        }
    }

    fn answered(&mut self, _: Now, call: u64, result: Result<Response, String>, out: &mut Outputs) {
        self.gateways.answered(call, result, out);
    }

    fn next_wake(&self) -> Option<hil_trace::Stamp> {
        [self.gateways.next_wake(), self.bus.next_wake()]
            .into_iter()
            .flatten()
            .min()
    }

    fn wake(&mut self, now: Now, out: &mut Outputs) {
        self.gateways.wake(now.stamp, out);
        self.bus.wake(now.stamp, out);
    }

    fn endpoints(&self, url: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        let core = self.settings.public_url.clone().unwrap_or_else(|| url(CORE));
        let events = url(EVENTS);
        let events = events
            .strip_prefix("tcp://")
            .or(events.strip_prefix("unix:"))
            .unwrap_or_default();
        let mut endpoints = BTreeMap::from([
            ("core_url".to_owned(), core),
            ("device_uuid".to_owned(), self.device.clone()),
            ("device_id".to_owned(), self.device.clone()),
            ("events_socket".to_owned(), events.to_owned()),
            ("dbus_address".to_owned(), bus_address(&url(BUS))),
        ]);
        // Empty without authentication: a template of the unit's configuration names them all the same.
        let credentials = &self.tokens.credentials;
        let told = [
            ("auth_url", url(AUTH)),
            ("client_id", credentials.client_id.clone()),
            ("client_secret", credentials.client_secret.clone()),
        ];
        for (name, value) in told {
            let value = if self.tokens.needed { value } else { String::new() };
            endpoints.insert(name.to_owned(), value);
        }
        endpoints
    }

    fn is_operator(&self, call: HttpCall<'_>) -> bool {
        matches!(
            Call::parse(&call.request.method, &call.request.target),
            Ok(Call::QueueUpdate { .. }
                | Call::BlockQueue { .. }
                | Call::UnblockQueue { .. }
                | Call::RegisterDevice
                | Call::RegisterClient)
        )
    }
}

/// The address of the bus as D-Bus writes it; empty if it is not open.
fn bus_address(url: &str) -> String {
    if let Some(path) = url.strip_prefix("unix:") {
        return BusAddress::Path(path.to_owned()).to_string();
    }
    let host = url
        .strip_prefix("tcp://")
        .and_then(|address| address.rsplit_once(':'));
    let parsed = host.and_then(|(host, port)| Some(BusAddress::Host(host.to_owned(), port.parse().ok()?)));
    parsed.map(|address| address.to_string()).unwrap_or_default()
}

/// How long a client may take to open its gateways after a start.
const PATIENCE: Duration = Duration::from_secs(15);
