//! Partial match of an event against what a step says.

use hil_scenario::Condition;
use hil_trace::Event;
use serde_json::{Map, Value};

/// True if every member of `pattern` is in `value`, deeply; lists must be equal in length, numbers in value.
pub(super) fn matches(pattern: &Value, value: &Value) -> bool {
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(value)) => {
            pattern.iter().all(|(name, part)| match value.get(name) {
                Some(found) => matches(part, found),
                None => part.is_null(),
            })
        }
        (Value::Array(pattern), Value::Array(value)) => {
            pattern.len() == value.len() && pattern.iter().zip(value).all(|(p, v)| matches(p, v))
        }
        (Value::Number(pattern), Value::Number(value)) => pattern.as_f64() == value.as_f64(),
        _ => pattern == value,
    }
}

/// Whether an event is the one meant; a condition that cannot be computed does not hold.
pub(crate) fn is_meant(
    event: &Event,
    name: &str,
    pattern: &Value,
    condition: Option<&Condition>,
    variables: &Map<String, Value>,
) -> bool {
    if event.full_name() != name || !matches(pattern, &Value::Object(event.fields.clone())) {
        return false;
    }
    condition.is_none_or(|condition| {
        let mut variables = variables.clone();
        variables.insert("event".to_owned(), Value::Object(event.fields.clone()));
        condition.holds(&variables).unwrap_or(false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn matches_partly_and_deeply() {
        let event = json!({"id": "a", "details": {"n": 1.0, "list": [1, 2]}});
        assert!(matches(&json!({"details": {"n": 1}}), &event));
        assert!(matches(&json!({"missing": null}), &event));
        assert!(!matches(&json!({"details": {"list": [1]}}), &event));
        assert!(!matches(&json!({"id": "b"}), &event));
    }
}
