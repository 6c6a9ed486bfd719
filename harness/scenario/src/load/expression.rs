//! References, moments and spans, with the place of what is wrong in them.

use super::scenario::Loader;
use super::scope::Given;
use crate::{
    ARTIFACT_FACTS, ARTIFACT_ROLES, ExpressionError, FieldType, Moment, ROOTS, Span as Length, TemplateError,
    UnitFact, template::Part,
};
use hil_diagnostic::{Node, Span, did_you_mean, one_of};

impl Loader<'_> {
    /// A moment; its step and references are checked.
    pub(super) fn moment(&self, node: &Node, what: &str) -> Option<Moment> {
        let text = self.expression_text(node, what, "a moment such as `nacked + 3s`")?;
        let moment = Moment::parse(text)
            .map_err(|error| self.expression_error(node, what, &error))
            .ok()?;
        self.step_name(moment.step(), &self.locate(node, moment.step()));
        let references = moment.references();
        self.references(&references, node);
        for path in references {
            self.parameter_fits(node, path, FieldType::Duration, what);
        }
        Some(moment)
    }

    /// A span of time that is longer than nothing, as far as can be told.
    pub(super) fn length(&self, node: &Node, what: &str) -> Option<Length> {
        let text = self.expression_text(node, what, "a duration such as 3s")?;
        let length = Length::parse(text)
            .map_err(|error| self.expression_error(node, what, &error))
            .ok()?;
        let references = length.references();
        self.references(&references, node);
        for path in references {
            self.parameter_fits(node, path, FieldType::Duration, what);
        }
        if let Some(seconds) = length.constant().filter(|seconds| *seconds <= 0.0) {
            let kind = if seconds < 0.0 { "negative" } else { "zero" };
            let label = "expected more than nothing";
            self.collector
                .error(&node.span, format!("{what} is {kind}"), label, None);
        }
        Some(length)
    }

    /// A text with `${…}` in it; its references are checked.
    pub(super) fn template_text(&self, node: &Node, text: &str) -> Option<Part> {
        match Part::text(text) {
            Ok(part) => {
                let mut paths = Vec::new();
                part.references(&mut paths);
                self.references(&paths, node);
                Some(part)
            }
            Err(error) => {
                let (TemplateError::Unclosed { offset } | TemplateError::NoPath { offset }) = error;
                let span = self.inside(node, offset, 2);
                self.collector
                    .error(&span, "this reference cannot be read", error.to_string(), None);
                None
            }
        }
    }

    pub(super) fn references(&self, paths: &[&str], node: &Node) {
        for path in paths {
            if let Some(fact) = path.strip_prefix("unit.") {
                let name = fact.split('.').next().unwrap_or_default();
                let field = self.words.and_then(|words| words.unit.get(name));
                let is_time = field.is_some_and(|field| field.kind == FieldType::Duration);
                let kind = if is_time { UnitFact::Time } else { UnitFact::Fact };
                self.unit_facts.borrow_mut().insert(fact.to_owned(), kind);
            }
            self.reference(path, &self.locate(node, path));
        }
    }

    /// Checks that a path leads somewhere.
    pub(super) fn reference(&self, path: &str, span: &Span) {
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        let (second, third) = (parts.next(), parts.next());
        match root {
            "params" => self.known_part("parameter", second, self.scope.params(), span),
            "unit" => {
                let facts = self.words.map(|words| &words.unit);
                let facts = facts.filter(|facts| !facts.is_empty());
                if let Some(facts) = facts {
                    self.known_part("fact of the unit", second, facts.keys().map(String::as_str), span);
                } else if second.is_none() {
                    self.incomplete(path, "unit.poll_interval", span);
                }
            }
            "artifact" => {
                let role = second.map(|role| role.split('-').next().unwrap_or_default());
                self.known_part("artifact role", role, ARTIFACT_ROLES, span);
                if role.is_some() {
                    self.known_part("fact of an artifact", third, ARTIFACT_FACTS, span);
                }
            }
            step => self.field_of_step(step, second, span),
        }
    }

    /// Checks that a step of that name comes before this one.
    pub(super) fn step_name(&self, name: &str, span: &Span) -> bool {
        self.known_name(name, span, false)
    }

    /// The same; at the beginning of a path other roots may have been meant.
    fn known_name(&self, name: &str, span: &Span, in_path: bool) -> bool {
        if self.scope.get(name).is_some() {
            return true;
        }
        if let Some(later) = self.scope.elsewhere(name) {
            let diagnostic = self
                .collector
                .at(span, format!("step `{name}` is not known here"))
                .label("used here")
                .related(later, "defined here")
                .help("only steps that come before are known, and not those inside another `for_each` or branch".to_owned());
            self.collector.report(diagnostic);
            return false;
        }
        let names = self.scope.names();
        let roots = ROOTS.iter().copied().filter(|_| in_path);
        let help = did_you_mean(name, names.iter().copied().chain(roots))
            .unwrap_or_else(|| format!("give the step that is meant a name: `as: {name}`"));
        self.collector.error(
            span,
            format!("no step is named `{name}`"),
            format!("expected {}", expected_names(&names)),
            Some(help),
        );
        false
    }

    fn field_of_step(&self, step: &str, field: Option<&str>, span: &Span) {
        if !self.known_name(step, span, true) {
            return;
        }
        let (Some(named), Some(field)) = (self.scope.get(step), field) else {
            return;
        };
        let Given::Fields(fields) = &named.given else {
            return;
        };
        if fields.iter().any(|known| known == field) {
            return;
        }
        let names = fields.iter().map(String::as_str);
        let label = match fields.as_slice() {
            [] => format!("a `{}` step like `{step}` gives nothing to refer to", named.verb),
            _ => format!("expected {}", one_of(names.clone())),
        };
        let title = format!("step `{step}` gives no `{field}`");
        self.collector
            .error(span, title, label, did_you_mean(field, names));
    }

    /// Reports a parameter that stands for a value of another type than is wanted.
    pub(super) fn parameter_fits(&self, node: &Node, path: &str, kind: FieldType, what: &str) {
        let Some(default) = self.scope.default_of(path) else {
            return;
        };
        let fits = match kind {
            FieldType::Any => true,
            FieldType::String | FieldType::Artifact => default.is_string(),
            FieldType::Integer => default.is_i64() || default.is_u64(),
            FieldType::Number | FieldType::Duration => default.is_number(),
            FieldType::Boolean => default.is_boolean(),
            FieldType::List => default.is_array(),
            FieldType::Object => default.is_object(),
        };
        if !fits {
            let title = format!("{what} must be {}", kind.described());
            let label = format!("`{path}` is {default} unless it is set");
            self.collector.error(&self.locate(node, path), title, label, None);
        }
    }

    fn known_part<'w>(
        &self,
        what: &str,
        part: Option<&str>,
        known: impl IntoIterator<Item = &'w str>,
        span: &Span,
    ) {
        let known: Vec<&str> = known.into_iter().collect();
        match part {
            Some(part) if known.contains(&part) => {}
            Some(part) if known.is_empty() => {
                let title = format!("unknown {what} `{part}`");
                self.collector
                    .error(span, title, "the scenario declares none", None);
            }
            Some(part) => self.collector.unknown(span, what, part, known.iter().copied()),
            None => {
                let label = format!("expected a {what}: {}", one_of(known));
                self.collector
                    .error(span, "this reference is incomplete", label, None);
            }
        }
    }

    fn incomplete(&self, path: &str, example: &str, span: &Span) {
        let label = format!("expected more than `{path}`, such as `{example}`");
        self.collector
            .error(span, "this reference is incomplete", label, None);
    }

    fn expression_text<'n>(&self, node: &'n Node, what: &str, expected: &str) -> Option<&'n str> {
        let text = node.scalar().filter(|_| !node.is_null());
        let text = text.map(|scalar| scalar.text.as_str());
        if text.is_none_or(str::is_empty) {
            self.collector.wrong_type(node, what, expected, None);
            return None;
        }
        text
    }

    fn expression_error(&self, node: &Node, what: &str, error: &ExpressionError) {
        let span = self.inside(node, error.offset, error.length);
        let text = node.scalar().map_or("", |scalar| scalar.text.trim());
        let help = text
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
            .map(|_| format!("write `{text}s`"));
        self.collector.error(
            &span,
            format!("{what} cannot be read"),
            error.message.as_str(),
            help,
        );
    }

    /// The place of some text in a scalar; the whole scalar if it is not found as it stands.
    pub(super) fn locate(&self, node: &Node, wanted: &str) -> Span {
        let raw = &self.collector.source().text()[node.span.clone()];
        match raw.find(wanted) {
            Some(at) => node.span.start + at..node.span.start + at + wanted.len(),
            None => node.span.clone(),
        }
    }

    /// The place of an offset in a scalar's text; the whole scalar if its text is not in the file as it stands.
    pub(super) fn inside(&self, node: &Node, offset: usize, length: usize) -> Span {
        let raw = &self.collector.source().text()[node.span.clone()];
        let text = node.scalar().map_or("", |scalar| scalar.text.as_str());
        match raw.find(text).filter(|_| !text.is_empty()) {
            Some(at) => {
                let start = (node.span.start + at + offset).min(node.span.end);
                start..(start + length.max(1)).min(node.span.end.max(start + 1))
            }
            None => node.span.clone(),
        }
    }
}

fn expected_names(names: &[&str]) -> String {
    match names {
        [] => "a named step; there is none before this one".to_owned(),
        [name] => format!("`{name}`, the only one before this one"),
        names => one_of(names.iter().copied()),
    }
}
