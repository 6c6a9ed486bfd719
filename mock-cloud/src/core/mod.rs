//! State machines without I/O: (state, now, input) to answers, things to persist, and notes for the trace.

pub mod aos;
pub mod device_command;
pub mod edge_poll;
pub mod ota_rpc;
mod range;
mod redirect;
pub mod sota;

use crate::store::Change;
use hil_fault::{Artifact, MessagePlaces};
use hil_link::pki::Identity;
use hil_trace::{CertificateFacts, Stamp};
use hil_wire::{
    http::{Request, Response},
    ota_rpc::mqtt::Publish,
};
pub use redirect::RedirectPlaces;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The instant a core is asked at.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// On the bench's monotonic clock.
    pub stamp: Stamp,
    /// Wall time in Unix milliseconds.
    pub unix_ms: i64,
}

impl Now {
    /// Unix milliseconds so many seconds later, or earlier if they are negative.
    pub fn unix_ms_in(self, seconds: f64) -> i64 {
        self.unix_ms.saturating_add((seconds * 1000.0) as i64)
    }
}

/// An HTTP request that reached a face.
#[derive(Clone, Copy, Debug)]
pub struct HttpCall<'a> {
    /// The face.
    pub face: &'a str,
    /// The request.
    pub request: &'a Request,
    /// The client certificate, if one was presented and accepted.
    pub peer: Option<&'a CertificateFacts>,
}

/// What a request is called in the protocol's vocabulary, and the facts faults can match.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation {
    /// Such as `poll` or `ack`.
    pub name: String,
    /// Such as `id`.
    pub facts: Map<String, Value>,
}

/// What a core wants done besides its answer.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Changes of the store, to be committed before any answer leaves.
    pub changes: Vec<Change>,
    /// Notes for the trace: name and facts.
    pub notes: Vec<(String, Map<String, Value>)>,
    /// What goes out by itself, in order, after the changes are committed.
    pub sends: Vec<Send>,
}

/// Something a core sends by itself. Connections the core opens are numbered by the core (`link`), those a unit
/// opens by the front (`connection`); a link's connection number is told in [`Core::link_opened`].
#[derive(Clone, Debug, PartialEq)]
pub enum Send {
    /// A WebSocket message; message faults strike it by its operation.
    WebSocket {
        /// The connection.
        connection: u32,
        /// Opcode: 1 text, 2 binary, 9 ping, 10 pong.
        opcode: u8,
        /// The payload.
        payload: Vec<u8>,
        /// Its name in the vocabulary.
        operation: Operation,
    },
    /// One WebSocket frame as it is, such as a fragment of a message; no fault strikes it.
    Fragment {
        /// The connection.
        connection: u32,
        /// Opcode: 0 for all fragments but the first.
        opcode: u8,
        /// Last fragment of its message.
        fin: bool,
        /// The payload.
        payload: Vec<u8>,
    },
    /// A WebSocket close frame; the connection ends once the peer has answered it.
    CloseWebSocket {
        /// The connection.
        connection: u32,
        /// Close code.
        code: u16,
    },
    /// A reset of a connection.
    Reset {
        /// The connection.
        connection: u32,
    },
    /// A request to a face of the unit; its result comes to [`Core::answered`].
    Call {
        /// Number of the call, chosen by the core.
        call: u64,
        /// Face of the unit, such as `rpc-http` or `sota-http`.
        face: String,
        /// The request; `Host` is added.
        request: Request,
        /// Its name in the vocabulary.
        operation: Operation,
        /// Given up after this time.
        limit: std::time::Duration,
        /// How long the unit may refuse connections, as one that boots does, before the call has failed.
        patience: std::time::Duration,
    },
    /// Opens a connection to a face of the unit: a WebSocket if `websocket` is given, else a byte stream.
    Open {
        /// Number of the link, chosen by the core.
        link: u64,
        /// Face of the unit, such as `rpc-websocket`, `rpc-serial`, `sota-commands`.
        face: String,
        /// The upgrade request of a WebSocket: target and headers.
        websocket: Option<Request>,
    },
    /// Bytes on a byte stream.
    Bytes {
        /// The connection.
        connection: u32,
        /// The bytes.
        payload: Vec<u8>,
        /// Its name in the vocabulary.
        operation: Operation,
    },
    /// An MQTT message on a byte stream; message faults strike its payload by its operation.
    Publish {
        /// The connection.
        connection: u32,
        /// The message.
        publish: Publish,
        /// Its name in the vocabulary; faults pass over a message without one.
        operation: Operation,
    },
    /// An orderly end of this side of a byte stream, or of the connection.
    End {
        /// The connection.
        connection: u32,
    },
}

impl Outputs {
    /// Leaves a note.
    pub fn note(&mut self, name: &str, facts: Value) {
        let facts = match facts {
            Value::Object(facts) => facts,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        self.notes.push((name.to_owned(), facts));
    }
}

/// What protects the connections of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    Plain,
    /// TLS; the cloud presents a certificate of its authority.
    Tls,
    /// TLS; the unit must present a certificate of the same authority too.
    MutualTls,
}

/// Why the cloud could not do what a step asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// No such action.
    #[error("this cloud has no action `{0}`")]
    UnknownAction(String),
    /// An argument is missing or wrong.
    #[error("`{argument}`: {problem}")]
    BadArgument {
        /// The argument.
        argument: String,
        /// What is wrong.
        problem: String,
    },
    /// The thing named does not exist.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// Such as `command`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// What it takes is not there now, such as a connection of the unit.
    #[error("{0}")]
    NotNow(String),
    /// The cloud is not running.
    #[error("the mock cloud is stopped")]
    Stopped,
    /// The store failed.
    #[error("store: {0}")]
    Store(String),
}

/// The cloud side of one protocol.
pub trait Core {
    /// Faces it wants: names of listeners.
    fn faces(&self) -> &'static [&'static str];

    /// Faces where the unit opens byte streams instead of speaking HTTP; they come in addition to
    /// [`Core::faces`]. The option `paths` (face to path) puts one on a Unix socket.
    fn byte_faces(&self) -> &'static [&'static str] {
        &[]
    }

    /// What protects a face; `None` leaves it to the option `tls` of the settings.
    fn face_security(&self, face: &str) -> Option<Security> {
        let _ = face;
        None
    }

    /// The private key (PKCS #8 PEM) of an identity that must have a certain one; a fresh key if `None`.
    fn identity_key(&self, name: &str) -> Option<&'static str> {
        let _ = name;
        None
    }

    /// The identities that were made for the unit, by name.
    fn identified(&mut self, identities: &BTreeMap<String, Identity>) {
        let _ = identities;
    }

    /// Client identities the unit needs: name such as `online`, and common name of the certificate. The first is the one it
    /// presents in TLS.
    fn identities(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Collections of the store it uses.
    fn collections(&self) -> &'static [&'static str];

    /// Takes back what was stored before, by collection.
    fn load(&mut self, documents: BTreeMap<&'static str, Vec<(String, Value)>>);

    /// Names a request in the protocol's vocabulary.
    fn operation(&self, call: HttpCall<'_>) -> Operation;

    /// Handles a request.
    fn http(&mut self, now: Now, call: HttpCall<'_>, out: &mut Outputs) -> Response;

    /// Does what an operator or a scenario step asks for.
    fn act(
        &mut self,
        now: Now,
        action: &str,
        with: &Map<String, Value>,
        artifacts: &dyn Fn(&str) -> Option<Artifact>,
        out: &mut Outputs,
    ) -> Result<Map<String, Value>, ActError>;

    /// The URL behind a named redirect target such as `second-origin` or `loop`; a URL stands for itself.
    fn redirect_target(&self, now: Now, target: &str, call: HttpCall<'_>) -> String {
        self.redirect_places(now, call).url(target, call.request)
    }

    /// Where redirects of a request can go.
    fn redirect_places(&self, now: Now, call: HttpCall<'_>) -> RedirectPlaces;

    /// Decides about a WebSocket upgrade of the unit; `Err` is the refusal.
    fn upgrade(&mut self, now: Now, call: HttpCall<'_>, out: &mut Outputs) -> Result<(), Response> {
        let _ = (now, call, out);
        Err(Response::new(404))
    }

    /// Subprotocols known on a face: the first of them that an upgrade offers is accepted. Many clients close a
    /// WebSocket whose server ignores what they offered.
    fn subprotocols(&self, face: &str) -> &'static [&'static str] {
        let _ = face;
        &[]
    }

    /// A WebSocket of the unit is open after an accepted upgrade.
    fn websocket_opened(&mut self, now: Now, connection: u32, call: HttpCall<'_>, out: &mut Outputs) {
        let _ = (now, connection, call, out);
    }

    /// The payload that refuses where `payload` would accept, sent with the same opcode when a `nack` fault strikes
    /// that operation; `None` where the protocol has no refusal of it, so that the fault waits for one that has.
    fn nack_for(
        &self,
        operation: &Operation,
        payload: &[u8],
        retry_after_ms: Option<i64>,
    ) -> Option<Vec<u8>> {
        let _ = (operation, payload, retry_after_ms);
        None
    }

    /// Where its JSON messages keep what all of them have, for faults that change it.
    fn places(&self) -> MessagePlaces {
        MessagePlaces::default()
    }

    /// Names what the unit sent on a byte stream, a line with its line feed, for faults; nothing if they do not know
    /// it.
    fn line_operation(&self, connection: u32, line: &[u8]) -> Operation {
        let _ = (connection, line);
        Operation::default()
    }

    /// A whole WebSocket message (fragments joined) of either kind of connection; control frames are answered by the
    /// front and told here too. `opcode` as in [`Send::WebSocket`], 8 for close.
    fn websocket_message(
        &mut self,
        now: Now,
        connection: u32,
        opcode: u8,
        payload: &[u8],
        out: &mut Outputs,
    ) {
        let _ = (now, connection, opcode, payload, out);
    }

    /// Bytes came on a byte stream; empty = the peer ended its side: what is sent now still goes out, then the
    /// connection is closed.
    fn bytes(&mut self, now: Now, connection: u32, payload: &[u8], out: &mut Outputs) {
        let _ = (now, connection, payload, out);
    }

    /// A byte stream was opened by the unit on a face that is no HTTP face.
    fn stream_opened(&mut self, now: Now, connection: u32, face: &str, out: &mut Outputs) {
        let _ = (now, connection, face, out);
    }

    /// An MQTT message that a fault held back goes out now, to whoever wants it by now.
    fn held_back(&mut self, now: Now, publish: &Publish, out: &mut Outputs) {
        let _ = (now, publish, out);
    }

    /// How long a face of the unit nobody listens on yet is tried again, as while it boots.
    fn connect_patience(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    /// A link the core asked for is open, or could not be opened.
    fn link_opened(&mut self, now: Now, link: u64, result: Result<u32, String>, out: &mut Outputs) {
        let _ = (now, link, result, out);
    }

    /// A connection ended.
    fn connection_closed(&mut self, now: Now, connection: u32, out: &mut Outputs) {
        let _ = (now, connection, out);
    }

    /// The answer to a call, or why there is none.
    fn answered(&mut self, now: Now, call: u64, result: Result<Response, String>, out: &mut Outputs) {
        let _ = (now, call, result, out);
    }

    /// When it wants to be woken.
    fn next_wake(&self) -> Option<Stamp> {
        None
    }

    /// The wake-up time has come.
    fn wake(&mut self, now: Now, out: &mut Outputs) {
        let _ = (now, out);
    }

    /// Settings the unit must be told, such as `base_url`; `url` gives the address of a face of the cloud.
    fn endpoints(&self, url: &dyn Fn(&str) -> String) -> BTreeMap<String, String>;

    /// True for requests of operators, which do not belong to the unit.
    fn is_operator(&self, call: HttpCall<'_>) -> bool;
}
