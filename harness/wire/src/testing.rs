//! What the tests of several protocols share: samples of a reference, and properties of every codec.

use crate::{
    http::{Headers, Request},
    oddity::Decoded,
};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde::Serialize;
use serde_json::Value;

/// The samples of one set of a file.
pub(crate) fn samples(file: &str, set: &str) -> Vec<Value> {
    let parsed: Value = serde_json::from_str(file).unwrap();
    parsed[set].as_array().unwrap().clone()
}

/// The request line of a sample, which may stand in its `target`.
pub(crate) fn sample_request(sample: &Value) -> Request {
    let (method, target) = match sample["target"].as_str() {
        Some(target) if sample["request"].is_null() => target.split_once(' ').unwrap(),
        _ => (
            sample["request"]["method"].as_str().unwrap(),
            sample["request"]["path"].as_str().unwrap(),
        ),
    };
    Request::new(method, target)
}

/// The headers of a message of a sample.
pub(crate) fn sample_headers(headers: &Value) -> Headers {
    let named = headers.as_object().into_iter().flatten();
    named.fold(Headers::new(), |all, (name, value)| {
        all.with(name, value.as_str().unwrap())
    })
}

/// The body of a message of a sample, given as JSON or as text.
pub(crate) fn sample_body(message: &Value) -> Option<Vec<u8>> {
    match (&message["body"], &message["body_text"]) {
        (Value::Null, Value::Null) => None,
        (Value::Null, text) => Some(text.as_str().unwrap().as_bytes().to_vec()),
        (body, _) => Some(body.to_string().into_bytes()),
    }
}

/// What is valid encodes to the JSON it was decoded from.
pub(crate) fn assert_same_json<T: Serialize>(sample: &str, body: &[u8], decoded: &Decoded<T>) {
    if decoded.is_valid() {
        let encoded = serde_json::to_value(&decoded.value).unwrap();
        let original: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(encoded, original, "{sample}");
    }
}

/// A value survives the wire, and the order of members means nothing.
pub(crate) fn assert_round_trip<T>(value: &T, decode: fn(&[u8]) -> Decoded<T>) -> Result<(), TestCaseError>
where
    T: Serialize + PartialEq + Clone + std::fmt::Debug,
{
    let encoded = serde_json::to_value(value).unwrap();
    let expected = Decoded::clean(value.clone());
    prop_assert_eq!(&decode(encoded.to_string().as_bytes()), &expected);
    let reversed = reverse_members(&encoded);
    let decoded = decode(reversed.to_string().as_bytes());
    prop_assert!(decoded.is_valid());
    prop_assert_eq!(serde_json::to_value(decoded.value).unwrap(), encoded);
    Ok(())
}

/// The same value with the members of every object in the opposite order.
pub(crate) fn reverse_members(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(reverse_members).collect(),
        Value::Object(members) => {
            let reversed = members.iter().rev();
            Value::Object(
                reversed
                    .map(|(name, value)| (name.clone(), reverse_members(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
