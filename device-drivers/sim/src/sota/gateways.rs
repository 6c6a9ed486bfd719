//! The gateways: commands that come in over HTTP, WebSocket and the commands socket, and the events that go out
//! (reference section 2).

use super::agent::{Origin, SotaAgent};
use crate::{Context, ExchangeId, Frame, Input, SocketId, StreamId};
use hil_wire::{
    http::{Headers, Request, Response},
    sota::{Command, Dialect, Event, gateway, socket, text},
};
use std::collections::{BTreeMap, BTreeSet};

/// Connections of the gateways.
#[derive(Debug)]
pub(super) struct Gateways {
    /// Where the external installer listens; empty if nowhere.
    installer: String,
    sockets: BTreeSet<SocketId>,
    /// Text of messages in fragments.
    fragments: BTreeMap<SocketId, Vec<u8>>,
    streams: BTreeMap<StreamId, Vec<u8>>,
    /// Consoles somebody sits at, with the line that is being typed.
    pub(super) consoles: BTreeMap<StreamId, Vec<u8>>,
    /// Events on their way to the installer.
    outgoing: BTreeMap<StreamId, Vec<u8>>,
    next_socket: u32,
    next_stream: u32,
}

impl Gateways {
    /// None open.
    pub(super) fn new(installer: &str) -> Self {
        Gateways {
            installer: installer.to_owned(),
            sockets: BTreeSet::new(),
            fragments: BTreeMap::new(),
            streams: BTreeMap::new(),
            consoles: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            next_socket: 0,
            next_stream: 0,
        }
    }

    /// Begins to serve.
    pub(super) fn open(&self, context: &mut Context<'_>) {
        context.serve_http(HTTP);
        context.serve_http(WEBSOCKET);
        context.serve_half_closing(COMMANDS);
        context.serve_streams(CONSOLE);
    }

    /// A number for a stream the client opens.
    pub(super) fn next_stream(&mut self) -> StreamId {
        self.next_stream = (self.next_stream + 1) % StreamId::SERVED;
        StreamId(self.next_stream)
    }
}

impl SotaAgent {
    /// Tells everybody who listens of an event.
    pub(super) fn announce(&mut self, event: &Event, context: &mut Context<'_>) {
        if self.dialect == Dialect::Rustc
            && let Ok(text) = event.encode(self.dialect)
        {
            for socket in &self.gateways.sockets {
                context.send_ws(*socket, Frame::new(1, text.clone()));
            }
        }
        if let Some(event) = socket::SocketEvent::of(event)
            && !self.gateways.installer.is_empty()
        {
            let stream = self.gateways.next_stream();
            let bytes = event.to_value().to_string().into_bytes();
            self.gateways.outgoing.insert(stream, bytes);
            context.open_stream(stream, &self.gateways.installer);
        }
        self.announce_on_bus(event, context);
    }

    /// Gives the final event to whoever asked.
    pub(super) fn reply(&mut self, origin: Origin, event: &Event, context: &mut Context<'_>) {
        let text = event.encode(self.dialect);
        match origin {
            Origin::Own | Origin::Poll | Origin::Bus => {}
            Origin::Http(exchange) => {
                let response = gateway::reply(event, self.dialect).unwrap_or_else(|_| gateway::lost());
                context.answer(exchange, response);
            }
            Origin::WebSocket(socket) => {
                if let (Ok(text), true) = (text, self.gateways.sockets.contains(&socket)) {
                    context.send_ws(socket, Frame::new(1, text));
                    if self.dialect == Dialect::Serde {
                        context.close_ws(socket);
                        self.forget(socket);
                    }
                }
            }
            Origin::Stream(stream) => {
                if let Ok(text) = text {
                    context.send_stream(stream, text);
                }
                context.close_stream(stream);
            }
            Origin::Console(stream) => self.show_outcome(stream, event, context),
        }
    }

    /// Whatever reaches a gateway.
    pub(super) fn gateway_input(&mut self, input: Input, context: &mut Context<'_>) {
        match input {
            Input::ServerRequest {
                exchange,
                face,
                request,
            } if face == HTTP => self.http_command(exchange, &request, context),
            Input::ServerRequest {
                exchange, request, ..
            } => self.upgrade(exchange, &request, context),
            Input::WsFrame { socket, frame } => self.frame(socket, frame, context),
            Input::WsClosed { socket } | Input::WsFailed { socket, .. } => self.forget(socket),
            Input::StreamOpened { stream, .. } if self.bus.is(stream) => self.bus_opened(context),
            Input::StreamData { stream, bytes } if self.bus.is(stream) => self.bus_bytes(&bytes, context),
            Input::StreamClosed { stream } if self.bus.is(stream) => self.bus_closed(context),
            Input::StreamOpened { stream, face } if face.is_empty() => {
                if let Some(bytes) = self.gateways.outgoing.remove(&stream) {
                    context.send_stream(stream, bytes);
                    context.close_stream(stream);
                }
            }
            Input::StreamOpened { stream, face } if face == CONSOLE => self.console_opened(stream, context),
            Input::StreamOpened { stream, .. } => {
                self.gateways.streams.insert(stream, Vec::new());
            }
            Input::StreamData { stream, bytes } => {
                self.typed(stream, &bytes, context);
                if let Some(buffer) = self.gateways.streams.get_mut(&stream) {
                    buffer.extend_from_slice(&bytes);
                }
            }
            Input::StreamEnded { stream } => self.text_command(stream, context),
            Input::StreamClosed { stream } => {
                self.gateways.streams.remove(&stream);
                self.gateways.consoles.remove(&stream);
                self.gateways.outgoing.remove(&stream);
            }
            _ => {}
        }
    }

    fn http_command(&mut self, exchange: ExchangeId, request: &Request, context: &mut Context<'_>) {
        match accepted(&request.body, self.dialect) {
            Some(command) => self.enqueue(command, Origin::Http(exchange), context),
            None => context.answer(exchange, gateway::rejection()),
        }
    }

    fn upgrade(&mut self, exchange: ExchangeId, request: &Request, context: &mut Context<'_>) {
        if request.headers.get("Sec-WebSocket-Key").is_none() {
            context.answer(exchange, Response::new(400));
            return;
        }
        let socket = SocketId(self.gateways.next_socket);
        self.gateways.next_socket += 1;
        self.gateways.sockets.insert(socket);
        context.accept_ws(exchange, socket, Headers::new());
    }

    fn frame(&mut self, socket: SocketId, frame: Frame, context: &mut Context<'_>) {
        match frame.opcode {
            0..=2 => {
                let message = self.gateways.fragments.entry(socket).or_default();
                message.extend_from_slice(&frame.payload);
                if !frame.fin {
                    return;
                }
                let message = self.gateways.fragments.remove(&socket).unwrap_or_default();
                // What is no command is passed over: nobody defines an answer to it.
                if let Some(command) = accepted(&message, self.dialect) {
                    self.enqueue(command, Origin::WebSocket(socket), context);
                }
            }
            8 => {
                context.send_ws(socket, Frame::new(8, frame.payload));
                context.close_ws(socket);
                self.forget(socket);
            }
            9 => context.send_ws(socket, Frame::new(10, frame.payload)),
            _ => {}
        }
    }

    fn text_command(&mut self, stream: StreamId, context: &mut Context<'_>) {
        let Some(bytes) = self.gateways.streams.remove(&stream) else {
            return;
        };
        let refusal = match text::parse(&bytes, self.dialect) {
            Ok(command) => return self.enqueue(command, Origin::Stream(stream), context),
            Err(text::TextError::NotText) => "IO error: the command is not UTF-8".to_owned(),
            Err(error) => socket::rejection(&error.to_string()),
        };
        context.send_stream(stream, refusal);
        context.close_stream(stream);
    }

    fn forget(&mut self, socket: SocketId) {
        self.gateways.sockets.remove(&socket);
        self.gateways.fragments.remove(&socket);
    }
}

/// The command of a body, if it is one.
fn accepted(body: &[u8], dialect: Dialect) -> Option<Command> {
    let decoded = Command::decode(body, dialect);
    let valid = decoded.is_valid();
    decoded.value.filter(|_| valid)
}

const HTTP: &str = "sota-http";
const WEBSOCKET: &str = "sota-websocket";
const COMMANDS: &str = "sota-commands";
const CONSOLE: &str = "sota-console";
