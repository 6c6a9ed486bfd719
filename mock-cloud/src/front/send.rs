//! Performs what a core sends by itself; faults on messages strike here, before anything leaves.

use super::{
    Host,
    call::Limits,
    frame::{Frame, TEXT},
    link::Item,
};
use crate::core::{Operation, Send};
use bytes::Bytes;
use hil_fault::MessageEffect;
use std::rc::Rc;

/// A message on a connection.
struct Message {
    connection: u32,
    /// `None` on byte streams.
    opcode: Option<u8>,
    payload: Bytes,
}

impl Message {
    fn item(self) -> Item {
        match self.opcode {
            Some(opcode) => Item::Frame(Frame::whole(opcode, self.payload)),
            None => Item::Bytes(self.payload),
        }
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

    fn send_message(self: &Rc<Self>, message: Message, operation: &Operation) {
        let connection = message.connection;
        if !self.is_attached(connection) {
            return;
        }
        let struck = self
            .edge
            .strike_message(Some(connection), operation, |effect| match effect {
                MessageEffect::Nack { retry_after_ms } => {
                    let core = self.core.borrow();
                    let nack = core.nack_for(operation, &message.payload, *retry_after_ms);
                    nack.is_some()
                }
                MessageEffect::Silence { .. } => message.opcode.is_some(),
                _ => true,
            });
        match struck {
            Some(MessageEffect::Withhold) => {}
            Some(MessageEffect::Nack { retry_after_ms }) => {
                let nack = self
                    .core
                    .borrow()
                    .nack_for(operation, &message.payload, retry_after_ms);
                let payload = nack.map_or(message.payload, Bytes::from);
                self.queue(connection, Message { payload, ..message }.item());
            }
            Some(MessageEffect::Repeat { copies }) => {
                let item = message.item();
                for _ in 0..copies {
                    self.queue(connection, item.clone());
                }
                self.queue(connection, item);
            }
            Some(MessageEffect::Delay { span }) => {
                let host = self.clone();
                self.spawn(async move {
                    host.edge.clock.sleep(span).await;
                    host.queue(connection, message.item());
                });
            }
            Some(MessageEffect::Silence { span }) => self.queue(connection, Item::Silence(span)),
            Some(MessageEffect::Close { code }) => match message.opcode {
                Some(_) => self.queue(connection, Item::Frame(Frame::close(code))),
                None => self.queue(connection, Item::End),
            },
            Some(MessageEffect::Replace { text }) => {
                let replaced = Message {
                    connection,
                    opcode: message.opcode.map(|_| TEXT),
                    payload: text.into(),
                };
                self.queue(connection, replaced.item());
            }
            None => self.queue(connection, message.item()),
        }
    }
}
