//! The client's gateways: HTTP calls, WebSockets by name, one socket connection for each text command, and the console
//! (reference section 2).

use super::command::Gateway;
use crate::core::{Now, Operation, Outputs, Send};
use hil_trace::Stamp;
use hil_wire::{
    digest::sha256_hex,
    http::{Request, Response},
    sota::console::find_outcome,
};
use serde_json::{Map, json};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Faces of the unit.
const UNIT_HTTP: &str = "sota-http";
const UNIT_WEBSOCKET: &str = "sota-websocket";
const UNIT_COMMANDS: &str = "sota-commands";
const UNIT_CONSOLE: &str = "sota-console";

/// Something to send, and how.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) gateway: Gateway,
    /// Name of the command; empty if the bytes are none.
    pub(super) command: String,
    pub(super) bytes: Vec<u8>,
    pub(super) method: String,
    pub(super) path: String,
    /// Content-Type of an HTTP request; none if empty.
    pub(super) content_type: String,
    /// The HTTP body goes out in chunks.
    pub(super) chunked: bool,
    pub(super) connection: String,
    pub(super) binary: bool,
    /// Half-close a socket after it.
    pub(super) end: bool,
    pub(super) limit: Duration,
}

/// Calls under way and connections.
#[derive(Debug, Default)]
pub(super) struct Gateways {
    calls: BTreeMap<u64, Called>,
    sockets: BTreeMap<String, Socket>,
    links: BTreeMap<u64, Purpose>,
    console: Console,
    /// Socket connections that wait for their answer.
    streams: BTreeMap<u32, u64>,
    next_call: u64,
    next_link: u64,
}

#[derive(Debug)]
struct Called {
    sending: Sending,
    deadline: Option<Stamp>,
    answered: bool,
}

#[derive(Debug, Default)]
struct Socket {
    connection: Option<u32>,
    opening: bool,
    waiting: Vec<Send>,
}

/// The console: one connection for all commands, answered in their order.
#[derive(Debug, Default)]
struct Console {
    connection: Option<u32>,
    opening: bool,
    waiting: Vec<(u64, Send)>,
    /// Calls that were typed and not answered.
    typed: VecDeque<u64>,
    line: Vec<u8>,
}

#[derive(Debug)]
enum Purpose {
    Console,
    Socket(String),
    Command(u64),
}

impl Gateways {
    /// Sends something; returns the number of the call.
    pub(super) fn send(&mut self, now: Now, sending: Sending, out: &mut Outputs) -> u64 {
        self.next_call += 1;
        let call = self.next_call;
        out.note(
            "calling",
            json!({
                "call": call,
                "gateway": sending.gateway.name(),
                "command": sending.command,
                "sha256": sha256_hex(&sending.bytes),
            }),
        );
        let operation = operation(&sending.command);
        match sending.gateway {
            Gateway::Http => {
                let mut request = Request::new(&sending.method, &sending.path);
                if !sending.content_type.is_empty() {
                    request = request.header("Content-Type", &sending.content_type);
                }
                request = match sending.chunked {
                    true => request.header("Transfer-Encoding", "chunked"),
                    false => request.header("Content-Length", sending.bytes.len().to_string()),
                };
                request.body.clone_from(&sending.bytes);
                out.sends.push(Send::Call {
                    call,
                    face: UNIT_HTTP.to_owned(),
                    request,
                    operation,
                    limit: sending.limit,
                    patience: std::time::Duration::ZERO,
                });
                self.remember(call, sending, None);
            }
            Gateway::WebSocket => self.message(&sending, operation, out),
            Gateway::Socket => {
                let link = self.link(Purpose::Command(call));
                out.sends.push(Send::Open {
                    link,
                    face: UNIT_COMMANDS.to_owned(),
                    websocket: None,
                });
                let deadline = now.stamp + sending.limit;
                self.remember(call, sending, Some(deadline));
            }
            Gateway::Console => {
                let deadline = now.stamp + sending.limit;
                self.type_in(call, line(sending.bytes.clone(), operation), out);
                self.remember(call, sending, Some(deadline));
            }
        }
        call
    }

    /// Opens a WebSocket unless it is open.
    pub(super) fn subscribe(&mut self, name: &str, out: &mut Outputs) {
        let socket = self.sockets.entry(name.to_owned()).or_default();
        if socket.opening || socket.connection.is_some() {
            return;
        }
        socket.opening = true;
        out.note("subscribing", json!({"connection": name}));
        let link = self.link(Purpose::Socket(name.to_owned()));
        out.sends.push(Send::Open {
            link,
            face: UNIT_WEBSOCKET.to_owned(),
            websocket: Some(Request::new("GET", "/")),
        });
    }

    /// Ends a WebSocket; false if there is none.
    pub(super) fn unsubscribe(&mut self, name: &str, reset: bool, out: &mut Outputs) -> bool {
        let Some(connection) = self.sockets.get(name).and_then(|socket| socket.connection) else {
            return false;
        };
        out.sends.push(match reset {
            true => Send::Reset { connection },
            false => Send::CloseWebSocket {
                connection,
                code: 1000,
            },
        });
        true
    }

    /// A connection is open, or could not be opened.
    pub(super) fn opened(&mut self, link: u64, result: Result<u32, String>, out: &mut Outputs) {
        match self.links.remove(&link) {
            Some(Purpose::Socket(name)) => {
                let socket = self.sockets.entry(name.clone()).or_default();
                socket.opening = false;
                socket.connection = result.as_ref().ok().copied();
                let waiting = std::mem::take(&mut socket.waiting);
                match result {
                    Ok(connection) => {
                        out.note("subscribed", json!({"connection": name, "number": connection}));
                        let send = |waiting| at(waiting, connection);
                        out.sends.extend(waiting.into_iter().map(send));
                    }
                    Err(reason) => {
                        out.note("not_subscribed", json!({"connection": name, "reason": reason}));
                    }
                }
            }
            Some(Purpose::Command(call)) => self.command_opened(call, result, out),
            Some(Purpose::Console) => self.console_opened(result, out),
            None => {}
        }
    }

    /// Bytes of the answer to a text command; empty = its end.
    pub(super) fn bytes(&mut self, connection: u32, payload: &[u8], out: &mut Outputs) {
        if self.console.connection == Some(connection) {
            return self.printed(payload);
        }
        let Some(call) = self.streams.get(&connection).copied() else {
            return;
        };
        if let Some(called) = self.calls.get_mut(&call) {
            called.answered |= !payload.is_empty();
        }
        if payload.is_empty() {
            self.ended(connection, out);
        }
    }

    /// A connection ended.
    pub(super) fn closed(&mut self, connection: u32, out: &mut Outputs) {
        for socket in self.sockets.values_mut() {
            if socket.connection == Some(connection) {
                socket.connection = None;
            }
        }
        if self.console.connection == Some(connection) {
            self.console = Console::default();
        }
        self.ended(connection, out);
    }

    /// The end of an HTTP call.
    pub(super) fn answered(&mut self, call: u64, result: Result<Response, String>, out: &mut Outputs) {
        if let (Some(called), Err(reason)) = (self.calls.remove(&call), result) {
            unanswered(call, &called.sending, &reason, out);
        }
    }

    /// When a text command is given up.
    pub(super) fn next_wake(&self) -> Option<Stamp> {
        self.calls.values().filter_map(|called| called.deadline).min()
    }

    /// Gives up text commands that took too long.
    pub(super) fn wake(&mut self, now: Stamp, out: &mut Outputs) {
        let late: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, called)| called.deadline.is_some_and(|deadline| deadline <= now))
            .map(|(call, _)| *call)
            .collect();
        for call in late {
            if let Some(called) = self.calls.remove(&call) {
                let reason = match called.answered {
                    true => "the answer did not end in time",
                    false => "no answer in time",
                };
                unanswered(call, &called.sending, reason, out);
            }
            self.console.typed.retain(|typed| *typed != call);
            let open = self.streams.iter().find(|(_, other)| **other == call);
            if let Some(connection) = open.map(|(connection, _)| *connection) {
                self.streams.remove(&connection);
                out.sends.push(Send::Reset { connection });
            }
        }
    }

    fn message(&mut self, sending: &Sending, operation: Operation, out: &mut Outputs) {
        self.subscribe(&sending.connection, out);
        let socket = self.sockets.entry(sending.connection.clone()).or_default();
        let message = Send::WebSocket {
            connection: socket.connection.unwrap_or_default(),
            opcode: if sending.binary { 2 } else { 1 },
            payload: sending.bytes.clone(),
            operation,
        };
        match socket.connection {
            Some(_) => out.sends.push(message),
            None => socket.waiting.push(message),
        }
    }

    /// Types a line; the console is opened for the first.
    fn type_in(&mut self, call: u64, line: Send, out: &mut Outputs) {
        self.console.typed.push_back(call);
        match self.console.connection {
            Some(connection) => out.sends.push(at(line, connection)),
            None => self.console.waiting.push((call, line)),
        }
        if self.console.connection.is_none() && !self.console.opening {
            self.console.opening = true;
            let link = self.link(Purpose::Console);
            out.sends.push(Send::Open {
                link,
                face: UNIT_CONSOLE.to_owned(),
                websocket: None,
            });
        }
    }

    fn console_opened(&mut self, result: Result<u32, String>, out: &mut Outputs) {
        self.console.opening = false;
        let waiting = std::mem::take(&mut self.console.waiting);
        match result {
            Ok(connection) => {
                self.console.connection = Some(connection);
                let lines = waiting.into_iter().map(|(_, line)| at(line, connection));
                out.sends.extend(lines);
            }
            Err(reason) => {
                for (call, _) in waiting {
                    self.console.typed.retain(|typed| *typed != call);
                    if let Some(called) = self.calls.remove(&call) {
                        unanswered(call, &called.sending, &reason, out);
                    }
                }
            }
        }
    }

    /// What the console printed: each line with an outcome answers the command typed first.
    fn printed(&mut self, payload: &[u8]) {
        for byte in payload {
            if *byte != b'\n' {
                self.console.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.console.line);
            if find_outcome(&String::from_utf8_lossy(&line)).is_some()
                && let Some(call) = self.console.typed.pop_front()
            {
                self.calls.remove(&call);
            }
        }
    }

    fn command_opened(&mut self, call: u64, result: Result<u32, String>, out: &mut Outputs) {
        match result {
            Ok(connection) => {
                let Some(called) = self.calls.get(&call) else {
                    out.sends.push(Send::Reset { connection });
                    return;
                };
                self.streams.insert(connection, call);
                out.note("command_socket", json!({"call": call, "number": connection}));
                if !called.sending.bytes.is_empty() {
                    out.sends.push(Send::Bytes {
                        connection,
                        payload: called.sending.bytes.clone(),
                        operation: operation(&called.sending.command),
                    });
                }
                if called.sending.end {
                    out.sends.push(Send::End { connection });
                }
            }
            Err(reason) => {
                if let Some(called) = self.calls.remove(&call) {
                    unanswered(call, &called.sending, &reason, out);
                }
            }
        }
    }

    fn ended(&mut self, connection: u32, out: &mut Outputs) {
        if let Some(call) = self.streams.remove(&connection)
            && let Some(called) = self.calls.remove(&call)
            && !called.answered
        {
            unanswered(call, &called.sending, "the connection ended", out);
        }
    }

    fn remember(&mut self, call: u64, sending: Sending, deadline: Option<Stamp>) {
        let called = Called {
            sending,
            deadline,
            answered: false,
        };
        self.calls.insert(call, called);
    }

    fn link(&mut self, purpose: Purpose) -> u64 {
        self.next_link += 1;
        self.links.insert(self.next_link, purpose);
        self.next_link
    }
}

/// A line for the console, once it is open.
fn line(payload: Vec<u8>, operation: Operation) -> Send {
    Send::Bytes {
        connection: 0,
        payload,
        operation,
    }
}

/// What faults know a command by.
fn operation(command: &str) -> Operation {
    Operation {
        name: "command".to_owned(),
        facts: Map::from_iter([("command".to_owned(), json!(command))]),
    }
}

fn unanswered(call: u64, sending: &Sending, reason: &str, out: &mut Outputs) {
    out.note(
        "unanswered",
        json!({
            "call": call,
            "command": sending.command,
            "gateway": sending.gateway.name(),
            "reason": reason,
        }),
    );
}

/// A message that waited, on the connection it waited for.
fn at(waiting: Send, number: u32) -> Send {
    match waiting {
        Send::WebSocket {
            opcode,
            payload,
            operation,
            ..
        } => Send::WebSocket {
            connection: number,
            opcode,
            payload,
            operation,
        },
        Send::Bytes {
            payload, operation, ..
        } => Send::Bytes {
            connection: number,
            payload,
            operation,
        },
        other => other,
    }
}
