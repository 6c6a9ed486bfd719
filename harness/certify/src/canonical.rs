//! The one accepted form of JSON: RFC 8785, so that bytes and meaning stand for each other.

use serde::Serialize;
use serde_json::Value;

/// The bytes of a value: keys in order, no space, one form of numbers and text. The types here have text as keys and no
/// endless numbers, so that nothing can go wrong; an empty result is refused by whoever reads it.
pub(crate) fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap_or_default()
}

/// The value of canonical bytes, or why they are none.
pub(crate) fn parse_canonical(bytes: &[u8]) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
    let expected = canonical(&value);
    if expected == bytes {
        return Ok(value);
    }
    let same = bytes.iter().zip(&expected).take_while(|(a, b)| a == b).count();
    Err(format!(
        "it is JSON but not in its canonical form (RFC 8785): byte {same} is not the one it has there"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_form_is_accepted() {
        assert!(parse_canonical(br#"{"a":1,"b":[true,"x"]}"#).is_ok());
        for other in [
            r#"{"b":[true,"x"],"a":1}"#,
            r#"{"a":1, "b":[true,"x"]}"#,
            r#"{"a":1,"a":1,"b":[true,"x"]}"#,
            r#"{"a":1.0,"b":[true,"x"]}"#,
            r#"{"a":1,"b":[true,"\u0078"]}"#,
            "{\"a\":1,\"b\":[true,\"x\"]}\n",
            r#"{"a":1"#,
        ] {
            assert!(parse_canonical(other.as_bytes()).is_err(), "{other}");
        }
    }
}
