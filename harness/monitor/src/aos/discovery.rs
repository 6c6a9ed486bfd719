//! How the unit finds the cloud, and what it presents there (DISC, TLS).

use crate::{Judge, Monitor, Tally, old_tls::turned_down};
use hil_trace::{CertificateFacts, Event, HowClosed, Party, Record, RecordBody, Stamp, TraceHeader};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Follows discoveries and upgrades.
pub(super) struct DiscoveryMonitor {
    faces: BTreeMap<u32, String>,
    peers: BTreeMap<u32, Option<CertificateFacts>>,
    /// WebSockets that are open.
    open: BTreeMap<u32, Open>,
    system_id: Option<String>,
    /// The unit was given a certificate of its own, as units are.
    has_own: bool,
    /// The refusal to come is one that was injected.
    injected: bool,
    discovered: bool,
    paths: Vec<String>,
    token: Option<String>,
    first: Tally,
    body: Tally,
    details: Tally,
    headers: Tally,
    listed: Tally,
    bearer: Tally,
    presented: Tally,
    presented_to_discovery: Tally,
    online: Tally,
    not_offline: Tally,
    version: Tally,
    tls_version: Tally,
    secured: Tally,
}

/// A WebSocket that neither side has ended.
struct Open {
    at: Stamp,
    record: u64,
    /// The cloud was the first to close it.
    closed_by_cloud: bool,
}

impl DiscoveryMonitor {
    pub(super) fn new(header: &TraceHeader) -> Self {
        let given = header.prepare.get("certificate").and_then(Value::as_str);
        DiscoveryMonitor {
            has_own: given.is_none_or(|given| given == "own"),
            injected: false,
            faces: BTreeMap::new(),
            peers: BTreeMap::new(),
            open: BTreeMap::new(),
            system_id: None,
            discovered: false,
            paths: Vec::new(),
            token: None,
            first: Tally::new("AOS7-DISC-001"),
            body: Tally::new("AOS7-DISC-002"),
            details: Tally::new("AOS7-DISC-003"),
            headers: Tally::new("AOS7-DISC-004"),
            listed: Tally::new("AOS7-DISC-005"),
            bearer: Tally::new("AOS7-DISC-013"),
            presented: Tally::new("AOS7-TLS-001"),
            presented_to_discovery: Tally::new("AOS7-TLS-002"),
            online: Tally::new("AOS7-TLS-003"),
            not_offline: Tally::new("AOS7-TLS-009"),
            version: Tally::new("AOS7-CONN-001"),
            tls_version: Tally::new("AOS7-TLS-007"),
            secured: Tally::new("AOS7-TLS-008"),
        }
    }
}

impl Monitor for DiscoveryMonitor {
    fn name(&self) -> &'static str {
        "aos-v7/discovery"
    }

    fn requirements(&self) -> &'static [&'static str] {
        &[
            "AOS7-CONN-001",
            "AOS7-DISC-001",
            "AOS7-DISC-002",
            "AOS7-DISC-003",
            "AOS7-DISC-004",
            "AOS7-DISC-005",
            "AOS7-DISC-013",
            "AOS7-TLS-001",
            "AOS7-TLS-002",
            "AOS7-TLS-003",
            "AOS7-TLS-007",
            "AOS7-TLS-008",
            "AOS7-TLS-009",
        ]
    }

    fn observe(&mut self, record: &Record, events: &[Event], judge: &mut Judge<'_>) {
        match &record.what {
            RecordBody::ConnectionOpened { connection, face, .. } => {
                self.faces.insert(*connection, face.clone());
            }
            RecordBody::TlsRefused { connection, reason } if reason == NO_CERTIFICATE && self.has_own => {
                if std::mem::take(&mut self.injected) {
                    return;
                }
                let face = self.faces.get(connection).map(String::as_str);
                let (tally, where_to) = match face {
                    Some("aos-discovery") => (&mut self.presented_to_discovery, "service discovery"),
                    Some("aos-websocket") => (&mut self.presented, "the WebSocket"),
                    _ => return,
                };
                let text = format!("no client certificate on {where_to}");
                tally.violated(text, vec![record.seq], judge);
            }
            RecordBody::TlsRefused { reason, .. } => {
                if let Some(turned_down) = turned_down(reason) {
                    let text = || format!("a version of TLS below 1.2 was not refused: {reason}");
                    self.tls_version.check(turned_down, text, record.seq, judge);
                }
            }
            RecordBody::TlsEstablished { connection, peer, .. } => {
                self.peers.insert(*connection, peer.clone());
            }
            RecordBody::WebSocketOpened { connection, .. } => {
                let open = Open {
                    at: record.at,
                    record: record.seq,
                    closed_by_cloud: false,
                };
                self.open.insert(*connection, open);
            }
            RecordBody::ConnectionClosed { connection, .. } => {
                self.open.remove(connection);
            }
            RecordBody::WebSocketFrame {
                connection,
                from,
                opcode,
                ..
            } => self.frame(*connection, *from, *opcode, record, judge),
            RecordBody::HttpRequest {
                connection,
                face,
                from: Party::Unit,
                method,
                target,
                headers,
                body,
                ..
            } => match face.as_str() {
                "aos-discovery" => {
                    let right = method == "POST" && target.starts_with("/sd/v7");
                    let text = || format!("service discovery by {method} {target}");
                    self.first.check(right, text, record.seq, judge);
                    self.discovered = true;
                    let parsed: Value = serde_json::from_slice(body.bytes()).unwrap_or(Value::Null);
                    let id = parsed["systemId"].as_str();
                    let text = || "the body is no JSON with the text `systemId`".to_owned();
                    self.body.check(id.is_some(), text, record.seq, judge);
                    self.system_id = id.map(str::to_owned).or(self.system_id.take());
                    let wss = parsed["supportedProtocols"]
                        .as_array()
                        .is_some_and(|list| list.iter().any(|one| one == "wss"));
                    let text = || "the body lacks `version` 7 or `supportedProtocols` with wss".to_owned();
                    let complete = wss && parsed["version"].as_i64() == Some(7);
                    self.details.check(complete, text, record.seq, judge);
                    let json = headers
                        .get("Content-Type")
                        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"));
                    let length = headers
                        .get("Content-Length")
                        .and_then(|n| n.trim().parse::<u64>().ok());
                    let text = || "Content-Type or Content-Length is missing or wrong".to_owned();
                    let right = json && length == Some(body.length());
                    self.headers.check(right, text, record.seq, judge);
                    if let Some(peer) = self.peers.get(connection) {
                        let text = || "no client certificate on service discovery".to_owned();
                        self.presented_to_discovery
                            .check(peer.is_some(), text, record.seq, judge);
                    }
                    self.certificate(*connection, record.seq, judge);
                }
                "aos-websocket" => {
                    let text = || "a WebSocket was asked for before any service discovery".to_owned();
                    if !self.discovered {
                        self.first.violated(text(), vec![record.seq], judge);
                    }
                    if !self.paths.is_empty() {
                        let path = target.split('?').next().unwrap_or_default();
                        let text = || format!("the path `{path}` is not in the list of the last discovery");
                        let known = self.paths.iter().any(|known| known == path);
                        self.listed.check(known, text, record.seq, judge);
                    }
                    if let Some(token) = &self.token {
                        let text =
                            || "the Authorization header does not show the token of discovery".to_owned();
                        let shown = headers.bearer_token() == Some(token.as_str());
                        self.bearer.check(shown, text, record.seq, judge);
                    }
                    let version = headers.get("Sec-WebSocket-Version") == Some("13");
                    let text = || "the upgrade does not name WebSocket version 13".to_owned();
                    self.version.check(version, text, record.seq, judge);
                    if let Some(peer) = self.peers.get(connection) {
                        let text = || "no client certificate on the WebSocket".to_owned();
                        self.presented.check(peer.is_some(), text, record.seq, judge);
                    }
                    self.certificate(*connection, record.seq, judge);
                }
                _ => {}
            },
            _ => {}
        }
        for event in events {
            match event.full_name().as_str() {
                // A unit that ran before may know from then where to connect.
                "unit.started" => self.discovered = event.field("remote") == Some(&Value::Bool(true)),
                "unit.booted" => self.discovered = false,
                "fault.acted" => {
                    let fault = event.text("fault").unwrap_or_default();
                    self.injected |= fault == "tls.client";
                    // What comes on a line that is disturbed was perhaps sent long ago.
                    if fault.starts_with("net.")
                        && let Some(connection) = event.field("connection").and_then(Value::as_u64)
                    {
                        self.open.retain(|open, _| u64::from(*open) != connection);
                    }
                }
                "unit.plain" => {
                    let text = "the unit speaks without TLS to a face that demands it";
                    self.secured.violated(text, vec![record.seq], judge);
                }
                "cloud.discovery_answer"
                    if event.field("http_status").and_then(Value::as_u64) == Some(200) =>
                {
                    let urls = event.field("connectionInfo").and_then(Value::as_array);
                    let urls = urls.into_iter().flatten().filter_map(Value::as_str);
                    let paths: Vec<String> = urls.filter_map(path_of).collect();
                    if !paths.is_empty() {
                        self.paths = paths;
                        self.token = event
                            .text("authToken")
                            .filter(|t| !t.is_empty())
                            .map(str::to_owned);
                    }
                }
                _ => {}
            }
        }
    }

    fn close(&mut self, _: Stamp, _: HowClosed, judge: &mut Judge<'_>) {
        for tally in [
            &mut self.first,
            &mut self.body,
            &mut self.details,
            &mut self.headers,
            &mut self.listed,
            &mut self.bearer,
            &mut self.presented,
            &mut self.presented_to_discovery,
            &mut self.online,
            &mut self.not_offline,
            &mut self.version,
            &mut self.tls_version,
            &mut self.secured,
        ] {
            tally.close(judge);
        }
    }
}

impl DiscoveryMonitor {
    fn frame(&mut self, connection: u32, from: Party, opcode: u8, record: &Record, judge: &mut Judge<'_>) {
        match (from, opcode) {
            (Party::Cloud, CLOSE) => {
                if let Some(open) = self.open.get_mut(&connection) {
                    open.closed_by_cloud = true;
                }
            }
            (Party::Unit, CLOSE) => {
                // Whoever takes leave may need its time; whoever has to be asked to had left the connection open.
                if self
                    .open
                    .get(&connection)
                    .is_some_and(|open| open.closed_by_cloud)
                {
                    self.alone(connection, record, judge);
                }
                self.open.remove(&connection);
            }
            (Party::Unit, _) => self.alone(connection, record, judge),
            _ => {}
        }
    }

    /// A unit that is still there on a connection after it opened a later one has two. The older one may be dead without
    /// anybody knowing; what was on its way may come a little later.
    fn alone(&mut self, connection: u32, record: &Record, judge: &mut Judge<'_>) {
        let Some(Open { at: opened, .. }) = self.open.get(&connection) else {
            return;
        };
        let later = self
            .open
            .values()
            .find(|other| other.at > *opened && record.at > other.at + ON_ITS_WAY);
        if let Some(later) = later {
            let text = "the unit is still there on one connection after it opened another";
            self.version.violated(text, vec![later.record, record.seq], judge);
        }
    }

    fn certificate(&mut self, connection: u32, seq: u64, judge: &mut Judge<'_>) {
        let Some(Some(peer)) = self.peers.get(&connection) else {
            return;
        };
        let name = peer.common_name.clone();
        let text = || format!("the certificate of `{name}` is an offline one");
        self.not_offline
            .check(!name.ends_with("-offline"), text, seq, judge);
        if let Some(id) = self.system_id.as_ref().filter(|_| self.has_own) {
            let ours = name == *id || name.strip_prefix(id.as_str()) == Some("-online");
            let text = || format!("the certificate names `{name}`, not `{id}`");
            self.online.check(ours, text, seq, judge);
        }
    }
}

/// Opcode of close frames.
const CLOSE: u8 = 8;

/// How long what was sent before a new connection may take on the old one.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// What the TLS library says of a unit without a certificate.
const NO_CERTIFICATE: &str = "peer sent no certificates";

/// The path of a URL.
fn path_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    Some(path.split('?').next().unwrap_or_default().to_owned())
}
