//! What is in the store, and how it comes back.

use super::{AosCloud, Blob, Change, Outgoing, Value, json};
use base64::{Engine, engine::general_purpose::STANDARD};

/// Messages not yet acknowledged, by number.
pub(super) const OUTGOING: &str = "aos_outgoing";
/// Single facts: `desired`, `signers`.
pub(super) const STATE: &str = "aos_state";
/// Plain contents of blobs, by digest.
pub(super) const BLOBS: &str = "aos_blobs";

impl AosCloud {
    pub(super) fn load_document(&mut self, collection: &str, key: &str, document: &Value) {
        match (collection, key) {
            (OUTGOING, _) => {
                let (Ok(number), Some(message)) = (key.parse(), outgoing(document)) else {
                    return;
                };
                self.next_outgoing = self.next_outgoing.max(number + 1);
                self.outgoing.insert(number, message);
            }
            (BLOBS, _) => {
                let text = |name: &str| document.get(name).and_then(Value::as_str);
                let content = text("base64").and_then(|text| STANDARD.decode(text).ok());
                if let Some(content) = content {
                    let role = text("role").unwrap_or_default();
                    self.add_blob(content, role, text("part").unwrap_or_default());
                }
            }
            (_, "desired") => self.desired = document.as_object().cloned().unwrap_or_default(),
            (_, "signers") => self.signers = Some(document.clone()),
            _ => {}
        }
    }
}

/// The document of a message that waits for its ack.
pub(super) fn put_outgoing(number: u64, message: &Outgoing) -> Change {
    Change::Put {
        collection: OUTGOING,
        key: format!("{number:012}"),
        document: json!({
            "txn": message.txn,
            "message": message.message,
            "text": String::from_utf8_lossy(&message.payload),
        }),
    }
}

/// The message that waited was acknowledged.
pub(super) fn delete_outgoing(number: u64) -> Change {
    Change::Delete {
        collection: OUTGOING,
        key: format!("{number:012}"),
    }
}

/// A single fact.
pub(super) fn put_state(key: &str, document: Value) -> Change {
    Change::Put {
        collection: STATE,
        key: key.to_owned(),
        document,
    }
}

/// A blob's plain content.
pub(super) fn put_blob(digest: &str, blob: &Blob) -> Change {
    Change::Put {
        collection: BLOBS,
        key: digest.to_owned(),
        document: json!({"base64": STANDARD.encode(&blob.content), "role": blob.role, "part": blob.part}),
    }
}

fn outgoing(document: &Value) -> Option<Outgoing> {
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Outgoing {
        txn: text("txn")?,
        message: text("message")?,
        payload: text("text")?.into_bytes(),
    })
}
