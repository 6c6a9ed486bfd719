//! Frames to messages and back. A message without anything odd takes the fast path, one pass straight into the
//! types; everything else is walked member by member, and what is odd is reported with its place.

use super::{
    direction::{Dialect, Direction, direction_allowed},
    envelope::{Envelope, EnvelopeRef, Header, TwoMembers},
    message::{Message, MessageType, TypeAnywhere, Unreadable},
    part::{self, Part},
    report::{Context, Fault, Place, Report},
    rule::Rules,
    text::Text,
};
use crate::{
    json,
    oddity::{Decoded, OddityKind, Weight},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, value::RawValue};
use std::marker::PhantomData;

/// Decodes the payload of one WebSocket message.
///
/// The value is `None` only if the payload is no JSON object with a `header` object. A body that cannot be
/// typed becomes [`Message::Unreadable`] under its header, so that a receiver can still answer.
pub fn decode(frame: &[u8], direction: Direction, dialect: Dialect) -> Decoded<Envelope> {
    if let Ok(text) = simdutf8::basic::from_utf8(frame)
        && let Ok(envelope) = decode_clean(text, direction, dialect)
    {
        return Decoded::clean(envelope);
    }
    decode_thoroughly(frame, direction, dialect)
}

/// Why the fast path leaves a message to [`decode`].
#[derive(Debug, thiserror::Error)]
pub enum FastPathError {
    /// Not JSON, or not of a known form to the letter.
    #[error("not a message to the letter: {0}")]
    Json(#[from] serde_json::Error),
    /// Of a known form, with a value [`decode`] has something to say about.
    #[error("a value of the message is odd")]
    Odd,
}

/// Decodes a message that has nothing odd, with strings borrowed from its text. Whatever this refuses is for
/// [`decode`], which explains; what this accepts, [`decode`] accepts without oddities.
pub fn decode_fast(
    text: &str,
    direction: Direction,
    dialect: Dialect,
) -> Result<EnvelopeRef<'_>, FastPathError> {
    decode_clean(text, direction, dialect)
}

/// The JSON text of a message, members in the order of the reference.
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    // writing into memory, with string keys only, cannot fail
    serde_json::to_vec(envelope).unwrap_or_default()
}

fn decode_clean<'a, S: Text + Part + Deserialize<'a>>(
    text: &'a str,
    direction: Direction,
    dialect: Dialect,
) -> Result<Envelope<S>, FastPathError> {
    let envelope: Envelope<S> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(error) => two_steps(text).map_err(|_| error)?,
    };
    let context = Context { direction, dialect };
    let allowed = envelope
        .data
        .message_type()
        .is_some_and(|message_type| direction_allowed(message_type, direction, dialect));
    if allowed && envelope.is_clean(context) {
        Ok(envelope)
    } else {
        Err(FastPathError::Odd)
    }
}

/// The way for messages whose `messageType` is not the first member of `data`: find it, then read the body.
fn two_steps<'a, S: Text + Deserialize<'a>>(text: &'a str) -> Result<Envelope<S>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let (header, raw): (Header<S>, &'a RawValue) = deserializer.deserialize_map(TwoMembers(PhantomData))?;
    deserializer.end()?;
    #[derive(Deserialize)]
    struct Peek {
        #[serde(rename = "messageType")]
        message_type: MessageType,
    }
    let peek: Peek = serde_json::from_str(raw.get())?;
    let data = serde_json::Deserializer::from_str(raw.get())
        .deserialize_map(TypeAnywhere(peek.message_type, PhantomData))?;
    Ok(Envelope { header, data })
}

/// The way that explains.
fn decode_thoroughly(frame: &[u8], direction: Direction, dialect: Dialect) -> Decoded<Envelope> {
    let Decoded { value, oddities } = json::parse(frame);
    let mut report = Report::new(Context { direction, dialect }, oddities);
    let value = value.and_then(|value| read_envelope(&value, &mut report));
    Decoded {
        value,
        oddities: report.oddities,
    }
}

fn read_envelope(value: &Value, report: &mut Report) -> Option<Envelope> {
    let root = Place::Root;
    let slots = part::open(value, &root, &[&["header"], &["data"]], report)?;
    let [header, data] = slots.as_slice() else {
        return None;
    };
    let header: Option<Header> = part::read_required(*header, &root, "header", &Rules::NONE, report);
    let data = match data {
        Some((key, data)) => read_data(data, &root.member(key), report),
        None => {
            let missing = Fault::invalid(OddityKind::MissingMember, "this member is required");
            report.tell(&root.member("data"), missing);
            Message::Unreadable(Unreadable { data: Value::Null })
        }
    };
    let envelope = Envelope {
        header: header?,
        data,
    };
    if let Some(fault) = envelope.txn_fault(report.context) {
        report.tell(&root.member("header").member("txn"), fault);
    }
    Some(envelope)
}

fn read_data(data: &Value, place: &Place<'_>, report: &mut Report) -> Message {
    let unreadable = || Message::Unreadable(Unreadable { data: data.clone() });
    let Some(object) = data.as_object() else {
        report.wrong_type(place, "an object");
        return unreadable();
    };
    let Some(key) = type_key(object, report.context) else {
        let missing = Fault::invalid(OddityKind::MissingMember, "this member is required");
        report.tell(&place.member("messageType"), missing);
        return unreadable();
    };
    let here = place.member(&key);
    if key != "messageType" {
        report.tell(
            &here,
            Fault::tolerable(OddityKind::Dialect, "another spelling of `messageType`"),
        );
    }
    let claimed = object.get(&key).unwrap_or(&Value::Null);
    let Some(message_type) = MessageType::read(claimed, &here, &Rules::NONE, report) else {
        return unreadable();
    };
    if let Some(fault) = direction_fault(message_type, report.context) {
        report.tell(&here, fault);
    }
    let mut body = object.clone();
    body.shift_remove(&key);
    Message::read_body(message_type, &Value::Object(body), place, report).unwrap_or_else(unreadable)
}

/// The member that holds the type: the defined name, or from the cloud another spelling of it.
fn type_key(object: &serde_json::Map<String, Value>, context: Context) -> Option<String> {
    let defined = "messageType";
    if object.contains_key(defined) {
        return Some(defined.to_owned());
    }
    let alike = |key: &&String| context.is_from_cloud() && key.eq_ignore_ascii_case(defined);
    object.keys().find(alike).cloned()
}

fn direction_fault(message_type: MessageType, context: Context) -> Option<Fault> {
    let Context { direction, dialect } = context;
    if direction_allowed(message_type, direction, dialect) {
        return None;
    }
    let kind = if direction_allowed(message_type, direction, dialect.other()) {
        OddityKind::Dialect
    } else {
        OddityKind::UnknownName
    };
    let detail = format!("`{message_type}` does not travel from {direction} in the {dialect} dialect");
    Some(Fault::weighing(Weight::Invalid, kind, detail))
}

#[cfg(test)]
pub(crate) fn decode_only_thoroughly(
    frame: &[u8],
    direction: Direction,
    dialect: Dialect,
) -> Decoded<Envelope> {
    decode_thoroughly(frame, direction, dialect)
}
