//! Messages of the cloud: how they are made, and how they leave (reference sections 1.1 and 3).

use super::{AosCloud, Now, Operation, Outputs, Send, Value, document, json};
use hil_wire::timestamp::format_micros;
use rand::RngCore;
use serde_json::Map;

/// Opcode of text frames.
pub(super) const TEXT: u8 = 1;
/// Opcode of binary frames: the only ones that carry messages.
pub(super) const BINARY: u8 = 2;
/// Opcode of pings.
pub(super) const PING: u8 = 9;

/// A message the unit has to acknowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// Transaction.
    pub(super) txn: String,
    /// Its type.
    pub(super) message: String,
    /// The JSON text.
    pub(super) payload: Vec<u8>,
}

impl Outgoing {
    /// What faults know it by.
    pub(super) fn operation(&self) -> Operation {
        Operation {
            name: self.message.clone(),
            facts: Map::from_iter([("txn".to_owned(), json!(self.txn))]),
        }
    }
}

impl AosCloud {
    /// A fresh UUID of version 4.
    pub(super) fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    pub(super) fn header(&self, now: Now, txn: &str) -> Value {
        json!({
            "version": 7,
            "systemId": self.system_id(),
            "createdAt": format_micros(now.unix_ms.saturating_mul(1000)),
            "txn": txn,
        })
    }

    /// A message with a new transaction; `data` without its type.
    pub(super) fn compose(&mut self, now: Now, message: &str, data: &Value) -> Outgoing {
        let txn = self.uuid();
        let envelope = json!({"header": self.header(now, &txn), "data": with_type(message, data)});
        Outgoing {
            txn,
            message: message.to_owned(),
            payload: envelope.to_string().into_bytes(),
        }
    }

    /// Promises a message to the unit: it is kept until acknowledged, and sent now if the unit is there. Returns its
    /// transaction.
    pub(super) fn post(&mut self, now: Now, message: &str, data: &Value, out: &mut Outputs) -> String {
        let outgoing = self.compose(now, message, data);
        self.promise(now, outgoing, out)
    }

    pub(super) fn promise(&mut self, now: Now, outgoing: Outgoing, out: &mut Outputs) -> String {
        let number = self.next_outgoing;
        self.next_outgoing += 1;
        out.changes.push(document::put_outgoing(number, &outgoing));
        self.transmit(&outgoing, out);
        if self.connected.is_some() {
            self.patience.sent(number, now.stamp);
        }
        let txn = outgoing.txn.clone();
        self.outgoing.insert(number, outgoing);
        txn
    }

    /// Sends a message if the unit is there.
    pub(super) fn transmit(&self, message: &Outgoing, out: &mut Outputs) {
        if let Some(open) = &self.connected {
            out.sends.push(Send::WebSocket {
                connection: open.connection,
                opcode: BINARY,
                payload: message.payload.clone(),
                operation: message.operation(),
            });
        }
    }

    /// Acknowledges a message of the unit. Faults know the ack by its own name and by that of the message.
    pub(super) fn acknowledge(&self, now: Now, connection: u32, txn: &str, message: &str, out: &mut Outputs) {
        let envelope = json!({"header": self.header(now, txn), "data": {"messageType": "ack"}});
        let facts = json!({"txn": txn, "answers": message});
        out.sends.push(Send::WebSocket {
            connection,
            opcode: BINARY,
            payload: envelope.to_string().into_bytes(),
            operation: Operation {
                name: "ack".to_owned(),
                facts: facts.as_object().cloned().unwrap_or_default(),
            },
        });
    }

    /// The unit acknowledged a message; true if one waited for it.
    pub(super) fn acknowledged(&mut self, txn: &str, out: &mut Outputs) -> bool {
        let number = self
            .outgoing
            .iter()
            .find(|(_, m)| m.txn == txn)
            .map(|(number, _)| *number);
        if let Some(number) = number {
            self.outgoing.remove(&number);
            self.patience.acknowledged(number);
            out.changes.push(document::delete_outgoing(number));
        }
        number.is_some()
    }
}

/// `data` with its `messageType` first.
pub(super) fn with_type(message: &str, data: &Value) -> Value {
    let mut members = Map::from_iter([("messageType".to_owned(), json!(message))]);
    members.extend(data.as_object().cloned().unwrap_or_default());
    Value::Object(members)
}

/// The nack in place of an ack: the same header (reference section 3.16).
pub(super) fn nack_from_ack(payload: &[u8], retry_after_ms: Option<i64>) -> Option<Vec<u8>> {
    let mut envelope: Value = serde_json::from_slice(payload).ok()?;
    let mut data = json!({"messageType": "nack"});
    if let Some(retry_after) = retry_after_ms {
        data["retryAfter"] = json!(retry_after);
    }
    *envelope.get_mut("data")? = data;
    Some(envelope.to_string().into_bytes())
}
