//! Where `${…}` gets its values from.

use serde_json::{Map, Value};

/// Values by path. Roots are `params`, `unit` (times in seconds and facts), `artifact` (by role), the variable of a
/// `for_each`, and the names of earlier steps: `params.size`, `unit.poll_interval`, `artifact.next.version`,
/// `queued.id`, `polled.ids.0`.
pub trait Lookup {
    /// The value at a path, if there is one.
    fn get(&self, path: &str) -> Option<Value>;
}

/// Roots are the members of the map.
impl Lookup for Map<String, Value> {
    fn get(&self, path: &str) -> Option<Value> {
        let (root, rest) = match path.split_once('.') {
            Some((root, rest)) => (root, Some(rest)),
            None => (path, None),
        };
        let value = Map::get(self, root)?;
        rest.map_or(Some(value), |rest| walk(value, rest)).cloned()
    }
}

/// The part of a value at a path of member names and list positions, joined by dots.
pub fn walk<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, part| match value {
        Value::Object(members) => members.get(part),
        Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Why an expression has no value while a scenario runs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unresolved {
    /// Nothing is known at the path: the step gave no such value, or the unit states no such fact.
    #[error("`${{{path}}}` has no value")]
    Missing {
        /// The path.
        path: String,
    },
    /// A number of seconds or a duration was needed.
    #[error("`${{{path}}}` is {value}, which is no duration")]
    NotADuration {
        /// The path.
        path: String,
        /// Its value.
        value: Value,
    },
    /// A span came out as less than nothing.
    #[error("`{text}` is {seconds} s, less than nothing")]
    Negative {
        /// The expression.
        text: String,
        /// Its value in seconds.
        seconds: f64,
    },
    /// The step of a moment has not happened.
    #[error("step `{step}` has not happened")]
    NotHappened {
        /// Name of the step.
        step: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_walk_members_and_positions() {
        let map = json!({"polled": {"ids": ["a", "b"]}, "status": 404});
        let map = map.as_object().unwrap();
        assert_eq!(Lookup::get(map, "polled.ids.1"), Some(json!("b")));
        assert_eq!(Lookup::get(map, "status"), Some(json!(404)));
        assert_eq!(Lookup::get(map, "polled.ids.2"), None);
        assert_eq!(Lookup::get(map, "status.code"), None);
    }
}
