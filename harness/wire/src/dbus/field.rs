//! One field of a header: its code and its value. A signature is kept as text, as `su` and `(su)` are not the same.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, SeqAccess, Visitor},
    ser::SerializeTuple,
};
use std::{fmt, str::FromStr};
use zvariant::{DeserializeValue, SerializeValue, Signature, Type, Value};

/// A field.
pub(super) struct Field<'a> {
    pub(super) code: u8,
    pub(super) value: FieldValue<'a>,
}

/// What a field holds.
pub(super) enum FieldValue<'a> {
    Signature(SignatureText),
    Other(Value<'a>),
}

/// The text of a signature.
pub(super) struct SignatureText(pub(super) String);

/// Code of the field that holds the signature of the body.
pub(super) const SIGNATURE: u8 = 8;

impl Type for Field<'_> {
    const SIGNATURE: &'static Signature = <(u8, Value<'static>)>::SIGNATURE;
}

impl Type for SignatureText {
    const SIGNATURE: &'static Signature = &Signature::Signature;
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&self.code)?;
        match &self.value {
            FieldValue::Signature(text) => pair.serialize_element(&SerializeValue(text))?,
            FieldValue::Other(value) => pair.serialize_element(value)?,
        }
        pair.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(2, Fields)
    }
}

impl Serialize for SignatureText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SignatureText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        match Signature::from_str(text) {
            Ok(_) => Ok(SignatureText(text.to_owned())),
            Err(_) => Err(D::Error::custom("the signature is none")),
        }
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code and a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Field<'de>, A::Error> {
        let ended = || A::Error::custom("the field ends early");
        let code: u8 = pair.next_element()?.ok_or_else(ended)?;
        let value = match code {
            SIGNATURE => {
                let text: DeserializeValue<'de, SignatureText> = pair.next_element()?.ok_or_else(ended)?;
                FieldValue::Signature(text.0)
            }
            _ => FieldValue::Other(pair.next_element()?.ok_or_else(ended)?),
        };
        Ok(Field { code, value })
    }
}
