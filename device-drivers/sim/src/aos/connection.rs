//! Finding the cloud and staying connected (reference sections 2 and 4.3): discovery, its cache, the WebSocket, and
//! growing delays between failed attempts.

use super::agent::{AosAgent, CONNECT_TIMER, DISCOVERY, PING_TIMER, uuid};
use crate::{Context, Frame, HttpCall, HttpError, SocketId};
use hil_link::pki::Identity;
use hil_trace::Stamp;
use hil_wire::{
    aos::{DiscoveryRequest, decode_discovery_response},
    http::Response,
};
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};

/// Where the unit stands between power-up and an open WebSocket.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// URLs of the last discovery, the one to try next in front.
    urls: VecDeque<String>,
    /// How many of them failed in this round.
    tried: usize,
    /// Rounds in a row in which all of them failed.
    rounds: u32,
    token: String,
    /// Minimum between attempts, from discovery.
    next_request_delay: Duration,
    failures: u32,
    /// The last socket that was asked for.
    socket: u32,
    /// Since when it is open.
    pub(super) open: Option<Stamp>,
    busy: bool,
    fragments: Vec<u8>,
    /// A ping is on its way and no pong came yet.
    pinged: bool,
}

impl Connection {
    /// The open socket.
    pub(super) fn socket(&self) -> Option<SocketId> {
        self.open.is_some().then_some(SocketId(self.socket))
    }
}

impl AosAgent {
    /// One attempt: discovery if there is no URL left, else the first URL.
    pub(super) fn connect(&mut self, context: &mut Context<'_>) {
        if self.connection.busy || self.connection.open.is_some() {
            return;
        }
        self.connection.busy = true;
        match self.connection.urls.front().cloned() {
            Some(url) => {
                self.connection.socket += 1;
                let call = self.secured(HttpCall::new("GET", url));
                let call = call
                    .header("Accept", "application/json")
                    .header("Authorization", format!("Bearer {}", self.connection.token));
                context.open_ws(SocketId(self.connection.socket), call);
            }
            None => {
                let url = context.setup.endpoints.get("discovery_url").to_owned();
                let request = DiscoveryRequest::new(self.system_id.clone());
                let body = serde_json::to_value(&request).unwrap_or_default();
                let call = HttpCall::new("POST", url)
                    .header("Accept", "application/json")
                    .header("Connection", "Close")
                    .json(&body);
                let call = self.secured(call);
                context.http(DISCOVERY, call);
            }
        }
    }

    /// Presents the online certificate: the newest one.
    fn secured(&self, call: HttpCall) -> HttpCall {
        match &self.store.online {
            Some((certificate_chain, private_key)) => call.credentials(Identity {
                certificate_chain: certificate_chain.clone(),
                private_key: private_key.clone(),
            }),
            None => call.identity("online"),
        }
    }

    pub(super) fn discovered(&mut self, answer: Result<Response, HttpError>, context: &mut Context<'_>) {
        self.connection.busy = false;
        let found = match answer {
            Ok(response) if response.status == 200 => {
                let decoded = decode_discovery_response(&response.body);
                let valid = decoded.is_valid();
                decoded
                    .value
                    .filter(|answer| valid && !answer.connection_info.is_empty())
            }
            Ok(response) => {
                self.journal(format!("discovery answers {}", response.status), context);
                None
            }
            Err(error) => {
                self.journal(format!("discovery: {error}"), context);
                None
            }
        };
        let Some(answer) = found else {
            return self.retry(context);
        };
        self.connection.token = answer.auth_token.unwrap_or_default();
        let delay = answer
            .next_request_delay
            .and_then(|delay| u64::try_from(delay).ok());
        self.connection.next_request_delay = Duration::from_millis(delay.unwrap_or(0));
        self.connection.urls = answer
            .connection_info
            .into_iter()
            .filter(|url| url.starts_with("wss://") || !self.is_secure(context))
            .collect();
        self.connection.tried = 0;
        if self.connection.urls.is_empty() {
            return self.retry(context);
        }
        self.connect(context);
    }

    /// The unit was given an authority: plain connections are out of the question.
    fn is_secure(&self, context: &Context<'_>) -> bool {
        !context.setup.endpoints.authority.is_empty()
    }

    /// Waits before the next attempt: the base delay, doubled with each failure in a row.
    fn retry(&mut self, context: &mut Context<'_>) {
        let base = context.setup.seconds("reconnect_delay", 1.0);
        let base = base.max(self.connection.next_request_delay).max(LEAST_DELAY);
        let factor = 1_u32 << self.connection.failures.min(6);
        self.connection.failures = self.connection.failures.saturating_add(1);
        context.timer(CONNECT_TIMER, (base * factor).min(MOST_DELAY));
    }

    pub(super) fn opened(&mut self, socket: SocketId, context: &mut Context<'_>) {
        if socket.0 != self.connection.socket {
            return;
        }
        self.connection.busy = false;
        self.connection.failures = 0;
        self.connection.tried = 0;
        self.connection.rounds = 0;
        self.connection.open = Some(context.now());
        self.connection.fragments.clear();
        self.connection.pinged = false;
        self.plan_ping(context);
        self.journal("connected", context);
        // What was sent before comes first, then the full report, then what never went out.
        let new = self.outbox.take_new();
        self.resend_all(context);
        self.report_full(context);
        self.outbox.put_back(new);
        self.transmit(context);
    }

    /// A socket ended or could not be opened.
    pub(super) fn closed(&mut self, socket: SocketId, error: Option<HttpError>, context: &mut Context<'_>) {
        if socket.0 != self.connection.socket {
            return;
        }
        self.connection.busy = false;
        match self.connection.open.take() {
            Some(since) => {
                self.journal("disconnected", context);
                // A connection that was up is tried again at once, at the same place.
                if context.now().since(since) < Duration::from_secs(1) {
                    self.retry(context);
                } else {
                    context.timer(CONNECT_TIMER, Duration::ZERO);
                }
            }
            None => {
                let unauthorized = matches!(&error, Some(HttpError::Refused(answer)) if answer.status == 401);
                if unauthorized {
                    self.connection.urls.clear();
                    return self.retry(context);
                }
                self.connection.urls.rotate_left(1);
                self.connection.tried += 1;
                if self.connection.tried < self.connection.urls.len() {
                    return self.connect(context);
                }
                self.connection.tried = 0;
                self.connection.rounds += 1;
                // Repeated failures: the cloud may have moved.
                if self.connection.rounds >= ROUNDS {
                    self.connection.rounds = 0;
                    self.connection.urls.clear();
                }
                self.retry(context);
            }
        }
    }

    /// The connection is broken although nobody said so.
    pub(super) fn abandon(&mut self, context: &mut Context<'_>) {
        if let Some(socket) = self.connection.socket() {
            context.send_ws(socket, Frame::new(CLOSE, 1000_u16.to_be_bytes().to_vec()));
            context.close_ws(socket);
            self.closed(socket, None, context);
            // What this socket still says is nobody's.
            self.connection.socket += 1;
        }
    }

    /// Time for the next ping; who has not answered the last one is gone.
    pub(super) fn ping_due(&mut self, context: &mut Context<'_>) {
        let Some(socket) = self.connection.socket() else {
            return;
        };
        if self.connection.pinged {
            self.journal("a ping was not answered", context);
            return self.abandon(context);
        }
        self.connection.pinged = true;
        context.send_ws(socket, Frame::new(PING, b"alive?".to_vec()));
        self.plan_ping(context);
    }

    fn plan_ping(&self, context: &mut Context<'_>) {
        if context.setup.ics.get("pings").and_then(Value::as_bool) != Some(false) {
            context.timer(PING_TIMER, context.setup.seconds("ping_period", 20.0));
        }
    }

    pub(super) fn frame(&mut self, socket: SocketId, frame: Frame, context: &mut Context<'_>) {
        if Some(socket) != self.connection.socket() {
            return;
        }
        match frame.opcode {
            PING => context.send_ws(socket, Frame::new(PONG, frame.payload)),
            PONG => self.connection.pinged = false,
            CLOSE => {
                context.send_ws(socket, Frame::new(CLOSE, frame.payload));
                context.close_ws(socket);
                self.closed(socket, None, context);
                self.connection.socket += 1;
            }
            BINARY | CONTINUATION => {
                if frame.opcode == BINARY {
                    self.connection.fragments.clear();
                }
                if self.connection.fragments.len() + frame.payload.len() > LARGEST {
                    return self.connection.fragments.clear();
                }
                self.connection.fragments.extend_from_slice(&frame.payload);
                if frame.fin {
                    let whole = std::mem::take(&mut self.connection.fragments);
                    self.receive(&whole, context);
                }
            }
            _ => self.journal("a frame of another kind is ignored", context),
        }
    }

    /// Sends a message nobody keeps: an ack.
    pub(super) fn acknowledge(&mut self, txn: &str, context: &mut Context<'_>) {
        let envelope = json!({"header": self.header(txn, context), "data": {"messageType": "ack"}});
        if let Some(socket) = self.connection.socket() {
            context.send_ws(socket, Frame::new(BINARY, envelope.to_string().into_bytes()));
        }
    }

    /// A header for a message with a transaction of its own.
    pub(super) fn new_header(&self, context: &mut Context<'_>) -> (String, Value) {
        let txn = uuid(context);
        let header = self.header(&txn, context);
        (txn, header)
    }
}

/// Opcode of binary frames.
pub(super) const BINARY: u8 = 2;
const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const LARGEST: usize = 8 << 20;
/// Rounds of failed attempts before the cloud is asked again where it is.
const ROUNDS: u32 = 6;
const LEAST_DELAY: Duration = Duration::from_millis(500);
const MOST_DELAY: Duration = Duration::from_secs(600);
