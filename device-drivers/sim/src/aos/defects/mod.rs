//! What a unit can do wrong over the AosEdge protocol.

mod acknowledgements;
mod blobs;
mod certificates;
mod connection;
mod discovery;
mod envelope;
mod requests;
mod robustness;
mod status;
mod watching;

use crate::{
    Defect, Frame, Input, Output, SocketId,
    defect::{Edge, Tamper},
};
use serde_json::{Value, json};

/// Switch: blobs are used whatever their checksum and digest.
pub(super) const BLOBS_UNVERIFIED: &str = "blobs-unverified";
/// Switch: blobs are used whatever their signature.
pub(super) const SIGNATURES_UNVERIFIED: &str = "blob-signatures-unverified";

/// Switch: a desired status that is encrypted is passed over.
pub(super) const SEALED_IGNORED: &str = "sealed-ignored";

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[
    envelope::DEFECTS,
    discovery::DEFECTS,
    connection::DEFECTS,
    acknowledgements::DEFECTS,
    status::DEFECTS,
    requests::DEFECTS,
    certificates::DEFECTS,
    blobs::DEFECTS,
    watching::DEFECTS,
    robustness::DEFECTS,
];

/// The message in a frame that holds one.
fn message(frame: &Frame) -> Option<Value> {
    matches!(frame.opcode, 1 | 2)
        .then(|| serde_json::from_slice(&frame.payload).ok())
        .flatten()
}

fn kind(message: &Value) -> &str {
    message["data"]["messageType"].as_str().unwrap_or_default()
}

fn txn(message: &Value) -> &str {
    message["header"]["txn"].as_str().unwrap_or_default()
}

/// The same frame with another message in it.
fn with_message(frame: &Frame, message: &Value) -> Frame {
    Frame {
        payload: message.to_string().into_bytes().into(),
        ..frame.clone()
    }
}

/// An ack of a message, by either side.
fn ack_of(message: &Value) -> Frame {
    let ack = json!({"header": message["header"], "data": {"messageType": "ack"}});
    Frame::new(2, ack.to_string().into_bytes())
}

/// What becomes of a message.
enum Fate {
    /// It goes on, perhaps changed.
    Passes,
    /// It is held back, and whoever waits for its ack hears one.
    Settled,
    /// It is held back.
    Lost,
}

/// Changes messages the unit sends.
fn sent(edit: fn(&mut Value) -> Fate) -> Box<dyn Tamper> {
    Box::new(Messages { edit, heard: false })
}

/// Changes messages before the unit hears them.
fn heard(edit: fn(&mut Value) -> Fate) -> Box<dyn Tamper> {
    Box::new(Messages { edit, heard: true })
}

struct Messages {
    edit: fn(&mut Value) -> Fate,
    heard: bool,
}

impl Tamper for Messages {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        if self.heard
            && let Input::WsFrame { socket, frame } = &input
            && let Some(mut message) = message(frame)
        {
            match (self.edit)(&mut message) {
                Fate::Passes => edge.hear(Input::WsFrame {
                    socket: *socket,
                    frame: with_message(frame, &message),
                }),
                Fate::Settled => edge.perform(Output::SendWs(*socket, ack_of(&message))),
                Fate::Lost => {}
            }
            return;
        }
        edge.hear(input);
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        if !self.heard
            && let Output::SendWs(socket, frame) = &output
            && let Some(mut message) = message(frame)
        {
            match (self.edit)(&mut message) {
                Fate::Passes => edge.perform(Output::SendWs(*socket, with_message(frame, &message))),
                Fate::Settled => edge.hear(Input::WsFrame {
                    socket: *socket,
                    frame: ack_of(&message),
                }),
                Fate::Lost => {}
            }
            return;
        }
        edge.perform(output);
    }
}

/// Edits the data of messages of one type that the unit sends.
fn said(kind: &'static str, edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(OfType {
        kind,
        edit,
        heard: false,
    })
}

/// Edits the data of messages of one type before the unit hears them.
fn told(kind: &'static str, edit: fn(&mut Value)) -> Box<dyn Tamper> {
    Box::new(OfType {
        kind,
        edit,
        heard: true,
    })
}

struct OfType {
    kind: &'static str,
    edit: fn(&mut Value),
    heard: bool,
}

impl OfType {
    fn edited(&self, frame: &Frame) -> Option<Frame> {
        let mut message = message(frame).filter(|message| kind(message) == self.kind)?;
        (self.edit)(&mut message["data"]);
        Some(with_message(frame, &message))
    }
}

impl Tamper for OfType {
    fn input(&mut self, mut input: Input, edge: &mut Edge<'_>) {
        if self.heard
            && let Input::WsFrame { frame, .. } = &mut input
            && let Some(edited) = self.edited(frame)
        {
            *frame = edited;
        }
        edge.hear(input);
    }

    fn output(&mut self, mut output: Output, edge: &mut Edge<'_>) {
        if !self.heard
            && let Output::SendWs(_, frame) = &mut output
            && let Some(edited) = self.edited(frame)
        {
            *frame = edited;
        }
        edge.perform(output);
    }
}

/// Never sends messages of one type, and takes them for acknowledged.
fn unsaid(kind: &'static str) -> Box<dyn Tamper> {
    Box::new(Unsaid { kind, heard: false })
}

/// Acknowledges messages of one type and does nothing.
fn ignored(kind: &'static str) -> Box<dyn Tamper> {
    Box::new(Unsaid { kind, heard: true })
}

struct Unsaid {
    kind: &'static str,
    heard: bool,
}

impl Tamper for Unsaid {
    fn input(&mut self, input: Input, edge: &mut Edge<'_>) {
        match &input {
            Input::WsFrame { socket, frame } if self.heard => match message(frame) {
                Some(message) if kind(&message) == self.kind => {
                    edge.perform(Output::SendWs(*socket, ack_of(&message)));
                }
                _ => edge.hear(input),
            },
            _ => edge.hear(input),
        }
    }

    fn output(&mut self, output: Output, edge: &mut Edge<'_>) {
        match &output {
            Output::SendWs(socket, frame) if !self.heard => match message(frame) {
                Some(message) if kind(&message) == self.kind => edge.hear(Input::WsFrame {
                    socket: *socket,
                    frame: ack_of(&message),
                }),
                _ => edge.perform(output),
            },
            _ => edge.perform(output),
        }
    }
}

/// The connection goes, as if the unit had closed it.
fn drop_connection(socket: SocketId, edge: &mut Edge<'_>) {
    edge.perform(Output::CloseWs(socket));
    edge.hear(Input::WsClosed { socket });
}

/// Every entry of a list in a message.
fn each<'a>(data: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    data.get_mut(name)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn remove(object: &mut Value, name: &str) {
    if let Some(members) = object.as_object_mut() {
        members.remove(name);
    }
}
