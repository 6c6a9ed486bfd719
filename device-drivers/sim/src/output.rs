//! What an agent can make the shell do.

use bytes::Bytes;
use hil_wire::http::{Headers, Request, Response};
use std::time::Duration;

/// Number of a timer; the agent's own choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub u32);

/// Number of an HTTP request; the agent's own choice. Using one again cancels the earlier request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// Number of a WebSocket; the agent's own choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// Number of a byte stream: below [`StreamId::SERVED`] the agent's own choice, from there on the shell's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u32);

impl StreamId {
    /// The first number of streams that arrive on a face.
    pub const SERVED: u32 = 1 << 16;
}

/// Number of a request on a face the agent serves; the shell's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u32);

/// One WebSocket frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// FIN bit.
    pub fin: bool,
    /// Unmasked payload.
    pub payload: Bytes,
}

impl Frame {
    /// A whole frame of one opcode.
    pub fn new(opcode: u8, payload: impl Into<Bytes>) -> Self {
        Frame {
            opcode,
            fin: true,
            payload: payload.into(),
        }
    }
}

/// How long and how much a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For connection and handshakes.
    pub connect: Duration,
    /// Without a byte of the answer.
    pub idle: Duration,
    /// For everything; `None` = no limit.
    pub total: Option<Duration>,
    /// Largest body in bytes.
    pub body: usize,
}

impl Default for Limits {
    /// 30 s to connect, 30 s of silence, 120 s in all, 1 MiB.
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            total: Some(Duration::from_secs(120)),
            body: 1024 * 1024,
        }
    }
}

/// A request with everything the shell needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCall {
    /// Absolute URL, `http` or `https`; it decides host and target.
    pub url: String,
    /// Method, headers and body; its target is not used.
    pub request: Request,
    /// Limits.
    pub limits: Limits,
    /// Deliver the body piece by piece instead of as a whole.
    pub streamed: bool,
    /// Name of the TLS client identity, from the unit's endpoints.
    pub identity: Option<String>,
    /// A TLS client identity of the unit's own, instead of a named one.
    pub credentials: Option<Box<hil_link::pki::Identity>>,
    /// Accept any certificate of the server.
    pub unverified: bool,
}

impl HttpCall {
    /// A request without headers, body or identity, with default limits.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        HttpCall {
            url: url.into(),
            request: Request::new(method, ""),
            limits: Limits::default(),
            streamed: false,
            identity: None,
            credentials: None,
            unverified: false,
        }
    }

    /// Appends one header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request.headers.push(name, value);
        self
    }

    /// Sets a JSON body with its content type.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Asks for the body piece by piece.
    #[must_use]
    pub fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }

    /// Presents a TLS client identity the unit got later.
    #[must_use]
    pub fn credentials(mut self, credentials: hil_link::pki::Identity) -> Self {
        self.credentials = Some(Box::new(credentials));
        self
    }

    /// Presents a TLS client identity.
    #[must_use]
    pub fn identity(mut self, name: &str) -> Self {
        self.identity = Some(name.to_owned());
        self
    }
}

/// One action of an agent, carried out by the shell in order. Agents use the methods of
/// [`Context`](crate::Context).
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Sets or moves a timer.
    Timer(TimerId, Duration),
    /// Stops a timer.
    Cancel(TimerId),
    /// Sends a request.
    Http(RequestId, Box<HttpCall>),
    /// Gives a request up and closes its connection.
    CancelHttp(RequestId),
    /// Serves HTTP (and WebSocket upgrades) on a face.
    ServeHttp(String),
    /// Serves byte streams on a face.
    ServeStreams(String),
    /// Serves byte streams whose peers end their side before they are answered.
    ServeHalfClosing(String),
    /// Answers a request.
    Answer(ExchangeId, Response),
    /// Closes the connection of a request without an answer.
    Abandon(ExchangeId),
    /// Accepts an upgrade, with further headers.
    AcceptWs(ExchangeId, SocketId, Headers),
    /// Opens a WebSocket; the request's method is `GET`, the upgrade headers are added.
    OpenWs(SocketId, Box<HttpCall>),
    /// Sends one frame, masked on the client side.
    SendWs(SocketId, Frame),
    /// Closes a WebSocket's connection after what was sent; no close frame is made.
    CloseWs(SocketId),
    /// Opens a stream to a Unix socket or host of the bench, written `path` or `host:port`.
    OpenStream(StreamId, String),
    /// Writes to a stream.
    SendStream(StreamId, Bytes),
    /// Closes a stream.
    CloseStream(StreamId),
    /// A line of console output.
    Console(String),
    /// Restarts the unit after a while: connections break, volatile state is lost, it boots again.
    Reboot(Duration),
    /// Ends the software by itself with this exit status; it does not come back until it is started again.
    Exit(i32),
}
