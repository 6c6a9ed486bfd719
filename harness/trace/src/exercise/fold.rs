//! The fold of one instance.

use super::{Exercisable, Machine, Valued};
use crate::{Event, Who};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// What one instance exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exercised {
    /// Full names of messages, with the fields that had a value.
    pub messages: BTreeMap<String, BTreeSet<String>>,
    /// Values that tell message types apart: event, field, value.
    pub types: BTreeSet<(String, String, String)>,
    /// Values that are errors: event, field, value.
    pub errors: BTreeSet<(String, String, String)>,
    /// Transitions: machine, state before, state after.
    pub transitions: BTreeSet<(String, String, String)>,
}

/// Takes in the events of one instance. Nothing is allocated for what was there before.
#[derive(Debug, Default)]
pub struct Exercise {
    units: BTreeMap<String, BTreeSet<String>>,
    clouds: BTreeMap<String, BTreeSet<String>>,
    /// Values seen, by rule.
    types: BTreeMap<usize, BTreeSet<String>>,
    errors: BTreeMap<usize, BTreeSet<String>>,
    transitions: BTreeSet<(String, String, String)>,
    /// The last state of each thing, by machine and what tells it from others.
    states: HashMap<(usize, String), String>,
}

impl Exercise {
    /// Takes in an event.
    pub fn observe(&mut self, event: &Event, known: &Exercisable) {
        let messages = match event.who {
            Who::Unit => &mut self.units,
            Who::Cloud => &mut self.clouds,
            Who::Fault => return,
        };
        match messages.get_mut(&event.name) {
            Some(fields) => {
                for (name, _) in event.fields.iter().filter(|(_, value)| !value.is_null()) {
                    if !fields.contains(name) {
                        fields.insert(name.clone());
                    }
                }
            }
            None => {
                let given = event.fields.iter().filter(|(_, value)| !value.is_null());
                let fields = given.map(|(name, _)| name.clone()).collect();
                messages.insert(event.name.clone(), fields);
            }
        }
        note(&mut self.types, &known.types, event);
        note(&mut self.errors, &known.errors, event);
        for (index, machine) in known.machines.iter().enumerate() {
            if is(event, &machine.event) && has(&event.fields, &machine.matching) {
                self.moved(index, machine, &event.fields);
            }
        }
    }

    fn moved(&mut self, index: usize, machine: &Machine, fields: &Map<String, Value>) {
        let Some(list) = &machine.each else {
            return self.moved_one(index, machine, fields);
        };
        for thing in fields.get(list).and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(members) = thing {
                self.moved_one(index, machine, members);
            }
        }
    }

    fn moved_one(&mut self, index: usize, machine: &Machine, members: &Map<String, Value>) {
        let Some(state) = at(members, &machine.state).and_then(text) else {
            return;
        };
        let told = machine.entity.iter().map(|path| text(at(members, path)?));
        let Some(entity) = told.collect::<Option<Vec<_>>>() else {
            return;
        };
        let entity = entity.join(" ");
        let last = self.states.entry((index, entity)).or_default();
        if *last == state {
            return;
        }
        let before = match last.as_str() {
            "" => Machine::START.to_owned(),
            before => before.to_owned(),
        };
        *last = state.clone().into_owned();
        self.transitions
            .insert((machine.name.clone(), before, state.into_owned()));
    }

    /// What was exercised, of what there is.
    pub fn finish(self, known: &Exercisable) -> Exercised {
        let of = |who: Who, messages: BTreeMap<String, BTreeSet<String>>| {
            messages
                .into_iter()
                .map(move |(name, fields)| (format!("{who}.{name}"), fields))
        };
        let units = of(Who::Unit, self.units);
        Exercised {
            messages: units.chain(of(Who::Cloud, self.clouds)).collect(),
            types: by_field(self.types, &known.types),
            errors: by_field(self.errors, &known.errors),
            transitions: self.transitions,
        }
    }
}

fn note(seen: &mut BTreeMap<usize, BTreeSet<String>>, rules: &[Valued], event: &Event) {
    for (index, rule) in rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| is(event, &rule.event))
    {
        let Some(value) = event.fields.get(&rule.field).and_then(text) else {
            continue;
        };
        if rule.values.contains(value.as_ref()) {
            let seen = seen.entry(index).or_default();
            if !seen.contains(value.as_ref()) {
                seen.insert(value.into_owned());
            }
        }
    }
}

/// Values by rule as event, field and value.
fn by_field(seen: BTreeMap<usize, BTreeSet<String>>, rules: &[Valued]) -> BTreeSet<(String, String, String)> {
    let of_rules = seen
        .into_iter()
        .filter_map(|(index, values)| Some((rules.get(index)?, values)));
    let named = of_rules.flat_map(|(rule, values)| {
        values
            .into_iter()
            .map(|value| (rule.event.clone(), rule.field.clone(), value))
    });
    named.collect()
}

/// Whether an event has that full name.
fn is(event: &Event, full_name: &str) -> bool {
    let who = match event.who {
        Who::Unit => "unit",
        Who::Cloud => "cloud",
        Who::Fault => "fault",
    };
    let name = full_name
        .strip_prefix(who)
        .and_then(|name| name.strip_prefix('.'));
    name == Some(event.name.as_str())
}

fn has(fields: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| fields.get(name) == Some(value))
}

/// A member at a path.
fn at<'v>(members: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    match path.split_once('.') {
        None => members.get(path),
        Some((first, rest)) => at(members.get(first)?.as_object()?, rest),
    }
}

/// A plain value as text; nothing is no value.
fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stamp;
    use serde_json::json;

    fn event(who: Who, name: &str, fields: Value) -> Event {
        let Value::Object(fields) = fields else {
            panic!("fields are a map");
        };
        Event {
            who,
            name: name.to_owned(),
            at: Stamp(0),
            records: Vec::new(),
            fields,
        }
    }

    fn machine(event: &str, each: Option<&str>, entity: &[&str], state: &str) -> Machine {
        Machine {
            name: "thing".to_owned(),
            event: event.to_owned(),
            each: each.map(str::to_owned),
            entity: entity.iter().map(ToString::to_string).collect(),
            state: state.to_owned(),
            ..Machine::default()
        }
    }

    fn exercised(known: &Exercisable, events: &[Event]) -> Exercised {
        let mut exercise = Exercise::default();
        for event in events {
            exercise.observe(event, known);
        }
        exercise.finish(known)
    }

    fn transitions(machine: Machine, events: &[Event]) -> Vec<String> {
        let known = Exercisable {
            machines: vec![machine],
            ..Exercisable::default()
        };
        let transitions = exercised(&known, events).transitions.into_iter();
        transitions.map(|(_, from, to)| format!("{from} {to}")).collect()
    }

    #[test]
    fn messages_count_with_the_fields_that_had_a_value() {
        let events = [
            event(Who::Unit, "ack", json!({"id": "a", "message": null})),
            event(Who::Unit, "ack", json!({"id": "b", "status": "failed"})),
            event(Who::Cloud, "ack", json!({})),
            event(Who::Fault, "acted", json!({"fault": "cloud.reset"})),
        ];
        let messages = exercised(&Exercisable::default(), &events).messages;
        let ack = BTreeSet::from(["id".to_owned(), "status".to_owned()]);
        let expected = [("cloud.ack", BTreeSet::new()), ("unit.ack", ack)];
        let expected = expected.map(|(name, fields)| (name.to_owned(), fields));
        assert_eq!(messages, BTreeMap::from(expected));
    }

    #[test]
    fn only_values_that_are_errors_are_errors() {
        let known = Exercisable {
            errors: vec![Valued {
                event: "cloud.answer".to_owned(),
                field: "status".to_owned(),
                values: BTreeSet::from(["404".to_owned(), "gone".to_owned()]),
            }],
            ..Exercisable::default()
        };
        let answer = |status: Value| event(Who::Cloud, "answer", json!({"status": status}));
        let others = [
            event(Who::Unit, "answer", json!({"status": 404})),
            event(Who::Cloud, "late_answer", json!({"status": 404})),
        ];
        let answers = [200.into(), 404.into(), "gone".into(), Value::Null, json!([404])].map(answer);
        assert_eq!(exercised(&known, &others).errors.len(), 0);
        assert_eq!(exercised(&known, &answers).errors.len(), 2);
    }

    #[test]
    fn each_thing_goes_its_own_way() {
        let told = |id: &str, status: &str| event(Who::Unit, "ack", json!({"id": id, "status": status}));
        let events = [
            told("a", "running"),
            told("b", "failed"),
            told("a", "running"),
            told("a", "done"),
        ];
        let found = transitions(machine("unit.ack", None, &["id"], "status"), &events);
        assert_eq!(found, ["running done", "start failed", "start running"]);
    }

    #[test]
    fn things_in_lists_are_told_apart_by_paths() {
        let told = |state: &str| {
            let items =
                json!([{"item": {"id": "x"}, "state": state}, {"item": {"id": "y"}, "state": "idle"}, 7]);
            event(Who::Unit, "status", json!({"items": items}))
        };
        let thing = machine("unit.status", Some("items"), &["item.id"], "state");
        let found = transitions(thing, &[told("idle"), told("busy"), told("idle")]);
        assert_eq!(found, ["busy idle", "idle busy", "start idle"]);
    }
}
