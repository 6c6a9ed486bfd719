//! CEL conditions: `event.details.count > 3 && event.id != queued.id`.

use cel::{
    Context, Program,
    common::ast::{EntryExpr, Expr, IdedExpr},
    objects::Map as CelMap,
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

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
        refuse_unwieldy(text)?;
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

    /// The paths of members it reads, such as `event.details.count` or `queued`; sorted, each once. What `exists`,
    /// `all`, `map` and `filter` bind is left out.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = BTreeSet::new();
        walk_expression(self.program.expression(), &mut Vec::new(), &mut paths);
        paths.into_iter().collect()
    }

    /// The functions it calls that CEL does not have.
    pub fn unknown_functions(&self) -> Vec<String> {
        let references = self.program.references();
        let named = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic());
        let mut unknown: Vec<String> = references
            .functions()
            .into_iter()
            .filter(named)
            .filter(|name| !CEL_FUNCTIONS.contains(name))
            .map(str::to_owned)
            .collect();
        unknown.sort();
        unknown
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

/// Collects the paths of an expression; `bound` holds the names macros bind around it.
fn walk_expression(expression: &IdedExpr, bound: &mut Vec<String>, paths: &mut BTreeSet<String>) {
    if let Some(path) = path_of(expression) {
        let root = path.split('.').next().unwrap_or_default();
        if !root.starts_with('@') && !bound.iter().any(|name| name == root) {
            paths.insert(path);
        }
        return;
    }
    let mut all = |expressions: &[&IdedExpr], bound: &mut Vec<String>| {
        expressions.iter().for_each(|e| walk_expression(e, bound, paths));
    };
    match &expression.expr {
        Expr::Call(call) => {
            let parts: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
            all(&parts, bound);
        }
        Expr::Comprehension(inner) => {
            all(&[&inner.iter_range], bound);
            let outer = bound.len();
            bound.extend([inner.iter_var.clone(), inner.accu_var.clone()]);
            bound.extend(inner.iter_var2.clone());
            all(
                &[
                    &inner.accu_init,
                    &inner.loop_cond,
                    &inner.loop_step,
                    &inner.result,
                ],
                bound,
            );
            bound.truncate(outer);
        }
        Expr::List(list) => all(&list.elements.iter().collect::<Vec<_>>(), bound),
        Expr::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| entry_parts(&entry.expr, bound, &mut all)),
        Expr::Struct(of) => of
            .entries
            .iter()
            .for_each(|entry| entry_parts(&entry.expr, bound, &mut all)),
        Expr::Select(select) => all(&[&select.operand], bound),
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
    }
}

fn entry_parts(
    entry: &EntryExpr,
    bound: &mut Vec<String>,
    all: &mut impl FnMut(&[&IdedExpr], &mut Vec<String>),
) {
    match entry {
        EntryExpr::StructField(field) => all(&[&field.value], bound),
        EntryExpr::MapEntry(entry) => all(&[&entry.key, &entry.value], bound),
    }
}

/// `a.b.c`, also inside `has(a.b.c)`.
fn path_of(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path_of(&select.operand)?, select.field)),
        _ => None,
    }
}

/// The compiler recurses; what would exhaust the stack of a thread is refused before.
fn refuse_unwieldy(text: &str) -> Result<(), CompileError> {
    let mut depth = 0_usize;
    let (mut line, mut column) = (1, 0);
    for (at, character) in text.char_indices() {
        column += 1;
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '\n' => (line, column) = (line + 1, 0),
            _ => {}
        }
        let message = if depth > DEEPEST {
            format!("brackets are nested more than {DEEPEST} deep")
        } else if at >= LONGEST {
            format!("a condition has at most {LONGEST} characters")
        } else {
            continue;
        };
        return Err(CompileError {
            line,
            column,
            message,
        });
    }
    Ok(())
}

fn first_error(errors: &cel::ParseErrors) -> CompileError {
    let first = errors.errors.first();
    let (line, column) = first.map_or((1, 1), |e| e.pos);
    CompileError {
        line: usize::try_from(line).unwrap_or(1).max(1),
        column: usize::try_from(column).unwrap_or(1).max(1),
        message: first.map_or_else(String::new, |e| in_plain_words(&e.msg)),
    }
}

/// What the compiler says, without the names of its grammar.
fn in_plain_words(message: &str) -> String {
    let message = message.trim_start_matches("Syntax error: ");
    if message.contains("<EOF>' expecting") || message.starts_with("Incomplete") {
        return "the condition is not finished: something is missing here".to_owned();
    }
    let unknown = message.strip_prefix("token recognition error at: ");
    match unknown.map(|token| token.trim_matches('\'').trim()) {
        Some("=") => "`=` is no operator; equality is `==`".to_owned(),
        Some("") => "this quote is not closed".to_owned(),
        Some(token) => format!("`{token}` is no part of CEL"),
        None => message.to_owned(),
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

const DEEPEST: usize = 8;
const LONGEST: usize = 1000;

/// Functions and macros of CEL as built in here.
pub(crate) const CEL_FUNCTIONS: [&str; 18] = [
    "all",
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "exists",
    "exists_one",
    "filter",
    "has",
    "int",
    "map",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

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
    fn paths_are_known_and_wrong_text_has_a_place() {
        let text = "has(event.a.b) == b && c.d[e.f] > 1 && g.exists(x, x.y == z) && size({'k': m}) == 1";
        let condition = Condition::parse(text).unwrap();
        assert_eq!(condition.paths(), ["b", "c.d", "e.f", "event.a.b", "g", "m", "z"]);
        assert!(condition.unknown_functions().is_empty());
        let condition = Condition::parse("event.id.startswith('a')").unwrap();
        assert_eq!(condition.unknown_functions(), ["startswith"]);
        let error = Condition::parse("event.a === 1").unwrap_err();
        assert_eq!((error.line, error.column > 1), (1, true), "{error:?}");
        for text in ["", "(", "a.b(", "'", "a b", "{", "\u{0}", "1 +"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_would_exhaust_the_stack_is_refused() {
        let nested = |depth| format!("{}true{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Condition::parse(&nested(DEEPEST)).is_ok());
        let error = Condition::parse(&nested(DEEPEST + 1)).unwrap_err();
        assert_eq!((error.line, error.column), (1, 9));
        assert!(Condition::parse(&format!("1{}", "+1".repeat(10_000))).is_err());
        assert!(Condition::parse(&"size(".repeat(DEEPEST)).is_err());
    }

    #[test]
    fn every_function_named_here_exists() {
        for text in [
            "bool('true')",
            "size(bytes('a')) == 1",
            "double(1) == 1.0",
            "dyn(true)",
            "int('1') == 1 && uint(1) == 1u && string(1) == '1'",
            "type(1) == int",
            "'ab'.contains('b') && 'ab'.endsWith('b')",
            "[1].all(x, x == 1) && [1].exists_one(x, x == 1) && [1].map(x, x + 1) == [2]",
            "[1, 2].filter(x, x > 1) == [2]",
        ] {
            assert_eq!(holds(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn conditions_may_go_to_another_thread() {
        fn needs<T: Send + Sync>() {}
        needs::<Condition>();
    }
}
