//! The envelope every message travels in: `header` and `data` (reference section 1.1).

use super::{
    acknowledgement::{Ack, Nack},
    message::Message,
    object::object,
    part::Part,
    report::{Context, Fault},
    rule::{Missing, NumberRule, Rules, TextRule},
    shape,
    text::{BorrowedText, Text},
};
use crate::oddity::OddityKind;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
    ser::SerializeMap,
};
use std::{fmt, marker::PhantomData};

/// The protocol version in every header.
pub const PROTOCOL_VERSION: i64 = 7;

object! {
    /// Who sent a message, when, and its transaction id. Decoded headers hold 0 or an empty string for a
    /// member that was missing or broken; an oddity says so.
    #[derive(Eq, Default)]
    pub struct Header<S> {
        /// Version of the protocol, 7.
        "version" => expected version: i64
            = Rules::number(NumberRule::ProtocolVersion).missing(Missing::Invalid);
        /// Id of the unit, in both directions; at most 64 characters.
        "systemId" => expected system_id: S = Rules::text(TextRule::SystemId).missing(Missing::Invalid);
        /// When the message was made, `YYYY-MM-DDTHH:MM:SS.ffffffZ`.
        "createdAt" => expected created_at: S
            = Rules::text(TextRule::Timestamp).missing(Missing::InvalidFromUnit);
        /// Transaction id: new in every message, that of the other message in ack and nack.
        "txn" => expected txn: S = Rules::text(TextRule::Transaction).missing(Missing::Invalid);
    }
}

impl Header {
    /// A header of this protocol version.
    pub fn new(system_id: impl Into<String>, created_at: impl Into<String>, txn: impl Into<String>) -> Self {
        Header {
            version: PROTOCOL_VERSION,
            system_id: system_id.into(),
            created_at: created_at.into(),
            txn: txn.into(),
        }
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<S = String> {
    /// Who, when and which transaction.
    pub header: Header<S>,
    /// What.
    pub data: Message<S>,
}

/// A message that borrows its strings from the received frame.
pub type EnvelopeRef<'a> = Envelope<BorrowedText<'a>>;

impl Envelope {
    /// A message with that header.
    pub fn new(header: Header, data: impl Into<Message>) -> Self {
        Envelope {
            header,
            data: data.into(),
        }
    }

    /// Acknowledges the message with that transaction id.
    pub fn ack(txn: impl Into<String>, system_id: impl Into<String>, created_at: impl Into<String>) -> Self {
        Envelope::new(
            Header::new(system_id, created_at, txn),
            Ack { correlation_id: None },
        )
    }

    /// Refuses the message with that transaction id for so many milliseconds; `None` leaves the member out.
    pub fn nack(
        txn: impl Into<String>,
        system_id: impl Into<String>,
        created_at: impl Into<String>,
        retry_after: Option<i64>,
    ) -> Self {
        let nack = Nack {
            correlation_id: None,
            retry_after,
        };
        Envelope::new(Header::new(system_id, created_at, txn), nack)
    }
}

impl<S: Text> Envelope<S> {
    /// True for ack and nack, which nobody acknowledges.
    pub fn is_acknowledgement(&self) -> bool {
        matches!(self.data, Message::Ack(_) | Message::Nack(_))
    }
}

impl<S: Text> Envelope<S> {
    /// True if the thorough decoder would find nothing odd in the header and the body.
    pub(crate) fn is_clean(&self, context: Context) -> bool
    where
        S: Part,
    {
        self.header.is_clean(&Rules::NONE, context)
            && self.txn_fault(context).is_none()
            && self.data.is_clean(context)
    }

    /// Units make transaction ids of one form; those of ack and nack are the cloud's.
    pub(crate) fn txn_fault(&self, context: Context) -> Option<Fault> {
        let txn = self.header.txn.as_ref();
        let own = !context.is_from_cloud() && !self.is_acknowledgement();
        (own && !txn.is_empty() && !shape::is_uuid_v4_lower(txn)).then(|| {
            let detail = "not a lower-case UUID of version 4";
            Fault::tolerable(OddityKind::InvalidValue, detail)
        })
    }
}

impl<S: Text> Serialize for Envelope<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("header", &self.header)?;
        map.serialize_entry("data", &self.data)?;
        map.end()
    }
}

impl<'de, S: Text + Deserialize<'de>> Deserialize<'de> for Envelope<S> {
    /// Strict and in one pass; `data` must start with `messageType`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (header, data) = deserializer.deserialize_map(TwoMembers(PhantomData))?;
        Ok(Envelope { header, data })
    }
}

/// Reads exactly `header` and `data`, in either order; `data` as any type.
pub(crate) struct TwoMembers<H, D>(pub(crate) PhantomData<(H, D)>);

impl<'de, H: Deserialize<'de>, D: Deserialize<'de>> Visitor<'de> for TwoMembers<H, D> {
    type Value = (H, D);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with header and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(H, D), A::Error> {
        let (mut header, mut data) = (None, None);
        while let Some(key) = map.next_key::<BorrowedText<'de>>()? {
            match &*key {
                "header" if header.is_none() => header = Some(map.next_value()?),
                "data" if data.is_none() => data = Some(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &["header", "data"])),
            }
        }
        match (header, data) {
            (Some(header), Some(data)) => Ok((header, data)),
            (None, _) => Err(de::Error::missing_field("header")),
            (_, None) => Err(de::Error::missing_field("data")),
        }
    }
}
