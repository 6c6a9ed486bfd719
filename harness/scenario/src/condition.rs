//! CEL conditions: `event.details.count > 3 && event.id != queued.id`.

use cel::{Context, Program, objects::Map as CelMap};
use serde_json::{Map, Value};
use std::{collections::HashMap, fmt, sync::Arc};

/// A condition compiled once and asked often. Members of JSON objects are fields; whole numbers are CEL ints.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    program: Arc<Program>,
}

/// A condition that is no CEL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// Line in the condition's text, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What the compiler expected.
    pub message: String,
}

/// A condition that came to neither true nor false.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConditionError {
    /// It could not be computed: a field is missing, types do not fit.
    #[error("`{condition}`: {reason}")]
    Failed {
        /// The condition.
        condition: String,
        /// Why.
        reason: cel::ExecutionError,
    },
    /// It came to something else than a boolean.
    #[error("`{condition}` is {value}, neither true nor false")]
    NotBoolean {
        /// The condition.
        condition: String,
        /// What it came to.
        value: String,
    },
}

impl Condition {
    /// Compiles a condition.
    pub fn parse(text: &str) -> Result<Condition, CompileError> {
        let program = Program::compile(text).map_err(|errors| first_error(&errors))?;
        Ok(Condition {
            text: text.into(),
            program: Arc::new(program),
        })
    }

    /// Whether it holds for these variables. A missing field is an error; ask with `has(event.field)`.
    pub fn holds(&self, vars: &Map<String, Value>) -> Result<bool, ConditionError> {
        let mut context = Context::default();
        for (name, value) in vars {
            context.add_variable_from_value(name.as_str(), cel_value(value));
        }
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(ConditionError::NotBoolean {
                condition: self.text.to_string(),
                value: format!("{other:?}"),
            }),
            Err(reason) => Err(ConditionError::Failed {
                condition: self.text.to_string(),
                reason,
            }),
        }
    }

    /// The variables it refers to, sorted.
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .program
            .references()
            .variables()
            .into_iter()
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }

    /// The condition as written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

fn first_error(errors: &cel::ParseErrors) -> CompileError {
    let first = errors.errors.first();
    let (line, column) = first.map_or((1, 1), |e| e.pos);
    CompileError {
        line: usize::try_from(line).unwrap_or(1).max(1),
        column: usize::try_from(column).unwrap_or(1).max(1),
        message: first.map_or_else(String::new, |e| e.msg.clone()),
    }
}

fn cel_value(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => cel::Value::Int(value),
            (_, Some(value), _) => cel::Value::UInt(value),
            (_, _, value) => cel::Value::Float(value.unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(elements) => cel::Value::List(Arc::new(elements.iter().map(cel_value).collect())),
        Value::Object(members) => {
            let members: HashMap<String, cel::Value> =
                members.iter().map(|(k, v)| (k.clone(), cel_value(v))).collect();
            cel::Value::Map(CelMap::from(members))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(text: &str) -> Result<bool, ConditionError> {
        let vars = json!({
            "event": {"id": "c-1", "count": 3, "ids": ["c-1", "c-2"], "ratio": 0.5, "details": {"deep": true}},
            "queued": {"id": "c-1"},
            "params": {"limit": 3},
        });
        Condition::parse(text).unwrap().holds(vars.as_object().unwrap())
    }

    #[test]
    fn conditions_see_events_and_steps() {
        for text in [
            "event.id == queued.id",
            "event.count >= params.limit && event.ratio < 1.0",
            "event.count + 1 == 4",
            "size(event.ids) == 2 && event.ids.exists(i, i == queued.id)",
            "queued.id in event.ids",
            "!has(event.nothing)",
            "event.details.deep",
            "event.id.startsWith('c-')",
        ] {
            assert_eq!(holds(text), Ok(true), "{text}");
        }
        assert_eq!(holds("event.count > 3"), Ok(false));
    }

    #[test]
    fn neither_true_nor_false_is_an_error() {
        assert!(matches!(
            holds("event.nothing == 1"),
            Err(ConditionError::Failed { .. })
        ));
        assert!(matches!(
            holds("event.count"),
            Err(ConditionError::NotBoolean { .. })
        ));
        assert!(matches!(
            holds("event.id > 3"),
            Err(ConditionError::Failed { .. })
        ));
    }

    #[test]
    fn variables_are_known_and_wrong_text_has_a_place() {
        let condition = Condition::parse("event.a == b && c.d[e.f] > 1").unwrap();
        assert_eq!(condition.variables(), ["b", "c", "e", "event"]);
        let error = Condition::parse("event.a === 1").unwrap_err();
        assert_eq!((error.line, error.column > 1), (1, true), "{error:?}");
        for text in ["", "(", "a.b(", "'", "a b", "{", "\u{0}", "1 +"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn conditions_may_go_to_another_thread() {
        fn needs<T: Send + Sync>() {}
        needs::<Condition>();
    }
}
