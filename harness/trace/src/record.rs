//! What taps saw: raw facts in the order they happened. Meaning is derived when read.

use crate::{Blame, Payload, Stamp};
use hil_wire::http::Headers;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Position in the trace, from 0.
    pub seq: u64,
    /// When, on the bench's clock.
    pub at: Stamp,
    /// What.
    pub what: RecordBody,
}

impl Record {
    /// The payload of a record that has one.
    pub fn payload_mut(&mut self) -> Option<&mut Payload> {
        match &mut self.what {
            RecordBody::HttpRequest { body, .. } | RecordBody::HttpResponse { body, .. } => Some(body),
            RecordBody::WebSocketFrame { payload, .. }
            | RecordBody::Bytes { payload, .. }
            | RecordBody::Datagram { payload, .. }
            | RecordBody::Console { payload, .. } => Some(payload),
            _ => None,
        }
    }
}

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The unit under test.
    Unit,
    /// The mock cloud, or the harness in its place.
    Cloud,
    /// A human or tool on the operator's side.
    Operator,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Orderly end of the stream.
    Fin,
    /// Reset.
    Reset,
    /// Another transport or protocol error.
    Broken,
}

/// How the sending of a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpEnding {
    /// Everything was handed to the transport.
    Complete,
    /// Cut short on purpose or by an error.
    Cut,
}

/// Which output of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleStream {
    /// Standard output of a process.
    Stdout,
    /// Standard error of a process.
    Stderr,
    /// A serial or simulated console.
    Serial,
    /// No output of the unit: what a tool of the lab that drives it says.
    Lab,
}

/// What is remembered of a peer's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Common name of the subject.
    pub common_name: String,
    /// Whole subject as text.
    pub subject: String,
    /// Serial number, lower-case hex.
    pub serial: String,
}

/// A change in the life of a unit, as its driver did or saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitChange {
    /// The driver started it (first power-up of the instance).
    Started,
    /// It booted: software begins to run. Facts: `boot` counts from 1, `version` where known.
    Booted,
    /// Power was cut.
    PowerCut,
    /// Power came back.
    PowerRestored,
    /// It restarts by itself or on request.
    Rebooted,
    /// The driver stopped it in order.
    Stopped,
    /// The process ended by itself. Facts: `status` or `signal`.
    Exited,
}

/// Whether a fault was set up, took effect, or was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultPhase {
    /// Set up; waits for its trigger.
    Armed,
    /// Took effect; recorded before the bytes leave.
    Acted,
    /// Removed.
    Cleared,
}

/// How a scenario step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Did what it says, or saw what it waited for.
    Done,
    /// What it waited for did not come, or what must not come did.
    Unmet,
    /// The handle it calls could not do it.
    Refused,
    /// The run ended first.
    Interrupted,
}

/// How a trace ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HowClosed {
    /// The scenario ran to its end.
    Complete,
    /// Ctrl-C, or a torn journal.
    Interrupted,
    /// The instance took longer than it may.
    TimedOut,
}

/// The kinds of records. `connection` and `exchange` number connections and HTTP exchanges inside a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordBody {
    /// A transport connection came up.
    ConnectionOpened {
        /// Connection number.
        connection: u32,
        /// The face it reached, such as `edge-api`, `blob-origin`, `unit-rpc`.
        face: String,
        /// Who opened it.
        by: Party,
    },
    /// A TLS handshake completed.
    TlsEstablished {
        /// Connection number.
        connection: u32,
        /// Such as `TLSv1_3`.
        version: String,
        /// The peer's certificate, if it presented one.
        peer: Option<CertificateFacts>,
    },
    /// A TLS handshake failed.
    TlsRefused {
        /// Connection number.
        connection: u32,
        /// Why, in the words of the TLS library; [`PLAIN_INSTEAD_OF_TLS`] if the peer did not speak TLS.
        reason: String,
    },
    /// A transport connection ended.
    ConnectionClosed {
        /// Connection number.
        connection: u32,
        /// How.
        ending: Ending,
        /// Who ended it.
        by: Party,
    },
    /// A whole HTTP request.
    HttpRequest {
        /// Connection number.
        connection: u32,
        /// Exchange number.
        exchange: u32,
        /// The face it reached.
        face: String,
        /// Who sent it.
        from: Party,
        /// Method.
        method: String,
        /// Request target as sent.
        target: String,
        /// Headers in wire order.
        headers: Headers,
        /// Body.
        body: Payload,
    },
    /// The response to an exchange, recorded before its bytes leave.
    HttpResponse {
        /// Exchange number.
        exchange: u32,
        /// Who sent it.
        from: Party,
        /// Status code.
        status: u16,
        /// Headers in wire order.
        headers: Headers,
        /// Body as meant to be sent.
        body: Payload,
        /// Whether all of it is going to be sent.
        ending: HttpEnding,
    },
    /// An exchange that got no response: reset, stall, closed.
    HttpUnanswered {
        /// Exchange number.
        exchange: u32,
        /// Why.
        reason: String,
    },
    /// A WebSocket came up on a connection.
    WebSocketOpened {
        /// Connection number.
        connection: u32,
        /// The exchange of the upgrade.
        exchange: u32,
    },
    /// One WebSocket frame.
    WebSocketFrame {
        /// Connection number.
        connection: u32,
        /// Who sent it.
        from: Party,
        /// Opcode: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
        opcode: u8,
        /// FIN bit.
        fin: bool,
        /// Unmasked payload.
        payload: Payload,
    },
    /// Bytes on a stream without frames of its own: UART, Unix socket, console input.
    Bytes {
        /// Connection number.
        connection: u32,
        /// Who sent them.
        from: Party,
        /// The bytes of one read or write.
        payload: Payload,
    },
    /// A message without a connection that is known: at an instrument of the lab, or a packet that a tap saw on its way.
    Datagram {
        /// The instrument: `tap`, `module`, `time`.
        face: String,
        /// Who sent it.
        from: Party,
        /// What was read from it.
        facts: Map<String, Value>,
        /// The message, or the beginning of a packet.
        payload: Payload,
    },
    /// Output of the unit, or of what drives it.
    Console {
        /// Which output.
        stream: ConsoleStream,
        /// The bytes of one read.
        payload: Payload,
    },
    /// A change in the life of the unit.
    Unit {
        /// Which change.
        change: UnitChange,
        /// Its facts.
        facts: Map<String, Value>,
    },
    /// A fact was read inside the unit.
    Probe {
        /// Name from the vocabulary.
        name: String,
        /// Arguments.
        arguments: Map<String, Value>,
        /// The value, or why it could not be read.
        result: Result<Value, String>,
    },
    /// Something was done to the unit from outside its protocol.
    Stimulus {
        /// Name from the vocabulary.
        name: String,
        /// Arguments.
        arguments: Map<String, Value>,
        /// What was really applied, or why it could not be.
        result: Result<Value, String>,
    },
    /// The mock cloud was made to do something, or decided something no message shows.
    Cloud {
        /// Name from the vocabulary, such as `queued` or `restarted`.
        name: String,
        /// Its facts.
        facts: Map<String, Value>,
    },
    /// A fault changed phase.
    Fault {
        /// Fault number inside the trace.
        id: u32,
        /// Its name, such as `cloud.status`.
        name: String,
        /// Phase.
        phase: FaultPhase,
        /// What it did and to which message.
        facts: Map<String, Value>,
    },
    /// A scenario step began; arguments are resolved.
    StepStarted {
        /// Its place, such as `3` or `4.1`; from 1.
        step: String,
        /// Its verb.
        verb: String,
        /// What it acts on or waits for.
        subject: String,
        /// Its arguments, resolved.
        arguments: Value,
    },
    /// A scenario step ended.
    StepFinished {
        /// Its place.
        step: String,
        /// How.
        outcome: StepOutcome,
        /// Result of an action, or a sentence why it was refused.
        result: Value,
    },
    /// Something went wrong and the instance cannot be judged, or not wholly.
    Trouble {
        /// Whose doing: of the unit, such as a flood of output, what is missing is inconclusive; of others, an error.
        blame: Blame,
        /// One sentence.
        text: String,
    },
    /// The end of the trace.
    Closed {
        /// How it ended.
        how: HowClosed,
    },
}

/// Reason of a handshake that failed because the peer sent something else than TLS, such as an HTTP request.
pub const PLAIN_INSTEAD_OF_TLS: &str = "plain bytes came instead of TLS";
