//! Where the readers of one file leave the mistakes they find.

use crate::{
    Diagnostic, Diagnostics, DurationError, Entry, Node, Scalar, Source, Span, did_you_mean, one_of,
    parse_seconds,
};
use serde_json::Value;
use std::{cell::RefCell, sync::Arc, time::Duration};

/// Collects the mistakes of one file. Shared by every reader of it; reading goes on after a mistake.
#[derive(Debug)]
pub struct Collector {
    source: Arc<Source>,
    found: RefCell<Vec<Diagnostic>>,
}

impl Collector {
    /// An empty collector for a source.
    pub fn new(source: Arc<Source>) -> Collector {
        Collector {
            source,
            found: RefCell::default(),
        }
    }

    /// The source it collects for.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Adds a mistake made with [`Diagnostic::error`].
    pub fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// An error at a place of this source, not yet reported.
    pub fn at(&self, span: &Span, title: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.source, span, title)
    }

    /// Reports an error with a label and perhaps a way out.
    pub fn error(
        &self,
        span: &Span,
        title: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.report(self.at(span, title).label(label).help(help));
    }

    /// Reports a word that is none of the known ones, with the nearest one as the way out.
    pub fn unknown<'w>(
        &self,
        span: &Span,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'w str> + Clone,
    ) {
        let help = did_you_mean(word, known.clone());
        let label = format!("expected {}", one_of(known));
        self.error(span, format!("unknown {what} `{word}`"), label, help);
    }

    /// How many mistakes there are so far.
    pub fn len(&self) -> usize {
        self.found.borrow().len()
    }

    /// True if there are none so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything collected.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.found.into_inner().into_iter().collect()
    }

    /// Text; anything else is reported. `what` names the value for people, such as "`name`".
    pub fn string<'n>(&self, node: &'n Node, what: &str) -> Option<&'n str> {
        match node.scalar() {
            Some(scalar) if scalar.to_json().is_string() => Some(&scalar.text),
            Some(scalar) if !node.is_null() => {
                let help = format!("put it in quotes: \"{}\"", scalar.text);
                self.wrong_type(node, what, "text", Some(help));
                None
            }
            _ => {
                self.wrong_type(node, what, "text", None);
                None
            }
        }
    }

    /// A whole number.
    pub fn integer(&self, node: &Node, what: &str) -> Option<i64> {
        let value = node.scalar().and_then(|s| s.to_json().as_i64());
        if value.is_none() {
            let help = without_quotes(node, |value| value.is_i64());
            self.wrong_type(node, what, "a whole number", help);
        }
        value
    }

    /// A number.
    pub fn number(&self, node: &Node, what: &str) -> Option<f64> {
        let value = node.scalar().and_then(|s| s.to_json().as_f64());
        if value.is_none() {
            let help = without_quotes(node, Value::is_number);
            self.wrong_type(node, what, "a number", help);
        }
        value
    }

    /// A boolean.
    pub fn boolean(&self, node: &Node, what: &str) -> Option<bool> {
        let value = node.scalar().and_then(|s| s.to_json().as_bool());
        if value.is_none() {
            let help = node
                .scalar()
                .filter(|s| s.plain)
                .and_then(|s| match s.text.as_str() {
                    "yes" | "on" => Some("write `true`".to_owned()),
                    "no" | "off" => Some("write `false`".to_owned()),
                    _ => None,
                });
            let help = help.or_else(|| without_quotes(node, Value::is_boolean));
            self.wrong_type(node, what, "true or false", help);
        }
        value
    }

    /// A duration such as `500ms`, `3s`, `5m`, `1h`, in seconds.
    pub fn seconds(&self, node: &Node, what: &str) -> Option<f64> {
        let Some(scalar) = node.scalar().filter(|s| !s.text.is_empty()) else {
            self.wrong_type(node, what, "a duration such as 3s", None);
            return None;
        };
        match parse_seconds(&scalar.text) {
            Ok(seconds) => Some(seconds),
            Err(error) => {
                let help = (error == DurationError::MissingUnit).then(|| format!("write `{}s`", scalar.text));
                let title = format!("{what} is no duration");
                self.error(&node.span, title, error.to_string(), help);
                None
            }
        }
    }

    /// A duration.
    pub fn duration(&self, node: &Node, what: &str) -> Option<Duration> {
        self.seconds(node, what).map(Duration::from_secs_f64)
    }

    /// One of the known words.
    pub fn word<'n, 'w>(
        &self,
        node: &'n Node,
        what: &str,
        known: impl IntoIterator<Item = &'w str> + Clone,
    ) -> Option<&'n str> {
        let word = self.string(node, what)?;
        if known.clone().into_iter().any(|k| k == word) {
            return Some(word);
        }
        self.unknown(&node.span, what, word, known);
        None
    }

    /// The elements of a list.
    pub fn list<'n>(&self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let elements = node.elements();
        if elements.is_none() {
            let help = node
                .scalar()
                .filter(|s| !node.is_null() && is_word(&s.text))
                .map(|s| format!("write `[{}]`", s.text));
            self.wrong_type(node, what, "a list", help);
        }
        elements
    }

    /// A list of texts; wrong elements are reported and left out. An empty value counts as an empty list.
    pub fn strings(&self, node: &Node, what: &str) -> Vec<String> {
        if node.is_null() {
            return Vec::new();
        }
        let element = format!("an element of {what}");
        self.list(node, what)
            .unwrap_or_default()
            .iter()
            .filter_map(|n| self.string(n, &element).map(str::to_owned))
            .collect()
    }

    /// A map as JSON.
    pub fn object(&self, node: &Node, what: &str) -> Option<serde_json::Map<String, Value>> {
        match node.to_json() {
            Value::Object(map) => Some(map),
            _ => {
                self.wrong_type(node, what, "a map", None);
                None
            }
        }
    }

    /// The way out if a key is the rest of a text that a comma cut: `{label: one, two}`.
    pub fn cut_text(&self, entry: &Entry) -> Option<String> {
        let after = &self.source.text()[entry.key_span.end..];
        let cut = entry.value.span.is_empty() && !after.trim_start().starts_with(':');
        cut.then(|| "text with `,` in it needs quotes inside `{…}`".to_owned())
    }

    /// Reports a value of the wrong type.
    pub fn wrong_type(&self, node: &Node, what: &str, expected: &str, help: Option<String>) {
        let label = format!("this is {}", node.kind());
        self.error(&node.head(), format!("{what} must be {expected}"), label, help);
    }
}

/// The way out if a value has the wanted type but for its quotes.
fn without_quotes(node: &Node, wanted: impl Fn(&Value) -> bool) -> Option<String> {
    let scalar = node.scalar().filter(|scalar| !scalar.plain)?;
    let plain = Scalar {
        plain: true,
        ..scalar.clone()
    };
    wanted(&plain.to_json()).then(|| format!("remove the quotes: {}", scalar.text))
}

/// One word of an identifier's characters, such as `POLL-ACK-003`.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        && !text.starts_with('-')
}
