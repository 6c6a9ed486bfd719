//! Reads an object the way the unit's scanner does: members one by one, until something cannot be read.

use serde_json::{Deserializer, Map, Value};

/// The complete members at the start of an object that need not end. `None` if the text does not begin
/// with an object.
pub(super) fn leading_members(text: &str) -> Option<Map<String, Value>> {
    let mut rest = text.trim_start().strip_prefix('{')?;
    let mut members = Map::new();
    loop {
        let Some((Value::String(name), after_name)) = leading_value(rest) else {
            return Some(members);
        };
        let Some(after_colon) = after_name.trim_start().strip_prefix(':') else {
            return Some(members);
        };
        let Some((value, after_value)) = leading_value(after_colon) else {
            return Some(members);
        };
        members.insert(name, value);
        match after_value.trim_start().strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some(members),
        }
    }
}

fn leading_value(text: &str) -> Option<(Value, &str)> {
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let rest = text.get(values.byte_offset()..)?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_up_to_the_break() {
        let cases = [
            (r#"{"id":1,"method":"X""#, json!({"id": 1, "method": "X"})),
            (r#" { "id" : 1 , "meth"#, json!({"id": 1})),
            (r#"{"id":12"#, json!({"id": 12})),
            (r#"{"id":1,"params":{"a":1"#, json!({"id": 1})),
            (r#"{"id":1 "x":2}"#, json!({"id": 1})),
            ("{", json!({})),
        ];
        for (text, expected) in cases {
            assert_eq!(leading_members(text).map(Value::Object), Some(expected), "{text}");
        }
        assert_eq!(leading_members("hello"), None);
    }
}
