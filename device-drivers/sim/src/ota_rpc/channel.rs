//! Frames in and replies out: HTTP exchanges, WebSockets of either direction, serial lines (reference section 2);
//! MQTT has a file of its own.

use super::{
    access::NoAccess,
    agent::{Asker, OtaAgent, SERVER_TIMER},
};
use crate::{Context, ExchangeId, Frame as Message, HttpCall, SocketId, StreamId};
use hil_wire::{
    http::{Headers, Request},
    ota_rpc::{
        Frame, FrameKind, Id, RpcError, decode,
        digest::{Context as DigestContext, Credentials, Refusal},
        encode, encode_ascii,
        http::{
            Form, NotACall, invalid_request, parse_request, preflight_response, reply_response, unauthorized,
        },
        uart::{Deframer, Event, FlowControl, UnitEncoder},
    },
};
use serde_json::Value;
use std::time::Duration;

/// The face for HTTP.
pub(super) const HTTP: &str = "rpc-http";
/// The face for WebSocket, if it is another one.
pub(super) const WEBSOCKET: &str = "rpc-websocket";
/// The serial line.
pub(super) const SERIAL: &str = "rpc-serial";

/// The way a reply goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// Answer of an HTTP exchange.
    Http {
        exchange: ExchangeId,
        form: Form,
        keep_alive: bool,
    },
    /// A WebSocket.
    Socket(SocketId),
    /// A serial line.
    Line(StreamId),
    /// The broker; the topic is in the request.
    Broker,
}

/// One serial line; both switches of the encoder are off after a boot.
#[derive(Debug)]
pub(super) struct Line {
    deframer: Deframer,
    encoder: UnitEncoder,
    /// The caller said XOFF.
    held: bool,
    waiting: Vec<u8>,
}

impl Default for Line {
    fn default() -> Self {
        Line {
            deframer: Deframer::unit(),
            encoder: UnitEncoder::new(),
            held: false,
            waiting: Vec::new(),
        }
    }
}

/// The WebSocket the board opens by itself.
#[derive(Debug)]
pub(super) struct ServerLink {
    delay: Duration,
}

impl Default for ServerLink {
    fn default() -> Self {
        ServerLink { delay: FIRST_DELAY }
    }
}

impl OtaAgent {
    /// A request on a face.
    pub(super) fn http_request(
        &mut self,
        exchange: ExchangeId,
        request: &Request,
        context: &mut Context<'_>,
    ) {
        let upgrade = request.headers.get("Upgrade").unwrap_or_default();
        if upgrade.eq_ignore_ascii_case("websocket") && matches!(request.path(), "/rpc" | "/rpc/") {
            let socket = SocketId(self.next_socket);
            self.next_socket += 1;
            let mut headers = Headers::new();
            if let Some(offered) = request.headers.get("Sec-WebSocket-Protocol") {
                headers.push("Sec-WebSocket-Protocol", offered);
            }
            return context.accept_ws(exchange, socket, headers);
        }
        let call = match parse_request(request) {
            Ok(call) => call,
            Err(NotACall::OtherPath) => {
                let answer = hil_wire::http::Response::new(404).header("Connection", "close");
                return context.answer(exchange, answer);
            }
            Err(NotACall::InvalidFrame(_)) => return context.answer(exchange, invalid_request()),
        };
        if call.form == Form::Preflight {
            return context.answer(exchange, preflight_response(call.keep_alive));
        }
        let mut frame = call.frame;
        if !frame.is_for(&[&self.id]) {
            return context.answer(exchange, invalid_request());
        }
        if call.form != Form::Frame {
            frame.id = Some(Id::from(1));
        }
        let header = request.headers.get("Authorization");
        let given = header.and_then(Credentials::from_header);
        let given = given.or_else(|| frame.auth.as_ref().map(Credentials::from_auth));
        let digest = DigestContext::Http {
            method: &request.method,
            uri: &request.target,
        };
        let way = Way::Http {
            exchange,
            form: call.form,
            keep_alive: call.keep_alive,
        };
        self.frame_received(way, frame, "HTTP", given, digest, context);
    }

    /// A WebSocket is open.
    pub(super) fn socket_opened(&mut self, socket: SocketId) {
        self.sockets.insert(socket, Vec::new());
        if socket == SERVER_SOCKET {
            self.server.delay = FIRST_DELAY;
        }
    }

    /// A WebSocket has ended; the one to the server is opened again, later each time.
    pub(super) fn socket_closed(&mut self, socket: SocketId, context: &mut Context<'_>) {
        self.sockets.remove(&socket);
        if socket == SERVER_SOCKET {
            context.timer(SERVER_TIMER, self.server.delay);
            self.server.delay = (self.server.delay * 2).min(LONGEST_DELAY);
        }
    }

    /// Opens the WebSocket to the server, if there is one.
    pub(super) fn reach_server(&mut self, context: &mut Context<'_>) {
        let url = context.setup.endpoints.get("rpc_server_url").to_owned();
        let wanted = context.setup.ics.get("websocket_client").and_then(Value::as_bool);
        if url.is_empty() || wanted == Some(false) {
            return;
        }
        let call = HttpCall::new("GET", url)
            .header("Sec-WebSocket-Protocol", "json-rpc")
            .header("Origin", "https://mongoose-os.com");
        context.open_ws(SERVER_SOCKET, call);
    }

    /// One WebSocket frame.
    pub(super) fn socket_frame(&mut self, socket: SocketId, frame: &Message, context: &mut Context<'_>) {
        match frame.opcode {
            0..=2 => {
                let message = self.sockets.entry(socket).or_default();
                message.extend_from_slice(&frame.payload);
                if frame.fin {
                    let message = std::mem::take(message);
                    self.socket_message(socket, &message, context);
                }
            }
            8 => {
                context.send_ws(socket, Message::new(8, frame.payload.clone()));
                context.close_ws(socket);
                self.socket_closed(socket, context);
            }
            9 => context.send_ws(socket, Message::new(10, frame.payload.clone())),
            _ => {}
        }
    }

    fn socket_message(&mut self, socket: SocketId, message: &[u8], context: &mut Context<'_>) {
        let decoded = decode(message.trim_ascii_end());
        let valid = decoded.is_valid();
        let Some(frame) = decoded.value.filter(|_| valid) else {
            // An invalid frame costs its channel.
            context.send_ws(socket, Message::new(8, 1003_u16.to_be_bytes().to_vec()));
            context.close_ws(socket);
            return self.socket_closed(socket, context);
        };
        let channel = if socket == SERVER_SOCKET {
            "WS_out"
        } else {
            "WS_in"
        };
        self.framed(Way::Socket(socket), frame, channel, context);
    }

    /// Bytes on a serial line.
    pub(super) fn line_bytes(&mut self, stream: StreamId, bytes: &[u8], context: &mut Context<'_>) {
        let Some(line) = self.lines.get_mut(&stream) else {
            return;
        };
        let events = line.deframer.push_read(bytes);
        let answer = line.encoder.observe(&events);
        self.line_send(stream, answer, context);
        for event in events {
            match event {
                Event::FlowControl(control) => self.line_flow(stream, control, context),
                Event::Frame(frame) if frame.crc.is_acceptable() => {
                    let decoded = decode(&frame.json);
                    let valid = decoded.is_valid();
                    if let Some(frame) = decoded.value.filter(|_| valid) {
                        self.framed(Way::Line(stream), frame, "UART", context);
                    }
                }
                Event::Frame(_) => context.console("UART: frame with a wrong checksum"),
                Event::Discarded { bytes, .. } => context.console(format!("UART: {bytes} bytes discarded")),
                Event::Eot(_) | Event::Empty(_) | Event::Junk { .. } => {}
            }
        }
    }

    fn line_flow(&mut self, stream: StreamId, control: FlowControl, context: &mut Context<'_>) {
        let Some(line) = self.lines.get_mut(&stream) else {
            return;
        };
        line.held = control == FlowControl::Xoff;
        if !line.held {
            let waiting = std::mem::take(&mut line.waiting);
            self.line_send(stream, waiting, context);
        }
    }

    fn line_send(&mut self, stream: StreamId, bytes: Vec<u8>, context: &mut Context<'_>) {
        let Some(line) = self.lines.get_mut(&stream).filter(|_| !bytes.is_empty()) else {
            return;
        };
        match line.held {
            true => line.waiting.extend(bytes),
            false => context.send_stream(stream, bytes),
        }
    }

    /// A frame on a lasting connection.
    pub(super) fn framed(&mut self, way: Way, frame: Frame, channel: &str, context: &mut Context<'_>) {
        // A frame for somebody else is not ours to answer.
        if frame.is_for(&[&self.id]) {
            let given = frame.auth.as_ref().map(Credentials::from_auth);
            self.frame_received(way, frame, channel, given, DigestContext::Frame, context);
        }
    }

    fn frame_received(
        &mut self,
        way: Way,
        frame: Frame,
        channel: &str,
        given: Option<Result<Credentials, Refusal>>,
        digest: DigestContext<'_>,
        context: &mut Context<'_>,
    ) {
        if frame.kind() == FrameKind::Reply {
            // The board asks nothing, so nobody waits for this.
            if let Way::Http { exchange, .. } = way {
                context.answer(exchange, invalid_request());
            }
            return;
        }
        let method = frame.called_method().unwrap_or_default().to_owned();
        let arguments = frame.arguments().cloned();
        let asker = Asker { way, request: frame };
        if let Some(at) = self.restart_at {
            let left = at.since(context.now()).as_millis() as u64;
            if left <= LOCKED_MILLIS {
                return self.reply(&asker, Err(RpcError::restarting(left)), context);
            }
        }
        let now_seconds = u64::try_from(context.wall_ms().div_euclid(1000)).unwrap_or(0);
        match self.access.check(&method, channel, given, digest, now_seconds) {
            Ok(()) => self.carry_out(asker, &method, arguments.as_ref(), context),
            Err(NoAccess::Silence) => {}
            Err(NoAccess::Refused(error)) => self.reply(&asker, Err(error), context),
            Err(NoAccess::Demand(challenge)) => match way {
                Way::Http { exchange, .. } => context.answer(exchange, unauthorized(&challenge)),
                _ => self.reply(&asker, Err(challenge.to_error()), context),
            },
        }
    }

    /// Answers a request; a notification is not answered.
    pub(super) fn reply(
        &mut self,
        asker: &Asker,
        outcome: Result<Value, RpcError>,
        context: &mut Context<'_>,
    ) {
        let reply = match outcome {
            Ok(result) => asker.request.reply(&self.id, result),
            Err(error) => asker.request.reply_error(&self.id, error),
        };
        let Some(reply) = reply else {
            return;
        };
        match asker.way {
            Way::Http {
                exchange,
                form,
                keep_alive,
            } => context.answer(exchange, reply_response(form, &reply, keep_alive)),
            Way::Socket(socket) => context.send_ws(socket, Message::new(1, encode(&reply))),
            Way::Broker => self.publish_reply(&reply, context),
            Way::Line(stream) => {
                let Some(line) = self.lines.get_mut(&stream) else {
                    return;
                };
                let bytes = line.encoder.frame(&encode_ascii(&reply));
                self.line_send(stream, bytes, context);
            }
        }
    }
}

const SERVER_SOCKET: SocketId = SocketId(1);
pub(super) const FIRST_DELAY: Duration = Duration::from_secs(1);
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// Calls in the last moments before a restart are refused.
const LOCKED_MILLIS: u64 = 100;
