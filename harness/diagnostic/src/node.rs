//! A YAML tree in which every node knows its place.

use serde_json::{Map, Number, Value};

/// A range of bytes in a text.
pub type Span = std::ops::Range<usize>;

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it holds.
    pub value: NodeValue,
    /// Its bytes; of a block map or list from its first to its last element.
    pub span: Span,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeValue {
    /// Text, number, boolean or nothing.
    Scalar(Scalar),
    /// A list.
    Seq(Vec<Node>),
    /// A map; keys are unique.
    Map(Vec<Entry>),
}

/// A scalar before it has a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// Its text, escapes resolved.
    pub text: String,
    /// True if it was written without quotes, so that it may be a number, a boolean or null.
    pub plain: bool,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The key's bytes.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The place to point at when the node as a whole is wrong: of a map in block style its first key.
    pub fn head(&self) -> Span {
        let first = self.entries().and_then(<[Entry]>::first);
        match first.filter(|first| first.key_span.start == self.span.start) {
            Some(first) => first.key_span.clone(),
            None => self.span.clone(),
        }
    }

    /// The entries of a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            NodeValue::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The elements of a list.
    pub fn elements(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::Seq(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// The scalar.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            NodeValue::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The value under a key of a map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// True for an empty value, `null` and `~`.
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|s| s.to_json().is_null())
    }

    /// The node as JSON, plain scalars typed by the YAML 1.2 core schema.
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Scalar(scalar) => scalar.to_json(),
            NodeValue::Seq(nodes) => nodes.iter().map(Node::to_json).collect(),
            NodeValue::Map(entries) => entries
                .iter()
                .map(|e| (e.key.clone(), e.value.to_json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// What it is, for people: `a number`, `a list`.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Seq(_) => "a list",
            NodeValue::Map(_) => "a map",
            NodeValue::Scalar(scalar) => match scalar.to_json() {
                Value::Null => "nothing",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                _ => "text",
            },
        }
    }
}

impl Scalar {
    /// The scalar as JSON by the YAML 1.2 core schema. Infinities and NaN, which JSON lacks, stay text.
    pub fn to_json(&self) -> Value {
        if !self.plain {
            return Value::String(self.text.clone());
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            text => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
        }
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(Number::from);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = unsigned
        .chars()
        .all(|c| c.is_ascii_digit() || ".eE+-".contains(c));
    if !numeric || !unsigned.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    plain
        .parse::<i64>()
        .map(Number::from)
        .or_else(|_| plain.parse::<u64>().map(Number::from))
        .ok()
        .or_else(|| plain.parse::<f64>().ok().and_then(Number::from_f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_are_typed_and_quoted_ones_are_text() {
        let typed = |text: &str| {
            Scalar {
                text: text.to_owned(),
                plain: true,
            }
            .to_json()
        };
        assert_eq!(typed("7"), json!(7));
        assert_eq!(typed("-7"), json!(-7));
        assert_eq!(typed("+7"), json!(7));
        assert_eq!(typed("0x1F"), json!(31));
        assert_eq!(typed("1.5e3"), json!(1500.0));
        assert_eq!(typed("18446744073709551615"), json!(u64::MAX));
        assert_eq!(typed("1.2.3"), json!("1.2.3"));
        assert_eq!(typed("-"), json!("-"));
        assert_eq!(typed("~"), json!(null));
        assert_eq!(typed("yes"), json!("yes"));
        assert_eq!(typed(".inf"), json!(".inf"));
        assert_eq!(typed("e5"), json!("e5"));
        let quoted = Scalar {
            text: "7".to_owned(),
            plain: false,
        };
        assert_eq!(quoted.to_json(), json!("7"));
    }
}
