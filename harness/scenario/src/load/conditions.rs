//! CEL conditions and `applies_when`.

use super::scenario::Loader;
use crate::{Condition, Word, catalogue::options, condition::CEL_FUNCTIONS};
use hil_diagnostic::{Entry, MapReader, Node, did_you_mean, one_of};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl<'a> Loader<'a> {
    /// A `where`, compiled; what it reads must be known.
    pub(super) fn condition(&self, node: &Node, event: Option<&Word>, event_name: &str) -> Option<Condition> {
        let help = "conditions are CEL, such as `event.count > 1 && event.id == queued.id`";
        let condition = self.expression(node, "`where`", help)?;
        for path in condition.paths() {
            let span = self.locate(node, &path);
            match path.split_once('.') {
                Some(("event", fields)) => self.event_field(fields, event, event_name, &span),
                None if crate::ROOTS.contains(&path.as_str()) => {}
                _ => self.reference(&path, &span),
            }
        }
        Some(condition)
    }

    /// CEL, compiled; the functions it calls must be known.
    pub(super) fn expression(&self, node: &Node, what: &str, help: &str) -> Option<Condition> {
        let text = self.collector.string(node, what)?;
        let condition = match Condition::parse(text) {
            Ok(condition) => condition,
            Err(error) => {
                let offset = offset(text, error.line, error.column);
                let span = self.inside(node, offset, 1);
                let title = "this condition cannot be read";
                self.collector
                    .error(&span, title, error.message, Some(help.to_owned()));
                return None;
            }
        };
        for function in condition.unknown_functions() {
            let span = self.locate(node, &function);
            self.collector
                .unknown(&span, "function", &function, CEL_FUNCTIONS);
        }
        Some(condition)
    }

    fn event_field(&self, fields: &str, event: Option<&Word>, event_name: &str, span: &hil_diagnostic::Span) {
        let Some(event) = event.filter(|event| !event.open) else {
            return;
        };
        let field = fields.split('.').next().unwrap_or_default();
        if event.gives.contains_key(field) {
            return;
        }
        let known = event.gives.keys().map(String::as_str);
        let label = match event.gives.len() {
            0 => "it has none".to_owned(),
            _ => format!("expected {}", one_of(known.clone())),
        };
        let title = format!("event `{event_name}` has no field `{field}`");
        self.collector
            .error(span, title, label, did_you_mean(field, known));
    }

    /// `applies_when`: features by name with the value they must have; `feature: NAME` means `NAME: true`.
    pub(super) fn applies_when(&self, map: &mut MapReader<'a>) -> BTreeMap<String, Value> {
        let mut wanted = BTreeMap::new();
        for entry in map.entries_of("applies_when") {
            match entry.key.as_str() {
                "feature" => {
                    let names = match entry.value.elements() {
                        Some(nodes) => nodes.iter().collect(),
                        None => vec![&entry.value],
                    };
                    let known = self.known_options("feature");
                    for node in names {
                        if let Some(name) = self.option_name(node, "feature", &known) {
                            wanted.insert(name.to_owned(), Value::Bool(true));
                        }
                    }
                }
                "dialect" => {
                    let known = self.known_options("dialect");
                    if let (true, Some(protocol)) = (known.is_empty(), self.protocol) {
                        let title = format!("{protocol} has one dialect only");
                        let help = Some("remove `dialect`".to_owned());
                        self.collector.error(&entry.key_span, title, "", help);
                    } else if let Some(name) = self.option_name(&entry.value, "dialect", &known) {
                        wanted.insert("dialect".to_owned(), Value::from(name));
                    }
                }
                _ => {
                    if let Some(value) = self.feature_value(entry) {
                        wanted.insert(entry.key.clone(), value);
                    }
                }
            }
        }
        wanted
    }

    fn option_name<'n>(&self, node: &'n Node, what: &str, known: &BTreeSet<String>) -> Option<&'n str> {
        match known.is_empty() {
            true => self.collector.string(node, &format!("`{what}`")),
            false => self.collector.word(node, what, known.iter().map(String::as_str)),
        }
    }

    fn feature_value(&self, entry: &Entry) -> Option<Value> {
        let known = self.known_options("feature");
        if !known.is_empty() && !known.contains(&entry.key) {
            let words = known.iter().map(String::as_str).chain(["feature", "dialect"]);
            self.collector
                .unknown(&entry.key_span, "feature", &entry.key, words.collect::<Vec<_>>());
            return None;
        }
        match entry.value.to_json() {
            value @ (Value::Bool(_) | Value::String(_) | Value::Number(_)) => Some(value),
            _ => {
                let what = format!("`{}`", entry.key);
                let expected = "true, false or the value an option must have";
                self.collector.wrong_type(&entry.value, &what, expected, None);
                None
            }
        }
    }

    /// Features or dialects of this protocol; empty if the protocol is not known.
    fn known_options(&self, key: &str) -> BTreeSet<String> {
        match (self.protocol, self.words) {
            (Some(protocol), Some(words)) => options(self.catalogue, words, protocol, key),
            _ => BTreeSet::new(),
        }
    }
}

/// Bytes before a line and a column of characters, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let inside = rest
        .char_indices()
        .nth(column - 1)
        .map_or(rest.len(), |(at, _)| at);
    (start + inside).min(text.len().saturating_sub(1))
}
