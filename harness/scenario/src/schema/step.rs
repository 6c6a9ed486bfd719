//! Schemas of steps, one set for each protocol.

use super::{measure, shapes};
use crate::{Fields, NOTHING, VERBS, Word, Words};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Names of the definitions of one protocol.
pub(super) struct Names<'p> {
    protocol: &'p str,
}

impl<'p> Names<'p> {
    pub(super) fn new(protocol: &'p str) -> Names<'p> {
        Names { protocol }
    }

    fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.protocol)
    }

    fn reference(&self, what: &str) -> Value {
        json!({"$ref": format!("#/$defs/{}", self.name(what))})
    }
}

/// Adds the definitions of a protocol's steps.
pub(super) fn steps_of(words: &Words, names: &Names<'_>, definitions: &mut Map<String, Value>) {
    let mut add = |what: &str, schema: Value| {
        definitions.insert(names.name(what), schema);
    };
    add(
        "steps",
        json!({"type": "array", "minItems": 1, "items": names.reference("step")}),
    );
    add("step", step(names));
    add("action", word_list(&words.actions));
    add("fault", word_list(&words.faults));
    add("event", word_list(&words.events));
    add(
        "do",
        verb("do", names.reference("action"), &["with"], action_cases(words)),
    );
    let inner = [("unit.stimulus", &words.stimuli)];
    let faults = cases_with_inner("inject", &words.faults, &inner);
    add(
        "inject",
        verb("inject", names.reference("fault"), &["with", "when"], faults),
    );
    let expect = [
        "match", "where", "after", "before", "within", "hold", "times", "stimulus",
    ];
    let never = ["match", "where", "after", "before", "within", "stimulus"];
    add(
        "expect",
        verb(
            "expect",
            names.reference("event"),
            &expect,
            event_cases("expect", words),
        ),
    );
    add(
        "never",
        verb(
            "never",
            names.reference("event"),
            &never,
            event_cases("never", words),
        ),
    );
    add("one_of", verb("one_of", branches(names), &[], Vec::new()));
    add("branch", branch(names, &expect, event_cases("expect", words)));
    add("end", measure::end(names.reference("event"), words));
    add(
        "measure",
        verb(
            "measure",
            measure::measure(names.reference("end")),
            &[],
            Vec::new(),
        ),
    );
    add("wait", verb("wait", wait(), &[], Vec::new()));
    add("for_each", for_each(names));
}

/// A step is told by its verb.
fn step(names: &Names<'_>) -> Value {
    let cases: Vec<Value> = VERBS
        .iter()
        .map(|verb| json!({"if": {"required": [verb]}, "then": names.reference(verb)}))
        .collect();
    let any: Vec<Value> = VERBS.iter().map(|verb| json!({"required": [verb]})).collect();
    json!({"type": "object", "oneOf": any, "allOf": cases})
}

/// A step with one verb: its value, its modifiers, and what depends on the word.
fn verb(verb: &str, value: Value, modifiers: &[&str], cases: Vec<Value>) -> Value {
    let mut properties = Map::new();
    properties.insert(verb.to_owned(), value);
    for name in modifiers.iter().chain(&["as", "verifies"]) {
        properties.insert((*name).to_owned(), modifier(name));
    }
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "required": [verb],
        "additionalProperties": false,
    });
    if !cases.is_empty() {
        schema["allOf"] = Value::Array(cases);
    }
    schema
}

fn modifier(name: &str) -> Value {
    let (schema, summary) = match name {
        "as" => (
            json!({"$ref": "#/$defs/name"}),
            "A name for later steps to refer to.",
        ),
        "verifies" => (
            json!({"anyOf": [{"$ref": "#/$defs/verifies"}, {"const": NOTHING}]}),
            "The requirements this step decides, or `none` for a step that only prepares; the scenario's only one if not said.",
        ),
        "with" => (json!({"type": "object"}), "Arguments."),
        "when" => (
            when(),
            "When the fault begins to act: a span from now on, a moment, or an event; at once if not said.",
        ),
        "match" => (
            json!({"type": "object"}),
            "Fields the event has; others are free.",
        ),
        "where" => (
            json!({"type": "string"}),
            "A CEL condition, such as event.count > 1.",
        ),
        "after" => (json!({"$ref": "#/$defs/moment"}), "Not before this moment."),
        "before" => (json!({"$ref": "#/$defs/moment"}), "Not after this moment."),
        "within" => (
            json!({"$ref": "#/$defs/span"}),
            "Not later than this after the step began.",
        ),
        "hold" => (
            json!({"$ref": "#/$defs/span"}),
            "No other such event follows for this long.",
        ),
        "times" => (
            json!({"$ref": "#/$defs/count"}),
            "How many such events; 1 if not said.",
        ),
        _ => (
            json!({"$ref": "#/$defs/name"}),
            "The step without which nothing can be judged here.",
        ),
    };
    let mut schema = schema;
    shapes::describe(&mut schema, summary);
    schema
}

/// The words with their summaries, for completion.
fn word_list(words: &BTreeMap<String, Word>) -> Value {
    let words = words.iter();
    let options: Vec<Value> = words
        .map(|(name, word)| json!({"const": name, "description": word.summary}))
        .collect();
    match options.is_empty() {
        true => json!(false),
        false => json!({"oneOf": options}),
    }
}

/// `then` holds if the verb's value is `word`.
fn case(verb: &str, word: &str, then: Value) -> Value {
    json!({"if": {"required": [verb], "properties": {verb: {"const": word}}}, "then": then})
}

fn with(word: &Word, fields: &Fields, open: bool) -> Value {
    let mut arguments = shapes::fields(fields, open);
    shapes::describe(&mut arguments, &word.summary);
    let mut schema = json!({"properties": {"with": arguments}});
    if fields.values().any(|field| field.required) {
        schema["required"] = json!(["with"]);
    }
    schema
}

fn action_cases(words: &Words) -> Vec<Value> {
    let inner = [("unit.probe", &words.probes), ("unit.stimulate", &words.stimuli)];
    cases_with_inner("do", &words.actions, &inner)
}

/// What goes with each word of a verb; the `name` of some chooses an inner word.
fn cases_with_inner(
    verb: &str,
    words: &BTreeMap<String, Word>,
    inner: &[(&str, &BTreeMap<String, Word>)],
) -> Vec<Value> {
    let mut cases: Vec<Value> = Vec::new();
    for (name, word) in words {
        let Some((_, inner)) = inner.iter().find(|(outer, _)| outer == name) else {
            cases.push(case(verb, name, with(word, &word.with, word.open)));
            continue;
        };
        cases.push(case(verb, name, with(word, &named(word, inner), true)));
        cases.extend(inner.iter().map(|(inner_name, inner)| {
            let mut fields = word.with.clone();
            fields.extend(inner.with.clone());
            json!({
                "if": {
                    "required": [verb, "with"],
                    "properties": {
                        verb: {"const": name},
                        "with": {"required": ["name"], "properties": {"name": {"const": inner_name}}},
                    },
                },
                "then": with(inner, &fields, inner.open),
            })
        }));
    }
    cases
}

/// The arguments of `unit.probe` and its like: `name` is one of the inner words.
fn named(word: &Word, inner: &BTreeMap<String, Word>) -> Fields {
    let mut fields = word.with.clone();
    if let Some(name) = fields.get_mut("name") {
        name.values = inner.keys().cloned().collect();
    }
    fields
}

pub(super) fn event_cases(verb: &str, words: &Words) -> Vec<Value> {
    let events = words.events.iter();
    events
        .map(|(name, word)| {
            let mut matching = shapes::matching(&word.gives, word.open);
            shapes::describe(&mut matching, &word.summary);
            case(verb, name, json!({"properties": {"match": matching}}))
        })
        .collect()
}

fn branches(names: &Names<'_>) -> Value {
    json!({"type": "array", "minItems": 2, "items": names.reference("branch")})
}

fn branch(names: &Names<'_>, modifiers: &[&str], cases: Vec<Value>) -> Value {
    let mut schema = verb("expect", names.reference("event"), modifiers, cases);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.remove("verifies");
        properties.insert(
            "steps".to_owned(),
            json!({"type": "array", "items": names.reference("step")}),
        );
    }
    schema
}

fn when() -> Value {
    let at = json!({"anyOf": [{"$ref": "#/$defs/span"}, {"$ref": "#/$defs/moment"}]});
    let map = json!({
        "type": "object",
        "properties": {
            "at": at,
            "event": {"type": "string", "description": "It begins to act at this event."},
            "match": {"type": "object", "description": "Fields the event has; others are free."},
            "nth": {"type": "integer", "minimum": 1, "description": "Which of them; the first if not said."},
            "times": {"type": "integer", "minimum": 1, "description": "A fault of the unit acts so often, each time the event comes; once if not said."},
            "offset": {"$ref": "#/$defs/span"},
            "probability": {"type": "number", "minimum": 0, "maximum": 1, "description": "How likely each match is struck."},
        },
        "additionalProperties": false,
    });
    json!({"anyOf": [at, map]})
}

fn wait() -> Value {
    let until = json!({
        "type": "object",
        "properties": {"until": {"$ref": "#/$defs/moment"}},
        "required": ["until"],
        "additionalProperties": false,
    });
    json!({"anyOf": [{"$ref": "#/$defs/span"}, until]})
}

/// One variable beside the steps; repetition has no name of its own.
fn for_each(names: &Names<'_>) -> Value {
    let values = shapes::or_reference(json!({"type": "array", "minItems": 1}));
    json!({
        "type": "object",
        "properties": {
            "for_each": {
                "type": "object",
                "properties": {"steps": names.reference("steps")},
                "required": ["steps"],
                "additionalProperties": values,
                "propertyNames": {"$ref": "#/$defs/name"},
                "minProperties": 2,
                "maxProperties": 2,
            },
            "verifies": modifier("verifies"),
        },
        "required": ["for_each"],
        "additionalProperties": false,
    })
}
