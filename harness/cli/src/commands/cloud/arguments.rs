//! Arguments of the actions operators ask for, checked against the vocabulary as those of scenarios are; used by
//! [`super::admin_call`].

use hil_diagnostic::{duration_of, parse_seconds};
use hil_mock_cloud::ActError;
use hil_scenario::{Field, FieldType, Vocabulary, Word};
use hil_wire::Protocol;
use serde_json::{Map, Value};

/// The arguments of `cloud.ACTION` with durations as numbers of seconds, as clouds take them. An argument nobody
/// defined and a missing one are mistakes; an unknown action is left to the cloud.
pub(super) fn check(
    protocol: Protocol,
    action: &str,
    given: Map<String, Value>,
) -> Result<Map<String, Value>, ActError> {
    let Ok(vocabulary) = Vocabulary::embedded() else {
        return Ok(given);
    };
    match vocabulary.words(protocol).actions.get(&format!("cloud.{action}")) {
        Some(word) => check_word(word, given),
        None => Ok(given),
    }
}

fn check_word(word: &Word, mut given: Map<String, Value>) -> Result<Map<String, Value>, ActError> {
    for (name, value) in &mut given {
        match word.with.get(name) {
            None if word.open => {}
            None => {
                let known: Vec<&str> = word.with.keys().map(String::as_str).collect();
                let problem = match known.is_empty() {
                    true => "there are no arguments".to_owned(),
                    false => format!("expected one of {}", known.join(", ")),
                };
                return Err(bad(name, problem));
            }
            Some(field) => check_field(field, value).map_err(|problem| bad(name, problem))?,
        }
    }
    let missing = word
        .with
        .iter()
        .find(|(name, field)| field.required && !given.contains_key(*name));
    match missing {
        Some((name, _)) => Err(bad(name, "is needed".to_owned())),
        None => Ok(given),
    }
}

/// A duration becomes seconds; whether a number is in its bounds. Else what is wrong.
fn check_field(field: &Field, value: &mut Value) -> Result<(), String> {
    match value {
        Value::String(text) if field.kind == FieldType::Duration => {
            let seconds = parse_seconds(text).map_err(|error| error.to_string())?;
            *value = Value::from(seconds);
        }
        Value::Number(number) if field.kind == FieldType::Duration => {
            duration_of(number.as_f64().unwrap_or_default()).map_err(|error| error.to_string())?;
        }
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            let bound = |bound: Option<i64>| bound.map(|bound| bound as f64);
            match (bound(field.min), bound(field.max)) {
                (Some(min), _) if number < min => return Err(format!("must be {min} or more")),
                (_, Some(max)) if number > max => return Err(format!("must be {max} at most")),
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

fn bad(argument: &str, problem: String) -> ActError {
    ActError::BadArgument {
        argument: argument.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(action: &str, given: Value) -> Result<Value, String> {
        let given = given.as_object().cloned().unwrap();
        check(Protocol::EdgePoll, action, given)
            .map(Value::Object)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn durations_are_read_and_mistakes_named() {
        let queued = checked("queue", json!({"command": "x", "expires_in": "1500ms"}));
        assert_eq!(queued, Ok(json!({"command": "x", "expires_in": 1.5})));
        let number = checked("queue", json!({"command": "x", "expires_in": 2}));
        assert_eq!(number, Ok(json!({"command": "x", "expires_in": 2})));
        let unknown = checked("queue", json!({"command": "x", "expires_in_s": 2})).unwrap_err();
        assert!(
            unknown.contains("expires_in_s") && unknown.contains("expires_in,"),
            "{unknown}"
        );
        let missing = checked("queue", json!({})).unwrap_err();
        assert!(missing.contains("command"), "{missing}");
        assert!(checked("queue", json!({"command": "x", "expires_in": "soon"})).is_err());
        for too_much in [
            json!({"command": "x", "expires_in": 1e19}),
            json!({"command": "x", "count": 1e15}),
        ] {
            assert!(checked("queue", too_much).is_err());
        }
        assert_eq!(checked("no_such_action", json!({"a": 1})), Ok(json!({"a": 1})));
    }
}
