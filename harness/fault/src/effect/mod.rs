//! What a fault does once it triggers: one family of effects for each kind of site.

mod alteration;
mod artifact;
mod bad_json;
mod cloud;
mod connection;
mod exchange;
mod handshake;
mod line;
mod message;
mod unit;

pub use alteration::{Alteration, Malformation, MessagePart, MessagePlaces};
pub use artifact::ArtifactEffect;
pub use bad_json::BadJson;
pub use cloud::CloudEffect;
pub use connection::{ConnectionEffect, Direction, Directions};
pub use exchange::{AnswerPart, ExchangeEffect, Framing, KeyState, ResetPoint, WrongPlace};
pub use handshake::{ClientRefusal, HandshakeEffect, ServerCertificate, ServerVersion};
pub use line::{LineEffect, NoiseKind};
pub use message::MessageEffect;
pub use unit::{UnitEffect, stimulus_of};

use crate::{FaultError, arguments::Arguments};
use std::fmt;

/// The effect of a fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// On one connection.
    Connection(ConnectionEffect),
    /// On one HTTP exchange.
    Exchange(ExchangeEffect),
    /// On one message of a connection that stays.
    Message(MessageEffect),
    /// On bytes of a serial line or another byte stream.
    Line(LineEffect),
    /// On one TLS handshake.
    Handshake(HandshakeEffect),
    /// On an image while it is served.
    Artifact(ArtifactEffect),
    /// On the cloud as a whole.
    Cloud(CloudEffect),
    /// On the unit itself.
    Unit(UnitEffect),
}

/// What a fault acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Site {
    /// A connection, known by the face it was made to.
    Connection,
    /// An HTTP exchange, known by the operation it asks for.
    Exchange,
    /// A message of a WebSocket, a byte stream or a call of the cloud, known by its name.
    Message,
    /// What passes on a serial line or another byte stream, known by what it is for.
    Line,
    /// A TLS handshake, known by the face of the cloud.
    Handshake,
    /// An image that is served, known by the operation that asks for it.
    Artifact,
    /// The cloud.
    Cloud,
    /// The unit.
    Unit,
}

impl Site {
    /// Every site.
    pub const ALL: [Site; 8] = [
        Site::Connection,
        Site::Exchange,
        Site::Message,
        Site::Line,
        Site::Handshake,
        Site::Artifact,
        Site::Cloud,
        Site::Unit,
    ];

    /// The word in vocabulary files.
    pub fn name(self) -> &'static str {
        match self {
            Site::Connection => "connection",
            Site::Exchange => "exchange",
            Site::Message => "message",
            Site::Line => "line",
            Site::Handshake => "handshake",
            Site::Artifact => "artifact",
            Site::Cloud => "cloud",
            Site::Unit => "unit",
        }
    }

    /// Whether its faults choose among names: operations, messages, faces.
    pub fn has_names(self) -> bool {
        !matches!(self, Site::Cloud | Site::Unit)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Effect {
    /// What it acts on.
    pub fn site(&self) -> Site {
        match self {
            Effect::Connection(_) => Site::Connection,
            Effect::Exchange(_) => Site::Exchange,
            Effect::Message(_) => Site::Message,
            Effect::Line(_) => Site::Line,
            Effect::Handshake(_) => Site::Handshake,
            Effect::Artifact(_) => Site::Artifact,
            Effect::Cloud(_) => Site::Cloud,
            Effect::Unit(_) => Site::Unit,
        }
    }

    /// The effect of a fault by its full name, such as `cloud.status`.
    pub(crate) fn parse(name: &str, read: &Arguments<'_>) -> Result<Effect, FaultError> {
        let (family, kind) = name.split_once('.').unwrap_or((name, ""));
        let effect = match family {
            "cloud" => match (
                ExchangeEffect::parse(kind, read)?,
                CloudEffect::parse(kind, read)?,
            ) {
                (Some(effect), _) => Some(Effect::Exchange(effect)),
                (None, Some(effect)) => Some(Effect::Cloud(effect)),
                (None, None) => MessageEffect::parse(kind, read)?.map(Effect::Message),
            },
            "artifact" => ArtifactEffect::parse(kind, read)?.map(Effect::Artifact),
            "tls" => HandshakeEffect::parse(kind, read)?.map(Effect::Handshake),
            "line" => LineEffect::parse(kind, read)?.map(Effect::Line),
            "net" => ConnectionEffect::parse(kind, read)?.map(Effect::Connection),
            "unit" => UnitEffect::parse(kind, read)?.map(Effect::Unit),
            _ => None,
        };
        effect.ok_or_else(|| FaultError::UnknownFault(name.to_owned()))
    }
}
