//! The cloud of the AosEdge protocol, version 7: service discovery, a WebSocket for messages, and encrypted blobs.
//! "Reference" in this module means the factual reference of the protocol.

mod act;
mod act_send;
mod blob;
mod certificate;
mod connect;
mod desire;
mod document;
mod inbox;
mod message;
mod nodes;
mod patience;
mod sealed;
#[cfg(test)]
mod tests;

use super::{ActError, Core, HttpCall, Now, Operation, Outputs, RedirectPlaces, Security, Send};
use crate::{settings::CloudSettings, store::Change};
use blob::{Blob, BlobAnswer};
use certificate::Issuing;
use connect::{Connected, Discovery, Left};
use desire::SIGNERS;
use hil_fault::{Artifact, MessagePlaces};
use hil_link::pki::{Authority, Identity};
use hil_trace::Stamp;
use hil_wire::{aos::Dialect, http::Response};
use message::Outgoing;
use nodes::Nodes;
use patience::Patience;
use rand::{SeedableRng, rngs::SmallRng};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// The face of service discovery (mutual TLS).
pub const DISCOVERY: &str = "aos-discovery";
/// The face of the WebSocket (mutual TLS).
pub const WEBSOCKET: &str = "aos-websocket";
/// The face blobs are fetched from (TLS).
pub const BLOBS: &str = "aos-blobs";
/// The HTTP faces.
pub(crate) const FACES: &[&str] = &[DISCOVERY, WEBSOCKET, BLOBS];

/// Where the faces are, as units are told; `https://host:port` or `http://host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Urls {
    /// Of service discovery.
    pub discovery: String,
    /// Of the WebSocket.
    pub websocket: String,
    /// Of blobs.
    pub blobs: String,
}

/// State of the cloud. What it promised to a unit (messages not yet acknowledged, blobs, the desired status) is in
/// the store as well.
pub struct AosCloud {
    settings: CloudSettings,
    urls: Urls,
    authority: Rc<Authority>,
    dialect: Dialect,
    random: SmallRng,
    discovery: Discovery,
    connected: Option<Connected>,
    left: Vec<Left>,
    /// Messages for the unit it has not acknowledged, in order.
    outgoing: BTreeMap<u64, Outgoing>,
    next_outgoing: u64,
    /// Transactions of the unit that took effect.
    handled: BTreeSet<String>,
    /// Members of the last desired status.
    desired: Map<String, Value>,
    signers: Option<Value>,
    blobs: BTreeMap<String, Blob>,
    blob_answer: BlobAnswer,
    issuing: Issuing,
    /// Certificate requests of nodes under provisioning: type and request.
    node_requests: BTreeMap<String, Vec<(String, String)>>,
    state_answer: Option<(String, String)>,
    nodes: Nodes,
    patience: Patience,
    /// PEM.
    offline_certificate: Option<String>,
}

impl AosCloud {
    /// An empty cloud whose authority signs the certificates of the unit. Options: `dialect` (`seed`, `publisher`),
    /// `bearer` (demand the token of discovery), `next_request_delay` (milliseconds), `unsettled` (the unit runs already
    /// and is sent to discovery first),
    /// `offline_certificate` (PEM; the one made for the unit if not given), `ack_timeout` (seconds until a message counts as not acknowledged; 0 waits for ever), `node_password`.
    pub fn new(settings: CloudSettings, urls: Urls, authority: Rc<Authority>) -> Self {
        let dialect = match settings.text("dialect") {
            Some("publisher") => Dialect::Publisher,
            _ => Dialect::Seed,
        };
        let ack_timeout = settings.options.get("ack_timeout").and_then(Value::as_f64);
        AosCloud {
            nodes: Nodes::default(),
            offline_certificate: None,
            patience: Patience::new(ack_timeout.unwrap_or(patience::ACK_TIMEOUT)),
            discovery: Discovery::new(&settings),
            random: SmallRng::seed_from_u64(settings.seed ^ 0x61_6f73_7637),
            settings,
            urls,
            authority,
            dialect,
            connected: None,
            left: Vec::new(),
            outgoing: BTreeMap::new(),
            next_outgoing: 1,
            handled: BTreeSet::new(),
            desired: Map::new(),
            signers: None,
            blobs: BTreeMap::new(),
            blob_answer: BlobAnswer::default(),
            issuing: Issuing::default(),
            node_requests: BTreeMap::new(),
            state_answer: None,
        }
    }

    fn system_id(&self) -> &str {
        &self.settings.unit_id
    }

    /// The password nodes of the unit are provisioned with.
    fn node_password(&self) -> &str {
        self.settings.text("node_password").unwrap_or(NODE_PASSWORD)
    }
}

impl Core for AosCloud {
    fn faces(&self) -> &'static [&'static str] {
        FACES
    }

    fn face_security(&self, face: &str) -> Option<Security> {
        if self.settings.options.get("tls") == Some(&Value::Bool(false)) {
            return Some(Security::Plain);
        }
        Some(match face {
            BLOBS => Security::Tls,
            _ => Security::MutualTls,
        })
    }

    fn identities(&self) -> Vec<(String, String)> {
        let id = self.system_id();
        vec![
            ("online".to_owned(), id.to_owned()),
            ("offline".to_owned(), format!("{id}-offline")),
        ]
    }

    fn identity_key(&self, name: &str) -> Option<&'static str> {
        (name == "offline").then_some(sealed::OFFLINE_KEY)
    }

    fn identified(&mut self, identities: &BTreeMap<String, Identity>) {
        let kept = self.settings.text("offline_certificate").map(str::to_owned);
        let made = identities.get("offline");
        self.offline_certificate = kept.or(made.map(|identity| identity.certificate_chain.clone()));
    }

    fn collections(&self) -> &'static [&'static str] {
        &[document::OUTGOING, document::STATE, document::BLOBS]
    }

    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>) {
        for (collection, documents) in documents {
            for (key, document) in documents {
                // This very cloud has run before.
                self.discovery.unasked = false;
                self.load_document(collection, &key, &document);
            }
        }
    }

    fn operation(&self, call: HttpCall<'_>) -> Operation {
        let name = match call.face {
            DISCOVERY => "discovery",
            WEBSOCKET => "upgrade",
            _ => "blob",
        };
        let path = call.request.path();
        let mut facts = Map::from_iter([("path".to_owned(), json!(path))]);
        if let Some(blob) = self.blob_at(path).filter(|_| name == "blob") {
            facts.insert("artifact".to_owned(), json!(blob.role));
            facts.insert("part".to_owned(), json!(blob.part));
        }
        Operation {
            name: name.to_owned(),
            facts,
        }
    }

    fn http(&mut self, now: Now, call: HttpCall<'_>, _: &mut Outputs) -> Response {
        match call.face {
            DISCOVERY => self.discover(now, call),
            WEBSOCKET => connect::no_upgrade(call),
            _ => self.download(call),
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
        let elsewhere = match call.face {
            BLOBS => &self.urls.discovery,
            _ => &self.urls.blobs,
        };
        RedirectPlaces {
            second: Some(format!("{elsewhere}{}", call.request.target)),
            ..RedirectPlaces::of(elsewhere, call.request)
        }
    }

    fn upgrade(&mut self, _: Now, call: HttpCall<'_>, _: &mut Outputs) -> Result<(), Response> {
        self.check_upgrade(call)
    }

    fn websocket_opened(&mut self, now: Now, connection: u32, _: HttpCall<'_>, out: &mut Outputs) {
        self.opened(now, connection, out);
    }

    fn nack_for(
        &self,
        operation: &Operation,
        payload: &[u8],
        retry_after_ms: Option<i64>,
    ) -> Option<Vec<u8>> {
        if operation.name != "ack" {
            return None;
        }
        message::nack_from_ack(payload, retry_after_ms)
    }

    fn places(&self) -> MessagePlaces {
        MessagePlaces {
            transaction: Some(&["header", "txn"]),
            kind: Some(&["data", "messageType"]),
            version: Some(&["header", "version"]),
            content: &["data"],
        }
    }

    fn websocket_message(
        &mut self,
        now: Now,
        connection: u32,
        opcode: u8,
        payload: &[u8],
        out: &mut Outputs,
    ) {
        // Text frames are no messages of this protocol (reference section 1.2); control frames need nothing more.
        if opcode == message::BINARY {
            self.receive(now, connection, payload, out);
        } else if opcode == message::TEXT {
            out.note("refused", json!({"reason": "a text frame"}));
        }
    }

    fn connection_closed(&mut self, _: Now, connection: u32, _: &mut Outputs) {
        self.forget_left(connection);
        if self
            .connected
            .as_ref()
            .is_some_and(|open| open.connection == connection)
        {
            self.connected = None;
            self.patience.forget();
        }
    }

    fn next_wake(&self) -> Option<Stamp> {
        let wakes = [self.patience.deadline(), self.next_left()];
        wakes.into_iter().flatten().min()
    }

    fn wake(&mut self, now: Now, out: &mut Outputs) {
        self.close_left(now, out);
        self.lose_patience(now, out);
    }

    fn endpoints(&self, url: &dyn Fn(&str) -> String) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("discovery_url".to_owned(), format!("{}/sd/v7/", url(DISCOVERY))),
            ("system_id".to_owned(), self.system_id().to_owned()),
            ("node_password".to_owned(), self.node_password().to_owned()),
        ])
    }

    fn is_operator(&self, _: HttpCall<'_>) -> bool {
        false
    }
}

/// The password unless the option `node_password` names another.
const NODE_PASSWORD: &str = "hil-Passw0rd";
