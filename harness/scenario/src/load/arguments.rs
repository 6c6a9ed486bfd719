//! Arguments of actions and faults, and matches of events: names and types from the vocabulary.

use super::scenario::Loader;
use crate::{
    ARTIFACT_ROLES, Field, FieldType, Fields, Span as Length, Template,
    template::{self, Part},
};
use hil_diagnostic::{Entry, Node, NodeValue, Scalar, Span, did_you_mean, one_of};
use serde_json::Value;

/// What a map of fields is to people, and what it may hold.
#[derive(Clone, Copy)]
struct Reading<'r> {
    fields: &'r Fields,
    /// Whether it may hold fields that are not listed.
    open: bool,
    /// The key it stands under.
    key: &'r str,
    /// What has the fields: "`cloud.queue`".
    owner: &'r str,
    /// What one of them is called.
    noun: &'r str,
    /// Whether any of them may be null.
    null: bool,
}

impl<'a> Loader<'a> {
    /// A `with`: every name known (unless `open`), every type right, nothing missing. `owner` names the action, and
    /// `place` is where to point if something is missing.
    pub(super) fn arguments(
        &self,
        node: Option<&'a Node>,
        fields: &Fields,
        open: bool,
        owner: &str,
        place: &Span,
    ) -> Template {
        let members = self.members(
            node,
            Reading {
                fields,
                open,
                key: "`with`",
                owner,
                noun: "argument",
                null: false,
            },
        );
        let given = |name: &str| node.is_some_and(|node| node.get(name).is_some());
        for (name, _) in fields
            .iter()
            .filter(|(name, field)| field.required && !given(name))
        {
            let title = format!("{owner} lacks `{name}`");
            let label = format!("`{name}` is missing");
            let help = node.is_none().then(|| format!("add `with: {{{name}: …}}`"));
            self.collector.error(place, title, label, help);
        }
        Template::new(Part::Object(members))
    }

    /// A `match`: names and types checked, nothing required; null matches what is absent.
    pub(super) fn matching(
        &self,
        node: Option<&'a Node>,
        fields: &Fields,
        open: bool,
        owner: &str,
    ) -> Template {
        Template::new(Part::Object(self.members(
            node,
            Reading {
                fields,
                open,
                key: "`match`",
                owner,
                noun: "field",
                null: true,
            },
        )))
    }

    /// A section of the scenario, such as `prepare`; without known fields it is open.
    pub(super) fn section(&self, node: &'a Node, fields: &Fields, key: &str) -> Template {
        Template::new(Part::Object(self.members(
            Some(node),
            Reading {
                fields,
                open: fields.is_empty(),
                key,
                owner: key,
                noun: "field",
                null: false,
            },
        )))
    }

    /// Arguments nothing is known of.
    pub(super) fn open_arguments(&self, node: &'a Node) -> Template {
        self.section(node, &Fields::new(), "`with`")
    }

    fn members(&self, node: Option<&'a Node>, reading: Reading<'_>) -> Vec<(String, Part)> {
        let Some(node) = node.filter(|node| !node.is_null()) else {
            return Vec::new();
        };
        let Some(entries) = node.entries() else {
            self.collector.wrong_type(node, reading.key, "a map", None);
            return Vec::new();
        };
        entries
            .iter()
            .filter_map(|entry| Some((entry.key.clone(), self.member(entry, reading)?)))
            .collect()
    }

    fn member(&self, entry: &Entry, reading: Reading<'_>) -> Option<Part> {
        match reading.fields.get(&entry.key) {
            Some(_) if reading.null && entry.value.is_null() => Some(Part::Literal(Value::Null)),
            Some(field) => self.field_value(&entry.key, &entry.value, field),
            None if reading.open => self.part(&entry.value),
            None => {
                let known = reading.fields.keys().map(String::as_str);
                let label = match reading.fields.len() {
                    0 => format!("{} has none", reading.owner),
                    _ => format!("expected {}", one_of(known.clone())),
                };
                let title = format!("{} has no {} `{}`", reading.owner, reading.noun, entry.key);
                let help = self.collector.cut_text(entry);
                let help = help.or_else(|| did_you_mean(&entry.key, known));
                self.collector.error(&entry.key_span, title, label, help);
                None
            }
        }
    }

    /// A value of a field: of its type, or a reference.
    fn field_value(&self, name: &str, node: &Node, field: &Field) -> Option<Part> {
        let what = format!("`{name}`");
        if let Some(scalar) = node.scalar().filter(|scalar| scalar.text.contains("${")) {
            return self.referring(node, scalar, field.kind, &what);
        }
        let collector = self.collector;
        match field.kind {
            FieldType::Any => self.part(node),
            FieldType::String if field.values.is_empty() => collector.string(node, &what).map(text),
            FieldType::String => collector
                .word(node, &what, field.values.iter().map(String::as_str))
                .map(text),
            FieldType::Artifact => self.artifact(node, &what),
            FieldType::Integer => collector.integer(node, &what).map(|number| {
                self.in_range(node, &what, number as f64, field);
                Part::Literal(number.into())
            }),
            FieldType::Number => collector.number(node, &what).map(|number| {
                self.in_range(node, &what, number, field);
                Part::Literal(node.to_json())
            }),
            FieldType::Boolean => collector.boolean(node, &what).map(|b| Part::Literal(b.into())),
            FieldType::Duration => self.duration(node, &what),
            FieldType::List => {
                collector.list(node, &what)?;
                self.part(node)
            }
            FieldType::Object => {
                if node.entries().is_none() {
                    collector.wrong_type(node, &what, "a map", None);
                    return None;
                }
                self.part(node)
            }
        }
    }

    fn in_range(&self, node: &Node, what: &str, number: f64, field: &Field) {
        let least = field.min.filter(|least| number < *least as f64);
        let most = field.max.filter(|most| number > *most as f64);
        let label = match (field.min, field.max) {
            _ if least.is_none() && most.is_none() => return,
            (Some(least), Some(most)) => format!("expected a number from {least} to {most}"),
            (Some(least), None) => format!("expected a number from {least}"),
            (_, most) => format!("expected a number up to {}", most.unwrap_or_default()),
        };
        self.collector
            .error(&node.span, format!("{what} is out of range"), label, None);
    }

    /// The role of an image, or of one derived from it.
    fn artifact(&self, node: &Node, what: &str) -> Option<Part> {
        let name = self.collector.string(node, what)?;
        let role = name.split('-').next().unwrap_or_default();
        if !ARTIFACT_ROLES.contains(&role) {
            self.collector
                .unknown(&node.span, "artifact role", role, ARTIFACT_ROLES);
            return None;
        }
        Some(text(name))
    }

    /// A text with references, where the type allows one.
    fn referring(&self, node: &Node, scalar: &Scalar, kind: FieldType, what: &str) -> Option<Part> {
        if kind == FieldType::Duration {
            return self.length_part(node, what);
        }
        let part = self.template_text(node, &scalar.text)?;
        if let Part::Reference(path) = &part {
            self.parameter_fits(node, path, kind, what);
        }
        let free = matches!(kind, FieldType::String | FieldType::Artifact | FieldType::Any);
        if !free && !matches!(part, Part::Reference(_)) {
            let kind = kind.described();
            let label = "expected one reference and nothing else";
            self.collector
                .error(&node.span, format!("{what} must be {kind}"), label, None);
        }
        Some(part)
    }

    fn duration(&self, node: &Node, what: &str) -> Option<Part> {
        let sum = node.scalar().is_some_and(|s| s.text.contains(['+', '*', '/']));
        if sum {
            return self.length_part(node, what);
        }
        let seconds = self.collector.seconds(node, what)?;
        Some(Part::Literal(match seconds.fract() {
            0.0 => Value::from(seconds as u64),
            _ => Value::from(seconds),
        }))
    }

    fn length_part(&self, node: &Node, what: &str) -> Option<Part> {
        let length: Length = self.length(node, what)?;
        Some(Part::Span(length))
    }

    /// Any value, with references in its texts.
    pub(super) fn part(&self, node: &Node) -> Option<Part> {
        Some(match &node.value {
            NodeValue::Scalar(scalar) => match scalar.to_json() {
                Value::String(text) => self.template_text(node, &text)?,
                value => Part::Literal(value),
            },
            NodeValue::Seq(nodes) => Part::List(nodes.iter().filter_map(|n| self.part(n)).collect()),
            NodeValue::Map(entries) => Part::Object(
                entries
                    .iter()
                    .filter_map(|e| Some((e.key.clone(), self.part(&e.value)?)))
                    .collect(),
            ),
        })
    }

    /// A positive whole number or a reference.
    pub(super) fn count(&self, node: &Node, what: &str) -> Option<Template> {
        if node.scalar().is_some_and(|scalar| scalar.text.contains("${")) {
            return self.part(node).map(Template::new);
        }
        let count = self.collector.integer(node, what)?;
        if count < 1 {
            let help = (count == 0).then(|| "use `never` for what must not happen".to_owned());
            let label = "expected a number from 1";
            self.collector
                .error(&node.span, format!("{what} is out of range"), label, help);
        }
        Some(Template::literal(count.into()))
    }
}

fn text(text: &str) -> Part {
    // `$${` stands for `${`; the caller has made sure that no reference is in it.
    template::Part::text(text).unwrap_or_else(|_| Part::Literal(text.into()))
}
