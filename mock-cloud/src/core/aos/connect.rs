//! How a unit comes in: service discovery (reference section 2), the WebSocket upgrade, and the identity in its
//! certificate (section 5.1).

use super::{AosCloud, HttpCall, Now, Outputs, Send, Value, json};
use crate::settings::CloudSettings;
use hil_trace::{CertificateFacts, Stamp};
use hil_wire::{aos::decode_discovery_request, http::Response};
use std::time::Duration;

/// How discovery is answered.
#[derive(Clone, Debug)]
pub(super) struct Discovery {
    /// URLs; `alive` and `dead` stand for URLs of those kinds.
    pub(super) urls: Vec<String>,
    /// Milliseconds.
    pub(super) next_request_delay: Option<i64>,
    /// 0 to 3.
    pub(super) error_code: i64,
    /// 200, unless a unit is to take a complete answer for a failure.
    pub(super) http_status: u16,
    /// Given to the unit, and demanded on the upgrade if the option `bearer` is on.
    pub(super) token: String,
    /// The unit ran before this cloud did, and has not asked it yet where to connect.
    pub(super) unasked: bool,
}

impl Discovery {
    pub(super) fn new(settings: &CloudSettings) -> Self {
        let delay = settings.options.get("next_request_delay").and_then(Value::as_i64);
        Discovery {
            urls: vec!["alive".to_owned()],
            next_request_delay: Some(delay.unwrap_or(1000)),
            error_code: 0,
            http_status: 200,
            token: settings.unit_key.clone(),
            unasked: settings.flag("unsettled"),
        }
    }
}

/// The unit's WebSocket.
#[derive(Clone, Debug)]
pub(super) struct Connected {
    /// Its connection.
    pub(super) connection: u32,
}

/// A WebSocket the unit did not end when it opened another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    connection: u32,
    /// When the cloud closes it.
    until: Stamp,
}

impl AosCloud {
    pub(super) fn discover(&mut self, _: Now, call: HttpCall<'_>) -> Response {
        if !matches!(call.request.path(), "/sd/v7/" | "/sd/v7") {
            return Response::new(404);
        }
        if call.request.method != "POST" {
            return Response::new(405).header("Allow", "POST");
        }
        let decoded = decode_discovery_request(&call.request.body);
        let valid = decoded.is_valid();
        let Some(request) = decoded.value.filter(|_| valid) else {
            return Response::new(400);
        };
        if request.system_id != self.system_id() || !self.is_identified(call.peer) {
            return Response::new(403);
        }
        self.discovery.unasked = false;
        let urls: Vec<String> = self
            .discovery
            .urls
            .iter()
            .map(|url| self.websocket_url(url))
            .collect();
        let mut answer = json!({"version": 7, "systemId": self.system_id()});
        if let Some(delay) = self.discovery.next_request_delay {
            answer["nextRequestDelay"] = json!(delay);
        }
        answer["connectionInfo"] = json!(urls);
        answer["authToken"] = json!(self.discovery.token);
        answer["errorCode"] = json!(self.discovery.error_code);
        Response::json(self.discovery.http_status, &answer)
    }

    /// Refuses an upgrade before the handshake: 404 at another path, 403 for a certificate that does not name the
    /// unit, 401 without the right token where one is demanded. A unit that brings what an earlier cloud told it
    /// is sent to discovery by a 401 too: it has to find this cloud anew, as every scenario begins.
    pub(super) fn check_upgrade(&self, call: HttpCall<'_>) -> Result<(), Response> {
        if !matches!(call.request.path(), "/ws/v7/" | "/ws/v7") {
            return Err(Response::new(404));
        }
        if !self.is_identified(call.peer) {
            return Err(Response::new(403));
        }
        let token = call.request.headers.bearer_token();
        let wrong = self.settings.flag("bearer") && token != Some(self.discovery.token.as_str());
        if wrong || self.discovery.unasked {
            return Err(Response::new(401).header("WWW-Authenticate", "Bearer"));
        }
        Ok(())
    }

    /// The unit is there. It is to end an older connection itself; the cloud closes one that is left open a little later.
    /// What it has not acknowledged goes out again.
    pub(super) fn opened(&mut self, now: Now, connection: u32, out: &mut Outputs) {
        if let Some(older) = self.connected.replace(Connected { connection }) {
            self.left.push(Left {
                connection: older.connection,
                until: now.stamp + LEFT_OPEN,
            });
        }
        self.patience.forget();
        for (number, message) in &self.outgoing {
            self.transmit(message, out);
            self.patience.sent(*number, now.stamp);
        }
    }

    /// When the next connection that was left open is closed.
    pub(super) fn next_left(&self) -> Option<Stamp> {
        self.left.iter().map(|left| left.until).min()
    }

    /// Closes connections that were left open for long enough.
    pub(super) fn close_left(&mut self, now: Now, out: &mut Outputs) {
        let due = self.left.extract_if(.., |left| left.until <= now.stamp);
        out.sends.extend(due.map(|left| Send::CloseWebSocket {
            connection: left.connection,
            code: 1000,
        }));
    }

    /// A connection ended.
    pub(super) fn forget_left(&mut self, connection: u32) {
        self.left.retain(|left| left.connection != connection);
    }

    /// The certificate's common name is the unit's id, or that with `-online`. Without TLS there is nothing to check.
    fn is_identified(&self, peer: Option<&CertificateFacts>) -> bool {
        let id = self.system_id();
        match peer {
            Some(peer) => {
                let rest = peer.common_name.strip_prefix(id);
                matches!(rest, Some("" | "-online"))
            }
            None => self.settings.options.get("tls") == Some(&Value::Bool(false)),
        }
    }

    fn websocket_url(&self, wanted: &str) -> String {
        let face = self.urls.websocket.replacen("http", "ws", 1);
        match wanted {
            "alive" => format!("{face}/ws/v7/"),
            "dead" => {
                let host = face.rsplit_once(':').map_or(face.as_str(), |(host, _)| host);
                format!("{host}:1/ws/v7/")
            }
            other => other.to_owned(),
        }
    }
}

/// Longer than what a unit sent on a connection before it opened the next one may be on its way.
const LEFT_OPEN: Duration = Duration::from_secs(3);

/// The answer to a request on the WebSocket face that asks for no WebSocket.
pub(super) fn no_upgrade(_: HttpCall<'_>) -> Response {
    Response::new(426).header("Upgrade", "websocket")
}
