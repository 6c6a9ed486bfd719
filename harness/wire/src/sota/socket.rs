//! The socket gateway: text commands with JSON answers, and events in a wrapper of their own (section 2.3).

use super::{
    dialect::Dialect,
    download::DownloadComplete,
    event::Event,
    members::{Codes, Context, Members, Read},
};
use crate::{
    json,
    oddity::{Decoded, OddityKind},
};
use serde_json::{Value, json};

/// Version in the wrapper.
pub const VERSION: &str = "0.1";

/// What a rejected command is known to be answered with, before a description of it.
pub const REJECTION_PREFIX: &str = "Unknown Command: ";

/// An event on the events socket. No others are sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// An image is ready for the installer.
    DownloadComplete(DownloadComplete),
    /// A download failed.
    DownloadFailed {
        /// Id of the update.
        update_id: String,
        /// Why.
        reason: String,
    },
}

impl SocketEvent {
    /// The form an event takes on the events socket; `None` if it is not sent there.
    pub fn of(event: &Event) -> Option<SocketEvent> {
        match event {
            Event::DownloadComplete(download) => Some(SocketEvent::DownloadComplete(download.clone())),
            Event::DownloadFailed(update_id, reason) => Some(SocketEvent::DownloadFailed {
                update_id: update_id.clone(),
                reason: reason.clone(),
            }),
            _ => None,
        }
    }

    /// The event it tells of.
    pub fn into_event(self) -> Event {
        match self {
            SocketEvent::DownloadComplete(download) => Event::DownloadComplete(download),
            SocketEvent::DownloadFailed { update_id, reason } => Event::DownloadFailed(update_id, reason),
        }
    }

    /// Decodes what one connection to the events socket carried.
    pub fn decode(bytes: &[u8]) -> Decoded<SocketEvent> {
        let parsed = json::parse(bytes);
        let mut context = Context::new(Dialect::Rustc, Codes::Numbers);
        context.oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| read(&value, &mut context));
        Decoded {
            value,
            oddities: context.oddities,
        }
    }

    /// The event as JSON.
    pub fn to_value(&self) -> Value {
        match self {
            SocketEvent::DownloadComplete(download) => {
                json!({"version": VERSION, "event": "DownloadComplete", "data": download.to_value()})
            }
            SocketEvent::DownloadFailed { update_id, reason } => json!({
                "version": VERSION,
                "event": "DownloadFailed",
                "data": {"update_id": update_id, "reason": reason},
            }),
        }
    }
}

/// The answer to a text command.
#[derive(Clone, Debug, PartialEq)]
pub enum SocketReply {
    /// JSON: the final event.
    Event(Decoded<Event>),
    /// Plain text: the command was rejected.
    Rejected {
        /// The text.
        text: String,
        /// It begins with the known prefix.
        known_prefix: bool,
    },
    /// Nothing at all, as after `Shutdown`.
    Nothing,
}

impl SocketReply {
    /// Tells event and rejection apart: what is JSON is an event.
    pub fn decode(bytes: &[u8], dialect: Dialect) -> SocketReply {
        if bytes.is_empty() {
            return SocketReply::Nothing;
        }
        let event = Event::decode(bytes, dialect);
        let is_json = !event
            .oddities
            .iter()
            .any(|o| matches!(o.kind, OddityKind::Syntax | OddityKind::Encoding));
        if is_json && !event.oddities.iter().any(|o| is_surplus_text(o.kind, &o.path)) {
            return SocketReply::Event(event);
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        SocketReply::Rejected {
            known_prefix: is_rejection(&text),
            text,
        }
    }
}

/// The text a command is rejected with.
pub fn rejection(command: &str) -> String {
    format!("{REJECTION_PREFIX}{command}")
}

/// True if a text begins like a known rejection.
pub fn is_rejection(text: &str) -> bool {
    text.starts_with(REJECTION_PREFIX)
}

/// Bytes after a complete JSON text: then the whole is no JSON.
fn is_surplus_text(kind: OddityKind, path: &str) -> bool {
    kind == OddityKind::Surplus && path.is_empty()
}

fn read(value: &Value, context: &mut Context) -> Option<SocketEvent> {
    let mut members = Members::of(value, "", context)?;
    let version: Option<String> = members.get("version", context);
    if let Some(version) = version.as_deref().filter(|&version| version != VERSION) {
        context.invalid(
            OddityKind::InvalidValue,
            "/version",
            format!("is `{version}`, not `{VERSION}`"),
        );
    }
    let name: Option<String> = members.get("event", context);
    let event = match name.as_deref() {
        Some("DownloadComplete") => members.get("data", context).map(SocketEvent::DownloadComplete),
        Some("DownloadFailed") => members
            .get("data", context)
            .map(|Failure { update_id, reason }| SocketEvent::DownloadFailed { update_id, reason }),
        Some(name) => {
            let detail = format!("`{name}` is not sent on the events socket");
            context.invalid(OddityKind::UnknownName, "/event", detail);
            return None;
        }
        None => None,
    };
    if event.is_some() {
        members.note_unknown(context);
    }
    version.and(event)
}

struct Failure {
    update_id: String,
    reason: String,
}

impl Read for Failure {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let update_id = members.get("update_id", context);
        let reason = members.get("reason", context);
        members.note_unknown(context);
        Some(Failure {
            update_id: update_id?,
            reason: reason?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_apart_by_being_json() {
        let decode = |text: &str| SocketReply::decode(text.as_bytes(), Dialect::Rustc);
        assert_eq!(
            decode("\"Authenticated\""),
            SocketReply::Event(Decoded::clean(Event::Authenticated))
        );
        assert!(matches!(
            decode(&rejection("bogus")),
            SocketReply::Rejected {
                known_prefix: true,
                ..
            }
        ));
        assert!(matches!(
            decode("IO error: invalid"),
            SocketReply::Rejected {
                known_prefix: false,
                ..
            }
        ));
        assert!(matches!(decode("42 is wrong"), SocketReply::Rejected { .. }));
        assert_eq!(decode(""), SocketReply::Nothing);
    }
}
