//! Performs what a core sends by itself; faults on messages strike here, before anything leaves.

use super::{
    Host,
    call::Limits,
    frame::{Frame, PING, PONG, TEXT},
    link::Item,
};
use crate::core::{Operation, Send};
use bytes::Bytes;
use hil_fault::{LineEffect, LinePart, MessageEffect};
use std::rc::Rc;

/// A message on a connection.
struct Message {
    connection: u32,
    /// `None` on byte streams.
    opcode: Option<u8>,
    payload: Bytes,
}

impl Message {
    /// Its fragments, about equally long, with a ping between two of them if asked for.
    fn fragments(&self, parts: usize, pings: bool) -> Vec<Frame> {
        let size = self.payload.len().div_ceil(parts).max(1);
        let last = self.payload.len().div_ceil(size).saturating_sub(1);
        let mut frames = Vec::new();
        for index in 0..=last {
            let end = self.payload.len().min((index + 1) * size);
            frames.push(Frame {
                opcode: if index == 0 {
                    self.opcode.unwrap_or(TEXT)
                } else {
                    0
                },
                fin: index == last,
                payload: self.payload.slice(index * size..end),
            });
            if pings && index < last {
                frames.push(Frame::whole(PING, Bytes::from_static(b"between")));
            }
        }
        frames
    }
}

impl Host {
    /// Performs one output; never waits.
    pub(super) fn perform(self: &Rc<Self>, send: Send) {
        match send {
            Send::WebSocket {
                connection,
                opcode,
                payload,
                operation,
            } => {
                let message = Message {
                    connection,
                    opcode: Some(opcode),
                    payload: payload.into(),
                };
                self.send_message(message, &operation);
            }
            Send::Bytes {
                connection,
                payload,
                operation,
            } => {
                let message = Message {
                    connection,
                    opcode: None,
                    payload: payload.into(),
                };
                self.send_message(message, &operation);
            }
            Send::Fragment {
                connection,
                opcode,
                fin,
                payload,
            } => {
                let payload = payload.into();
                self.queue(connection, Item::Frame(Frame { opcode, fin, payload }));
            }
            Send::CloseWebSocket { connection, code } => {
                self.queue(connection, Item::Frame(Frame::close(code)));
            }
            Send::End { connection } => self.queue(connection, Item::End),
            Send::Reset { connection } => self.reset(connection),
            Send::Call {
                call,
                face,
                request,
                operation,
                limit,
                patience,
            } => self.call(call, face, request, &operation, Limits { limit, patience }),
            Send::Open {
                link,
                face,
                websocket,
            } => self.open(link, face, websocket),
        }
    }

    /// Answers a ping; faults know the answer as `pong`.
    pub(super) fn pong(self: &Rc<Self>, connection: u32, payload: Bytes) {
        let message = Message {
            connection,
            opcode: Some(PONG),
            payload,
        };
        let operation = Operation {
            name: "pong".to_owned(),
            ..Operation::default()
        };
        self.send_message(message, &operation);
    }

    fn send_message(self: &Rc<Self>, message: Message, operation: &Operation) {
        let connection = message.connection;
        if !self.is_attached(connection) {
            return;
        }
        let places = self.core.borrow().places();
        let struck = self
            .edge
            .strike_message(Some(connection), operation, |effect| match effect {
                MessageEffect::Nack { retry_after_ms } => {
                    let core = self.core.borrow();
                    let nack = core.nack_for(operation, &message.payload, *retry_after_ms);
                    nack.is_some()
                }
                MessageEffect::Alter(alteration) => alteration.apply(&message.payload, &places, 0).is_some(),
                MessageEffect::Silence { .. }
                | MessageEffect::Opcode { .. }
                | MessageEffect::Fragment { .. } => message.opcode.is_some(),
                _ => true,
            });
        let Some((effect, draw)) = struck else {
            self.queue(connection, self.item(message, operation));
            return self.message_gone(connection);
        };
        let sends_now = !matches!(
            effect,
            MessageEffect::Withhold
                | MessageEffect::Delay { .. }
                | MessageEffect::Reorder { .. }
                | MessageEffect::Silence { .. }
                | MessageEffect::Close { .. }
                | MessageEffect::Abort { after: None }
        );
        self.disturb(message, operation, effect, draw);
        if sends_now {
            self.message_gone(connection);
        }
    }

    /// What goes out of a message. Where it goes on a byte stream, faults on lines strike it now.
    fn item(&self, message: Message, operation: &Operation) -> Item {
        if let Some(opcode) = message.opcode {
            return Item::Frame(Frame::whole(opcode, message.payload));
        }
        match self.edge.strike_line(message.connection, operation) {
            Some((LineEffect::Silence { span }, _)) => Item::Silence(span),
            Some((effect, draw)) => Item::Bytes(effect.shape(&message.payload, self.baud_rate, draw)),
            None => Item::Bytes(vec![LinePart::whole(&message.payload)]),
        }
    }

    fn disturb(self: &Rc<Self>, message: Message, operation: &Operation, effect: MessageEffect, draw: u64) {
        let connection = message.connection;
        let with = |payload: Vec<u8>| Message {
            payload: payload.into(),
            ..message
        };
        match effect {
            MessageEffect::Withhold => {}
            MessageEffect::Nack { retry_after_ms } => {
                let nack = self
                    .core
                    .borrow()
                    .nack_for(operation, &message.payload, retry_after_ms);
                if let Some(nack) = nack {
                    self.queue(connection, self.item(with(nack), operation));
                }
            }
            MessageEffect::Alter(alteration) => {
                let places = self.core.borrow().places();
                if let Some(payload) = alteration.apply(&message.payload, &places, draw) {
                    self.queue(connection, self.item(with(payload), operation));
                }
            }
            MessageEffect::Repeat { copies } => {
                let item = self.item(message, operation);
                for _ in 0..copies {
                    self.queue(connection, item.clone());
                }
                self.queue(connection, item);
            }
            MessageEffect::Delay { span } => {
                let (host, item) = (self.clone(), self.item(message, operation));
                self.spawn(async move {
                    host.edge.clock.sleep(span).await;
                    host.queue(connection, item);
                });
            }
            MessageEffect::Reorder { past } => {
                self.hold_back(connection, past, self.item(message, operation))
            }
            MessageEffect::Silence { span } => self.queue(connection, Item::Silence(span)),
            MessageEffect::Close { code } => match message.opcode {
                Some(_) => self.queue(connection, Item::Frame(Frame::close(code))),
                None => self.queue(connection, Item::End),
            },
            MessageEffect::Abort { after: None } => self.reset(connection),
            MessageEffect::Abort { after: Some(after) } => {
                self.queue(connection, self.item(message, operation));
                let host = self.clone();
                self.spawn(async move {
                    host.edge.clock.sleep(after).await;
                    host.reset(connection);
                });
            }
            MessageEffect::Opcode { opcode } => {
                let opcode = Some(opcode);
                self.queue(connection, self.item(Message { opcode, ..message }, operation));
            }
            MessageEffect::Fragment { parts, pings } => {
                for frame in message.fragments(parts, pings) {
                    self.queue(connection, Item::Frame(frame));
                }
            }
            MessageEffect::Replace { text } => {
                let replaced = Message {
                    connection,
                    opcode: message.opcode.map(|_| TEXT),
                    payload: text.into(),
                };
                self.queue(connection, self.item(replaced, operation));
            }
        }
    }
}
