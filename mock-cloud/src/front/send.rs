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
use hil_wire::ota_rpc::mqtt::{Packet, Publish, QoS, encode};
use std::rc::Rc;

/// A message on a connection.
struct Message {
    connection: u32,
    form: Form,
    payload: Bytes,
}

/// What a message goes out as.
#[derive(Clone)]
enum Form {
    /// A WebSocket message.
    WebSocket { opcode: u8 },
    /// Bytes as they are.
    Bytes,
    /// An MQTT message; its payload is that of the message.
    Mqtt(Publish),
}

impl Form {
    /// A further copy of the message, as its receiver is told of it.
    fn again(&self) -> Form {
        match self {
            Form::Mqtt(publish) => Form::Mqtt(Publish {
                dup: publish.qos != QoS::AtMostOnce,
                ..publish.clone()
            }),
            other => other.clone(),
        }
    }
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
                opcode: match self.form {
                    Form::WebSocket { opcode } if index == 0 => opcode,
                    _ => 0,
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
                    form: Form::WebSocket { opcode },
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
                    form: Form::Bytes,
                    payload: payload.into(),
                };
                self.send_message(message, &operation);
            }
            Send::Publish {
                connection,
                publish,
                operation,
            } => {
                let message = Message {
                    connection,
                    payload: publish.payload.clone(),
                    form: Form::Mqtt(publish),
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
            form: Form::WebSocket { opcode: PONG },
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
                MessageEffect::Silence { .. } => !matches!(message.form, Form::Bytes),
                MessageEffect::Opcode { .. } | MessageEffect::Fragment { .. } => {
                    matches!(message.form, Form::WebSocket { .. })
                }
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
        match message.form {
            Form::WebSocket { opcode } => return Item::Frame(Frame::whole(opcode, message.payload)),
            Form::Mqtt(mut publish) => {
                publish.payload = message.payload;
                let packet = encode(&Packet::Publish(publish));
                return Item::Bytes(vec![LinePart::whole(&packet)]);
            }
            Form::Bytes => {}
        }
        match self.edge.strike_line(message.connection, operation) {
            Some((LineEffect::Silence { span }, _)) => Item::Silence(span),
            Some((effect, draw)) => Item::Bytes(effect.shape(&message.payload, self.baud_rate, draw)),
            None => Item::Bytes(vec![LinePart::whole(&message.payload)]),
        }
    }

    fn disturb(self: &Rc<Self>, message: Message, operation: &Operation, effect: MessageEffect, draw: u64) {
        let connection = message.connection;
        let form = message.form.clone();
        let with = |payload: Vec<u8>| Message {
            connection,
            form: form.clone(),
            payload: payload.into(),
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
                let again = Message {
                    connection,
                    form: message.form.again(),
                    payload: message.payload.clone(),
                };
                self.queue(connection, self.item(message, operation));
                let item = self.item(again, operation);
                for _ in 0..copies {
                    self.queue(connection, item.clone());
                }
            }
            MessageEffect::Delay { span } if let Form::Mqtt(publish) = message.form => {
                let host = self.clone();
                self.spawn(async move {
                    host.edge.clock.sleep(span).await;
                    host.tell(|core, now, out| core.held_back(now, &publish, out))
                        .await;
                });
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
            MessageEffect::Close { code } => match message.form {
                Form::WebSocket { .. } => self.queue(connection, Item::Frame(Frame::close(code))),
                Form::Bytes | Form::Mqtt(_) => self.queue(connection, Item::End),
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
                let form = Form::WebSocket { opcode };
                self.queue(connection, self.item(Message { form, ..message }, operation));
            }
            MessageEffect::Fragment { parts, pings } => {
                for frame in message.fragments(parts, pings) {
                    self.queue(connection, Item::Frame(frame));
                }
            }
            MessageEffect::Replace { text } => {
                let form = match message.form {
                    Form::WebSocket { .. } => Form::WebSocket { opcode: TEXT },
                    other => other,
                };
                let replaced = Message {
                    connection,
                    form,
                    payload: text.into(),
                };
                self.queue(connection, self.item(replaced, operation));
            }
        }
    }
}
