//! The top level of a scenario file.

use super::scope::{Given, Scope};
use crate::{Fields, Parameter, Plan, TIERS, UnitFact, Vocabulary, Words};
use hil_diagnostic::{Collector, Diagnostics, Entry, MapReader, Node, Source, parse_seconds, parse_yaml};
use hil_trace::Catalogue;
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Reads and checks one scenario. `path` is its path below the suites; all mistakes are returned at once.
pub fn load(
    path: &str,
    text: &str,
    vocabulary: &Vocabulary,
    catalogue: &Catalogue,
) -> Result<Plan, Diagnostics> {
    load_source(path, Source::new(path, text), vocabulary, catalogue)
}

/// The same for a file whose path shown to people is not its path below the suites.
pub fn load_source(
    path: &str,
    source: Arc<Source>,
    vocabulary: &Vocabulary,
    catalogue: &Catalogue,
) -> Result<Plan, Diagnostics> {
    let collector = Collector::new(source);
    let plan = parse_yaml(&collector)
        .and_then(|node| Loader::new(&collector, vocabulary, catalogue, &node).scenario(path, &node));
    let diagnostics = collector.into_diagnostics();
    match plan {
        Some(plan) if !diagnostics.has_errors() => Ok(plan),
        _ => Err(diagnostics),
    }
}

/// What is known while a scenario is read.
pub(super) struct Loader<'a> {
    pub(super) collector: &'a Collector,
    vocabulary: &'a Vocabulary,
    /// The words of the protocol; none if the protocol is not known, and then words are not checked.
    pub(super) words: Option<&'a Words>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) protocol: Option<Protocol>,
    pub(super) scope: Scope,
    /// Capabilities, declared and implied by words.
    pub(super) needs: BTreeSet<String>,
    /// Requirements, of the scenario and of its steps.
    verifies: Vec<String>,
    /// Facts of the unit that were referred to.
    pub(super) unit_facts: RefCell<BTreeMap<String, UnitFact>>,
    /// How often the scenario says it runs, and where.
    pub(super) repeat: Option<(u32, hil_diagnostic::Span)>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        collector: &'a Collector,
        vocabulary: &'a Vocabulary,
        catalogue: &'a Catalogue,
        root: &Node,
    ) -> Loader<'a> {
        Loader {
            collector,
            vocabulary,
            words: None,
            catalogue,
            protocol: None,
            scope: Scope::new(root),
            needs: BTreeSet::new(),
            verifies: Vec::new(),
            unit_facts: RefCell::default(),
            repeat: None,
        }
    }

    /// Words are those of this protocol from now on.
    pub(super) fn speak(&mut self, protocol: Protocol) {
        self.protocol = Some(protocol);
        self.words = Some(self.vocabulary.words(protocol));
    }

    fn scenario(&mut self, path: &str, node: &'a Node) -> Option<Plan> {
        let mut map = MapReader::new(self.collector, node, "a scenario")?;
        let name = map.required_string("name");
        let protocol = map.required_word("protocol", Protocol::ALL.map(Protocol::name));
        if let Some(protocol) = protocol.and_then(|name| name.parse().ok()) {
            self.speak(protocol);
        }
        self.verifies = map
            .optional("verifies")
            .map(|node| self.requirements(node))
            .unwrap_or_default();
        self.needs(&mut map);
        let applies_when = self.applies_when(&mut map);
        let tags = self.tags(&mut map);
        let params = self.params(&mut map);
        let prepare = self.declared(&mut map, "prepare");
        let cloud = self.declared(&mut map, "cloud");
        let repeat = self.repeat(&mut map);
        let timeout = self.timeout(&mut map);
        let steps = self.required_steps(&mut map);
        let sweep = self.sweep(&mut map, node);
        let provokes = self.provokes(&mut map);
        map.finish();
        Some(Plan {
            path: path.to_owned(),
            name: name?,
            protocol: self.protocol?,
            provokes,
            verifies: std::mem::take(&mut self.verifies),
            needs: std::mem::take(&mut self.needs).into_iter().collect(),
            applies_when,
            tags,
            params,
            prepare,
            cloud,
            repeat,
            sweep,
            timeout,
            unit_facts: self.unit_facts.take(),
            steps,
            extra_faults: Vec::new(),
            source: Arc::clone(self.collector.source()),
        })
    }

    /// Requirement ids of a `verifies`, checked against the catalogue.
    pub(super) fn requirements(&mut self, node: &Node) -> Vec<String> {
        let mut ids = Vec::new();
        for element in self.collector.list(node, "`verifies`").unwrap_or_default() {
            let Some(id) = self.collector.string(element, "a requirement id") else {
                continue;
            };
            let prefix = self.protocol.map_or("", Protocol::requirement_prefix);
            let known = self.catalogue.get(id).is_some();
            if !known {
                let ids = self.catalogue.requirements.keys().map(String::as_str);
                let near = ids.filter(|id| id.starts_with(prefix));
                let help = hil_diagnostic::did_you_mean(id, near)
                    .unwrap_or_else(|| "`hil list requirements` shows every id".to_owned());
                let title = format!("unknown requirement `{id}`");
                self.collector
                    .error(&element.span, title, "not in the catalogue", Some(help));
            } else if !id.starts_with(prefix) {
                let title = format!("`{id}` is a requirement of another protocol");
                let label = format!("expected an id that begins with `{prefix}-`");
                self.collector.error(&element.span, title, label, None);
            } else if ids.iter().any(|other| other == id) {
                let title = format!("`{id}` is listed twice");
                self.collector.error(&element.span, title, "again here", None);
            } else {
                ids.push(id.to_owned());
            }
        }
        ids
    }

    /// `provokes`: what happens to the unit, in words, by requirement that it is needed for.
    fn provokes(&self, map: &mut MapReader<'a>) -> BTreeMap<String, String> {
        let mut provokes = BTreeMap::new();
        for entry in map.entries_of("provokes") {
            if !self.verifies.contains(&entry.key) {
                let title = format!("the scenario does not verify `{}`", entry.key);
                let near = self.verifies.iter().map(String::as_str);
                let help = hil_diagnostic::did_you_mean(&entry.key, near);
                self.collector
                    .error(&entry.key_span, title, "`provokes` names what it verifies", help);
            }
            if let Some(words) = self.collector.string(&entry.value, "what it provokes") {
                provokes.insert(entry.key.clone(), words.to_owned());
            }
        }
        provokes
    }

    /// Adds the requirements of a step to those of the scenario.
    pub(super) fn also_verifies(&mut self, ids: &[String]) {
        for id in ids {
            if !self.verifies.contains(id) {
                self.verifies.push(id.clone());
            }
        }
    }

    fn needs(&mut self, map: &mut MapReader<'a>) {
        let words = map.list_of("needs", |node| {
            self.collector.word(node, "capability", crate::CAPABILITIES)
        });
        self.needs.extend(words.into_iter().map(str::to_owned));
    }

    fn tags(&self, map: &mut MapReader<'a>) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for node in map.list_of("tags", Some) {
            let Some(tag) = self.collector.string(node, "a tag") else {
                continue;
            };
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if tag.is_empty() || !tag.chars().all(plain) {
                let label = "a tag is lower-case letters, digits and `-`";
                let help = tag.to_lowercase().replace(['_', ' '], "-");
                let help = help.chars().all(plain).then(|| format!("write `{help}`"));
                let help = help.filter(|_| !tag.is_empty());
                self.collector
                    .error(&node.span, format!("`{tag}` is no tag"), label, help);
            } else if tags.iter().any(|other| other == tag) {
                self.collector.error(
                    &node.span,
                    format!("tag `{tag}` is given twice"),
                    "again here",
                    None,
                );
            } else {
                tags.push(tag.to_owned());
            }
        }
        tags
    }

    fn params(&mut self, map: &mut MapReader<'a>) -> BTreeMap<String, Parameter> {
        let mut params = BTreeMap::new();
        for entry in map.entries_of("params") {
            let parameter = self.parameter(entry);
            let default = parameter.as_ref().map(|parameter| parameter.default.clone());
            self.scope.add_param(&entry.key, default);
            if let Some(parameter) = parameter {
                params.insert(entry.key.clone(), parameter);
            }
        }
        params
    }

    fn parameter(&self, entry: &'a Entry) -> Option<Parameter> {
        self.check_name(&entry.key, &entry.key_span, "parameter");
        let Some(tiers) = entry.value.entries() else {
            return Some(Parameter {
                default: parameter_value(&entry.value),
                tiers: BTreeMap::new(),
            });
        };
        let mut values = BTreeMap::new();
        for tier in tiers {
            if TIERS.contains(&tier.key.as_str()) {
                values.insert(tier.key.clone(), parameter_value(&tier.value));
            } else {
                self.collector.unknown(&tier.key_span, "tier", &tier.key, TIERS);
            }
        }
        let Some(default) = values.remove("default") else {
            let title = format!("parameter `{}` has no default", entry.key);
            self.collector
                .error(&entry.key_span, title, "`default:` is missing", None);
            return None;
        };
        for tier in tiers {
            let differs = values
                .get(&tier.key)
                .is_some_and(|value| kind(value) != kind(&default));
            if differs {
                let title = format!("tier `{}` has another type than the default", tier.key);
                let label = format!("expected {}, like the default", kind(&default));
                self.collector.error(&tier.value.head(), title, label, None);
            }
        }
        Some(Parameter {
            default,
            tiers: values,
        })
    }

    /// `prepare` or `cloud`: values without references, checked if the vocabulary declares them.
    fn declared(&mut self, map: &mut MapReader<'a>, section: &'static str) -> Map<String, Value> {
        let Some(node) = map.optional(section).filter(|node| !node.is_null()) else {
            return Map::new();
        };
        let fields = match section {
            "prepare" => self.words.map(|words| &words.prepare),
            _ => self.words.map(|words| &words.cloud),
        };
        let what = format!("`{section}`");
        let none = Fields::new();
        let template = self.section(node, fields.unwrap_or(&none), &what);
        match template.constant() {
            Some(Value::Object(values)) => values,
            _ => {
                let title = format!("{what} cannot refer to anything");
                self.collector
                    .error(&node.head(), title, "expected plain values", None);
                Map::new()
            }
        }
    }

    fn repeat(&mut self, map: &mut MapReader<'a>) -> u32 {
        let Some(node) = map.optional("repeat") else {
            return 1;
        };
        let Some(count) = self.collector.integer(node, "`repeat`") else {
            return 1;
        };
        let fits = |count: &u32| (1..=MOST_REPEATS).contains(count);
        let Some(count) = u32::try_from(count).ok().filter(fits) else {
            let label = format!("expected a number from 1 to {MOST_REPEATS}");
            self.collector
                .error(&node.span, "`repeat` is out of range", label, None);
            return 1;
        };
        self.repeat = Some((count, node.span.clone()));
        count
    }

    fn timeout(&self, map: &mut MapReader<'a>) -> Duration {
        let Some(node) = map.optional("timeout") else {
            return DEFAULT_TIMEOUT;
        };
        let timeout = self.collector.duration(node, "`timeout`");
        if timeout.is_some_and(|t| t.is_zero()) {
            let label = "expected more than nothing";
            self.collector
                .error(&node.span, "`timeout` leaves no time", label, None);
        }
        timeout.unwrap_or(DEFAULT_TIMEOUT)
    }

    /// Reports a name that expressions could not refer to.
    pub(super) fn check_name(&self, name: &str, span: &hil_diagnostic::Span, what: &str) -> bool {
        let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let fits = begins && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fits {
            let label = "a name is letters, digits and `_`, and does not begin with a digit";
            self.collector
                .error(span, format!("`{name}` cannot name a {what}"), label, None);
        }
        fits
    }

    /// Makes a name known to the steps that follow.
    pub(super) fn define(&mut self, node: &Node, verb: &'static str, given: Given) -> Option<String> {
        let name = self.collector.string(node, "`as`")?;
        if !self.check_name(name, &node.span, "step") {
            return None;
        }
        if crate::ROOTS.contains(&name) {
            let title = format!("a step cannot be named `{name}`");
            let label = format!("`{name}` already means something in expressions");
            self.collector.error(&node.span, title, label, None);
            return None;
        }
        if let Some(first) = self.scope.define(name, node.span.clone(), verb, given) {
            let diagnostic = self
                .collector
                .at(&node.span, format!("two steps are named `{name}`"))
                .label("again here")
                .related(&first, "first here");
            self.collector.report(diagnostic);
            return None;
        }
        Some(name.to_owned())
    }
}

/// Durations become seconds.
fn parameter_value(node: &Node) -> Value {
    match node.to_json() {
        Value::String(text) => match parse_seconds(&text) {
            Ok(seconds) if seconds.fract() == 0.0 => Value::from(seconds as u64),
            Ok(seconds) => Value::from(seconds),
            Err(_) => Value::String(text),
        },
        value => value,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number or duration",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

const MOST_REPEATS: u32 = 1000;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
