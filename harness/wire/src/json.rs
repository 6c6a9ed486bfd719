//! JSON read strictly enough to see what serde_json's `Value` hides: duplicate members, depth, surplus bytes.

use crate::oddity::{Decoded, Oddity, OddityKind, Weight};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{cell::RefCell, fmt};

/// Parses one JSON text. Duplicate members are reported with their path (the last one wins); a byte order
/// mark, bytes after the value, bad UTF-8 and bad syntax are reported as invalid with line and column.
pub fn parse(bytes: &[u8]) -> Decoded<Value> {
    let text = match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => return Decoded::nothing(Oddity::invalid(OddityKind::Encoding, "", "not UTF-8")),
    };
    if text.starts_with('\u{feff}') {
        return Decoded::nothing(Oddity::invalid(
            OddityKind::Encoding,
            "",
            "starts with a byte order mark",
        ));
    }
    let oddities = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Node {
        path: String::new(),
        oddities: &oddities,
    }
    .deserialize(&mut deserializer);
    match value {
        Err(error) => Decoded::nothing(Oddity::invalid(
            OddityKind::Syntax,
            "",
            format!("not JSON: {error}"),
        )),
        Ok(value) => {
            let mut oddities = oddities.into_inner();
            if let Err(error) = deserializer.end() {
                oddities.push(Oddity::invalid(
                    OddityKind::Surplus,
                    "",
                    format!("bytes after the JSON text: {error}"),
                ));
            }
            Decoded {
                value: Some(value),
                oddities,
            }
        }
    }
}

/// How deep requests and answers of the HTTP protocols may nest.
pub const NESTING_LIMIT: usize = 32;

/// Parses the body of an answer: as [`parse`], and nesting beyond [`NESTING_LIMIT`] is invalid.
pub fn parse_answer(bytes: &[u8]) -> Decoded<Value> {
    let decoded = parse(bytes);
    match &decoded.value {
        Some(value) if depth(value) > NESTING_LIMIT => Decoded::nothing(Oddity::invalid(
            OddityKind::Syntax,
            "",
            format!("nested deeper than {NESTING_LIMIT} levels"),
        )),
        _ => decoded,
    }
}

/// Parses the body of a request: as [`parse_answer`], and a member that occurs twice is invalid.
pub fn parse_request(bytes: &[u8]) -> Decoded<Value> {
    let mut decoded = parse_answer(bytes);
    for oddity in &mut decoded.oddities {
        if oddity.kind == OddityKind::DuplicateMember {
            oddity.weight = Weight::Invalid;
        }
    }
    decoded
}

/// How deep arrays and objects nest: 0 for a scalar, 1 for a flat object.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A JSON pointer as error bodies name fields: `/command/command_id` becomes `command.command_id`.
pub fn field_name(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// True for `application/json`, whatever its case and parameters.
pub fn is_media_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

struct Node<'a> {
    path: String,
    oddities: &'a RefCell<Vec<Oddity>>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let path = format!("{}/{}", self.path, items.len());
            match seq.next_element_seed(Node {
                path,
                oddities: self.oddities,
            })? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = format!("{}/{}", self.path, key.replace('~', "~0").replace('/', "~1"));
            let value = map.next_value_seed(Node {
                path: path.clone(),
                oddities: self.oddities,
            })?;
            if members.insert(key, value).is_some() {
                let detail = "the member occurs twice; the last one wins";
                self.oddities
                    .borrow_mut()
                    .push(Oddity::tolerable(OddityKind::DuplicateMember, path, detail));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_what_a_plain_value_hides() {
        let decoded = parse(br#"{"a":{"b":1,"b":2}} x"#);
        assert_eq!(decoded.value, Some(serde_json::json!({"a": {"b": 2}})));
        let kinds: Vec<_> = decoded
            .oddities
            .iter()
            .map(|o| (o.kind, o.path.as_str()))
            .collect();
        assert_eq!(
            kinds,
            [(OddityKind::DuplicateMember, "/a/b"), (OddityKind::Surplus, "")]
        );
    }

    #[test]
    fn refuses_what_is_not_json() {
        for bytes in [&b"\xef\xbb\xbf{}"[..], b"", b"{", b"\xff", b"nul"] {
            assert!(parse(bytes).value.is_none(), "{bytes:?}");
        }
        assert!(parse("[".repeat(10_000).as_bytes()).value.is_none());
    }

    #[test]
    fn requests_are_read_more_strictly_than_answers() {
        let twice = br#"{"a":1,"a":2}"#;
        assert!(parse_answer(twice).is_valid());
        assert!(!parse_request(twice).is_valid());
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse_answer(nested(32).as_bytes()).is_valid());
        assert!(!parse_answer(nested(33).as_bytes()).is_valid());
        assert!(is_media_type("Application/JSON; charset=utf-8"));
        assert!(!is_media_type("text/plain"));
    }
}
