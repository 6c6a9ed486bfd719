//! Lasting connections to the unit: WebSockets by name, the one the unit opens, and the serial line. What is sent
//! while one is closed waits until it is open.

use super::{
    OtaRpcCloud,
    request::{CallRequest, Checksum, Transport},
};
use crate::core::{Now, Operation, Outputs, Send};
use hil_trace::Stamp;
use hil_wire::{
    http::Request,
    ota_rpc::{
        Frame, FrameKind, RpcError, decode, encode, encode_ascii,
        uart::{Deframer, Event, FlowControl, HANDSHAKE, HANDSHAKE_ACK, crc32},
    },
};
use serde_json::json;
use std::time::Duration;

/// Which lasting connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// A WebSocket the caller opens.
    Socket(String),
    /// The WebSocket the unit opens.
    UnitSocket,
    /// The serial line.
    Serial,
}

impl Name {
    /// The connection a call goes over; `None` for HTTP.
    pub(super) fn of(transport: Transport, connection: &str) -> Option<Name> {
        match transport {
            Transport::WebSocket => Some(Name::Socket(connection.to_owned())),
            Transport::UnitWebSocket => Some(Name::UnitSocket),
            Transport::Serial => Some(Name::Serial),
            Transport::Http | Transport::Rest | Transport::Query | Transport::Mqtt => None,
        }
    }
}

/// One lasting connection.
#[derive(Debug)]
pub(super) struct Channel {
    state: State,
    waiting: Vec<(Vec<u8>, Operation)>,
    deframer: Deframer,
    /// The unit said XOFF.
    held: bool,
    handshake: Option<Handshake>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Opening,
    Open(u32),
}

#[derive(Clone, Copy, Debug)]
struct Handshake {
    until: Stamp,
    next: Stamp,
    left: Option<u64>,
}

impl Default for Channel {
    fn default() -> Self {
        Channel {
            state: State::Closed,
            waiting: Vec::new(),
            deframer: Deframer::caller(),
            held: false,
            handshake: None,
        }
    }
}

impl Channel {
    /// When it wants to be woken.
    pub(super) fn next_wake(&self) -> Option<Stamp> {
        self.handshake
            .map(|handshake| handshake.next.min(handshake.until))
    }
}

impl OtaRpcCloud {
    /// Sends bytes over a connection, which is opened if need be.
    pub(super) fn send_over(
        &mut self,
        name: &Name,
        payload: Vec<u8>,
        operation: Operation,
        out: &mut Outputs,
    ) {
        let channel = self.channels.entry(name.clone()).or_default();
        match channel.state {
            State::Open(connection) if !channel.held => {
                out.sends.push(packed(name, connection, payload, operation))
            }
            State::Open(_) | State::Opening => channel.waiting.push((payload, operation)),
            State::Closed => {
                channel.waiting.push((payload, operation));
                self.open(name, None, out);
            }
        }
    }

    /// Opens a connection unless it is open or the unit has to open it.
    pub(super) fn open(&mut self, name: &Name, subprotocol: Option<&str>, out: &mut Outputs) {
        let channel = self.channels.entry(name.clone()).or_default();
        if channel.state != State::Closed || *name == Name::UnitSocket {
            return;
        }
        channel.state = State::Opening;
        let link = self.next_link;
        self.next_link += 1;
        self.links.insert(link, name.clone());
        let (face, websocket) = match name {
            Name::Serial => (super::UNIT_SERIAL, None),
            _ => {
                let mut request = Request::new("GET", "/rpc").header("Origin", "https://api.cesanta.com/");
                if let Some(offer) = subprotocol {
                    request.headers.push("Sec-WebSocket-Protocol", offer);
                }
                (super::UNIT_WEBSOCKET, Some(request))
            }
        };
        out.sends.push(Send::Open {
            link,
            face: face.to_owned(),
            websocket,
        });
    }

    /// Closes a connection from this side.
    pub(super) fn close(&mut self, name: &Name, out: &mut Outputs) {
        let Some(channel) = self.channels.get(name) else {
            return;
        };
        if let State::Open(connection) = channel.state {
            out.sends.push(match name {
                Name::Serial => Send::End { connection },
                _ => Send::CloseWebSocket {
                    connection,
                    code: 1000,
                },
            });
        }
    }

    /// A connection is open: what waited is sent.
    pub(super) fn opened(&mut self, name: Name, connection: u32, out: &mut Outputs) {
        self.connections.insert(connection, name.clone());
        let channel = self.channels.entry(name.clone()).or_default();
        channel.state = State::Open(connection);
        channel.held = false;
        channel.deframer = Deframer::caller();
        for (payload, operation) in std::mem::take(&mut channel.waiting) {
            out.sends.push(packed(&name, connection, payload, operation));
        }
    }

    /// A connection has ended or could not be opened: nobody answers what was sent over it.
    pub(super) fn ended(&mut self, name: &Name, reason: &str, out: &mut Outputs) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.state = State::Closed;
            channel.waiting.clear();
        }
        self.give_up_where(reason, out, |request| {
            Name::of(request.transport, &request.connection).as_ref() == Some(name)
        });
    }

    /// Begins to synchronise on the serial line.
    pub(super) fn begin_handshake(
        &mut self,
        now: Now,
        limit: Duration,
        left: Option<u64>,
        out: &mut Outputs,
    ) {
        self.open(&Name::Serial, None, out);
        let channel = self.channels.entry(Name::Serial).or_default();
        channel.handshake = Some(Handshake {
            until: now.stamp + limit,
            next: now.stamp,
            left,
        });
        self.go_on_with_handshake(now, out);
    }

    /// Sends the next EOT frame if it is time.
    pub(super) fn go_on_with_handshake(&mut self, now: Now, out: &mut Outputs) {
        let channel = self.channels.entry(Name::Serial).or_default();
        let Some(handshake) = &mut channel.handshake else {
            return;
        };
        if now.stamp >= handshake.until || handshake.left == Some(0) {
            channel.handshake = None;
            return;
        }
        if now.stamp < handshake.next {
            return;
        }
        handshake.next = now.stamp + HANDSHAKE_EVERY;
        handshake.left = handshake.left.map(|left| left - 1);
        self.send_over(&Name::Serial, HANDSHAKE.to_vec(), operation("handshake"), out);
    }

    /// A whole message or some serial bytes came over a connection.
    pub(super) fn received(&mut self, now: Now, name: &Name, payload: &[u8], out: &mut Outputs) {
        if *name != Name::Serial {
            return self.frame_received(now, name, payload, out);
        }
        let events = match self.channels.get_mut(name) {
            Some(channel) => channel.deframer.push(payload),
            None => return,
        };
        for event in events {
            match event {
                Event::Frame(frame) if frame.crc.is_acceptable() => {
                    self.frame_received(now, name, &frame.json, out);
                }
                Event::Eot(_) => self.synchronised(out),
                Event::FlowControl(FlowControl::Xoff) => self.hold(true, out),
                Event::FlowControl(FlowControl::Xon) => self.hold(false, out),
                Event::Frame(_) | Event::Empty(_) | Event::Junk { .. } | Event::Discarded { .. } => {}
            }
        }
    }

    /// What a line the unit wrote is: a reply, or something else on its console.
    pub(super) fn printed(&self, line: &[u8]) -> Operation {
        if line.trim_ascii().is_empty() {
            return Operation::default();
        }
        let mut deframer = Deframer::caller();
        // The line before has ended.
        deframer.push(b"\n");
        let reply = deframer.push(line).into_iter().find_map(|event| match event {
            Event::Frame(frame) => decode(&frame.json)
                .value
                .filter(|frame| frame.kind() == FrameKind::Reply),
            _ => None,
        });
        let Some(reply) = reply else {
            return operation("console");
        };
        let called = self
            .pending
            .values()
            .map(|pending| &pending.request)
            .find(|request| {
                let asked = request.frame.id.as_ref();
                asked
                    .zip(reply.id.as_ref())
                    .is_some_and(|(asked, id)| asked.answers(id))
            });
        Operation {
            name: "reply".to_owned(),
            ..call_operation(called.map_or("", |request| request.method()))
        }
    }

    fn synchronised(&mut self, out: &mut Outputs) {
        let channel = self.channels.entry(Name::Serial).or_default();
        if channel.handshake.take().is_some() {
            self.send_over(&Name::Serial, HANDSHAKE_ACK.to_vec(), operation("handshake"), out);
        }
    }

    fn hold(&mut self, held: bool, out: &mut Outputs) {
        let channel = self.channels.entry(Name::Serial).or_default();
        // Flow control is ignored while synchronising.
        channel.held = held && channel.handshake.is_none();
        if let (State::Open(connection), false) = (channel.state, channel.held) {
            for (payload, operation) in std::mem::take(&mut channel.waiting) {
                out.sends
                    .push(packed(&Name::Serial, connection, payload, operation));
            }
        }
    }

    fn frame_received(&mut self, now: Now, name: &Name, json: &[u8], out: &mut Outputs) {
        let Some(frame) = decode(json).value else {
            return;
        };
        match frame.kind() {
            FrameKind::Reply => {
                let here = |request: &CallRequest| {
                    Name::of(request.transport, &request.connection).as_ref() == Some(name)
                };
                self.reply_received(now, &frame, here, out);
            }
            FrameKind::Notification => {}
            FrameKind::Request => {
                let method = frame.called_method().unwrap_or_default();
                if let Some(reply) = frame.reply_error("hil", RpcError::no_handler(method)) {
                    let payload = match name {
                        Name::Serial => framed(&reply, Checksum::Absent, false),
                        _ => encode(&reply),
                    };
                    self.send_over(name, payload, operation("reply"), out);
                }
            }
        }
    }
}

/// The bytes of a call on its lasting connection.
pub(super) fn payload(request: &CallRequest, frame: &Frame) -> Vec<u8> {
    match request.transport {
        Transport::Serial => framed(frame, request.checksum, request.quotes),
        _ => encode(frame),
    }
}

/// The operation of a call.
pub(super) fn call_operation(method: &str) -> Operation {
    Operation {
        name: "call".to_owned(),
        facts: json!({"method": method}).as_object().cloned().unwrap_or_default(),
    }
}

/// An operation without facts.
pub(super) fn operation(name: &str) -> Operation {
    Operation {
        name: name.to_owned(),
        ..Operation::default()
    }
}

fn framed(frame: &Frame, checksum: Checksum, quotes: bool) -> Vec<u8> {
    let json = encode_ascii(frame);
    let crc = crc32(&json);
    let mut line = json;
    match checksum {
        Checksum::Absent => {}
        Checksum::Valid => line.extend_from_slice(format!("{crc:08x}").as_bytes()),
        Checksum::Wrong => line.extend_from_slice(format!("{:08x}", crc.wrapping_add(1)).as_bytes()),
    }
    if quotes {
        return [b"\n\"\"\"".as_slice(), &line, b"\"\"\"\n"].concat();
    }
    line.push(b'\n');
    line
}

fn packed(name: &Name, connection: u32, payload: Vec<u8>, operation: Operation) -> Send {
    match name {
        Name::Serial => Send::Bytes {
            connection,
            payload,
            operation,
        },
        _ => Send::WebSocket {
            connection,
            opcode: 1,
            payload,
            operation,
        },
    }
}

const HANDSHAKE_EVERY: Duration = Duration::from_millis(200);
