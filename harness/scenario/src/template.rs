//! Values with `${path}` in them.

use crate::{
    lookup::{Lookup, Unresolved},
    moment::Span,
};
use serde_json::{Map, Value};
use std::time::Duration;

/// A JSON value in which texts may hold `${path}`. A text that is one `${path}` and nothing else takes the type of
/// what it refers to; `$${` stands for `${`. Fields of type duration resolve to seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    root: Part,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Literal(Value),
    Reference(String),
    Text(Vec<Piece>),
    Span(Span),
    List(Vec<Part>),
    Object(Vec<(String, Part)>),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Literal(String),
    Reference(String),
}

/// A `${` that is not closed, or has no path in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No `}` follows.
    #[error("`${{` is not closed; write `$${{` for the characters themselves")]
    Unclosed {
        /// Where in the text, in bytes.
        offset: usize,
    },
    /// What stands in it is no path.
    #[error("expected a path such as `params.size` or `queued.id`")]
    NoPath {
        /// Where in the text, in bytes.
        offset: usize,
    },
}

impl Template {
    /// The empty object: no arguments, or a match of anything.
    pub fn empty() -> Template {
        Template::literal(Value::Object(Map::new()))
    }

    /// A value without references; `${` in it stands for itself.
    pub fn literal(value: Value) -> Template {
        Template {
            root: Part::Literal(value),
        }
    }

    /// A value whose texts may hold references.
    pub fn parse(value: &Value) -> Result<Template, TemplateError> {
        Ok(Template {
            root: Part::parse(value)?,
        })
    }

    pub(crate) fn new(root: Part) -> Template {
        Template { root }
    }

    /// The value with every reference replaced.
    pub fn resolve(&self, lookup: &dyn Lookup) -> Result<Value, Unresolved> {
        self.root.resolve(lookup)
    }

    /// The value, if it refers to nothing.
    pub fn constant(&self) -> Option<Value> {
        self.resolve(&Nothing).ok()
    }

    /// A member of an object, if it refers to nothing.
    pub fn member(&self, name: &str) -> Option<Value> {
        self.member_in(name, &Nothing)
    }

    /// A member of an object, if everything it refers to is known.
    pub(crate) fn member_in(&self, name: &str, lookup: &dyn Lookup) -> Option<Value> {
        match &self.root {
            Part::Object(members) => {
                let (_, part) = members.iter().find(|(member, _)| member == name)?;
                part.resolve(lookup).ok()
            }
            Part::Literal(value) => value.get(name).cloned(),
            _ => None,
        }
    }

    /// The same object with null for each of these members it lacks.
    pub(crate) fn with_absent<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Self {
        if let Part::Object(members) = &mut self.root {
            for name in names {
                if !members.iter().any(|(member, _)| member == name) {
                    members.push((name.to_owned(), Part::Literal(Value::Null)));
                }
            }
        }
        self
    }

    /// True for the empty object.
    pub fn is_empty(&self) -> bool {
        match &self.root {
            Part::Object(members) => members.is_empty(),
            Part::Literal(Value::Object(members)) => members.is_empty(),
            _ => false,
        }
    }

    /// Every path it refers to.
    pub fn references(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        self.root.references(&mut paths);
        paths
    }
}

impl Default for Template {
    fn default() -> Self {
        Template::empty()
    }
}

impl Part {
    pub(crate) fn parse(value: &Value) -> Result<Part, TemplateError> {
        Ok(match value {
            Value::String(text) => Part::text(text)?,
            Value::Array(elements) => Part::List(elements.iter().map(Part::parse).collect::<Result<_, _>>()?),
            Value::Object(members) => Part::Object(
                members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), Part::parse(value)?)))
                    .collect::<Result<_, _>>()?,
            ),
            other => Part::Literal(other.clone()),
        })
    }

    pub(crate) fn text(text: &str) -> Result<Part, TemplateError> {
        let mut pieces = pieces(text)?;
        Ok(match pieces.as_mut_slice() {
            [] => Part::Literal(Value::String(String::new())),
            [Piece::Literal(text)] => Part::Literal(Value::String(std::mem::take(text))),
            [Piece::Reference(path)] => Part::Reference(std::mem::take(path)),
            _ => Part::Text(pieces),
        })
    }

    fn resolve(&self, lookup: &dyn Lookup) -> Result<Value, Unresolved> {
        Ok(match self {
            Part::Literal(value) => value.clone(),
            Part::Reference(path) => find(lookup, path)?,
            Part::Text(pieces) => Value::String(resolve_text(pieces, lookup)?),
            Part::Span(span) => seconds(span.resolve(lookup)?),
            Part::List(parts) => parts
                .iter()
                .map(|p| p.resolve(lookup))
                .collect::<Result<_, _>>()?,
            Part::Object(members) => members
                .iter()
                .map(|(name, part)| Ok((name.clone(), part.resolve(lookup)?)))
                .collect::<Result<Map<_, _>, _>>()?
                .into(),
        })
    }

    pub(crate) fn references<'p>(&'p self, paths: &mut Vec<&'p str>) {
        match self {
            Part::Literal(_) => {}
            Part::Reference(path) => paths.push(path),
            Part::Text(pieces) => paths.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Reference(path) => Some(path.as_str()),
                Piece::Literal(_) => None,
            })),
            Part::Span(span) => paths.extend(span.references()),
            Part::List(parts) => parts.iter().for_each(|p| p.references(paths)),
            Part::Object(members) => members.iter().for_each(|(_, p)| p.references(paths)),
        }
    }
}

fn find(lookup: &dyn Lookup, path: &str) -> Result<Value, Unresolved> {
    lookup.get(path).ok_or_else(|| Unresolved::Missing {
        path: path.to_owned(),
    })
}

fn resolve_text(pieces: &[Piece], lookup: &dyn Lookup) -> Result<String, Unresolved> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Reference(path) => match find(lookup, path)? {
                Value::String(value) => text.push_str(&value),
                value => text.push_str(&value.to_string()),
            },
        }
    }
    Ok(text)
}

/// Whole seconds as an integer, others as a fraction.
fn seconds(span: Duration) -> Value {
    match span.subsec_nanos() {
        0 => Value::from(span.as_secs()),
        _ => Value::from(span.as_secs_f64()),
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('$') {
        let dollar = at + found;
        literal.push_str(&text[at..dollar]);
        let rest = &text[dollar..];
        if rest.starts_with("$${") {
            literal.push_str("${");
            at = dollar + 3;
        } else if let Some(inside) = rest.strip_prefix("${") {
            let end = inside
                .find('}')
                .ok_or(TemplateError::Unclosed { offset: dollar })?;
            let path = inside[..end].trim();
            if !is_path(path) {
                return Err(TemplateError::NoPath { offset: dollar });
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Reference(path.to_owned()));
            at = dollar + 2 + end + 1;
        } else {
            literal.push('$');
            at = dollar + 1;
        }
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// Names of letters, digits, `_` and `-`, joined by dots.
pub(crate) fn is_path(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    })
}

struct Nothing;

impl Lookup for Nothing {
    fn get(&self, _: &str) -> Option<Value> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope() -> Map<String, Value> {
        let scope = json!({"params": {"size": 7}, "queued": {"id": "c-1", "ids": ["c-1", "c-2"]}});
        scope.as_object().unwrap().clone()
    }

    #[test]
    fn a_whole_reference_keeps_its_type_and_one_in_a_text_does_not() {
        let template = Template::parse(&json!({
            "size": "${params.size}",
            "ids": "${ queued.ids }",
            "text": "/v1/${queued.id}/x${params.size}",
            "plain": "costs $5, $${not.a.reference}",
            "list": [1, "${queued.ids.1}"],
        }))
        .unwrap();
        assert_eq!(
            template.resolve(&scope()).unwrap(),
            json!({
                "size": 7,
                "ids": ["c-1", "c-2"],
                "text": "/v1/c-1/x7",
                "plain": "costs $5, ${not.a.reference}",
                "list": [1, "c-2"],
            })
        );
        assert_eq!(template.references().len(), 5);
        assert_eq!(template.constant(), None);
    }

    #[test]
    fn what_has_no_value_is_named() {
        let template = Template::parse(&json!({"id": "${acked.id}"})).unwrap();
        let missing = Unresolved::Missing {
            path: "acked.id".to_owned(),
        };
        assert_eq!(template.resolve(&scope()), Err(missing));
    }

    #[test]
    fn broken_references_are_refused() {
        let parse = |text: &str| Template::parse(&json!(text)).map(|_| ());
        assert_eq!(parse("a ${b"), Err(TemplateError::Unclosed { offset: 2 }));
        assert_eq!(parse("${}"), Err(TemplateError::NoPath { offset: 0 }));
        assert_eq!(parse("${a b}"), Err(TemplateError::NoPath { offset: 0 }));
    }
}
