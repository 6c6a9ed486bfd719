//! `scenarios/exercise.yaml`: what a run can exercise of each protocol, read and checked against the vocabulary, whose
//! events are the messages.

use crate::{Vocabulary, Words};
use hil_diagnostic::{Collector, Diagnostics, Entry, MapReader, Node, Source, parse_yaml};
use hil_trace::{Exercisable, Machine, Valued};
use hil_wire::Protocol;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What there is to exercise, as built into the binary.
pub fn embedded_exercise(vocabulary: &Vocabulary) -> Result<BTreeMap<Protocol, Exercisable>, Diagnostics> {
    let (path, text) = crate::embedded::exercise();
    read_exercise(Source::new(path, text), vocabulary)
}

fn read_exercise(
    source: Arc<Source>,
    vocabulary: &Vocabulary,
) -> Result<BTreeMap<Protocol, Exercisable>, Diagnostics> {
    let collector = Collector::new(source);
    let read = parse_yaml(&collector).and_then(|node| file(&collector, &node, vocabulary));
    let diagnostics = collector.into_diagnostics();
    match read {
        Some(read) if !diagnostics.has_errors() => Ok(read),
        _ => Err(diagnostics),
    }
}

fn file(
    collector: &Collector,
    node: &Node,
    vocabulary: &Vocabulary,
) -> Option<BTreeMap<Protocol, Exercisable>> {
    let mut map = MapReader::new(collector, node, "what there is to exercise")?;
    let mut all = BTreeMap::new();
    for protocol in Protocol::ALL {
        let Some(node) = map.required(protocol.name()) else {
            continue;
        };
        let reader = Reader {
            collector,
            words: vocabulary.words(protocol),
        };
        if let Some(mut read) = reader.protocol(node) {
            let common = &vocabulary.common().events;
            let own = reader.words.events.iter();
            let own = own.filter(|(name, _)| !common.contains_key(*name));
            read.messages = own
                .map(|(name, word)| (name.clone(), word.gives.keys().cloned().collect()))
                .collect();
            all.insert(protocol, read);
        }
    }
    map.finish();
    Some(all)
}

struct Reader<'a> {
    collector: &'a Collector,
    words: &'a Words,
}

impl Reader<'_> {
    fn protocol(&self, node: &Node) -> Option<Exercisable> {
        let mut map = MapReader::new(self.collector, node, "what there is to exercise of a protocol")?;
        let valued = |entries: &[Entry]| entries.iter().filter_map(|entry| self.valued(entry)).collect();
        let read = Exercisable {
            messages: BTreeMap::new(),
            types: valued(map.entries_of("types")),
            errors: valued(map.entries_of("errors")),
            machines: map
                .entries_of("states")
                .iter()
                .filter_map(|entry| self.machine(entry))
                .collect(),
        };
        map.finish();
        Some(read)
    }

    /// `unit.ack.error_code: [no_space, internal]`.
    fn valued(&self, entry: &Entry) -> Option<Valued> {
        let (event, field) = entry.key.rsplit_once('.').unwrap_or((&entry.key, ""));
        let Some(word) = self.words.events.get(event) else {
            self.unknown_event(&entry.key_span, event);
            return None;
        };
        if !word.gives.contains_key(field) {
            let known = word.gives.keys().map(String::as_str);
            self.collector.unknown(&entry.key_span, "field", field, known);
            return None;
        }
        Some(Valued {
            event: event.to_owned(),
            field: field.to_owned(),
            values: self.values(&entry.value),
        })
    }

    fn machine(&self, entry: &Entry) -> Option<Machine> {
        let what = format!("`{}`", entry.key);
        let mut map = MapReader::new(self.collector, &entry.value, what)?;
        let event = map.required("event")?;
        let name = self.collector.string(event, "`event`")?;
        if !self.words.events.contains_key(name) {
            self.unknown_event(&event.span, name);
        }
        let matching = map
            .optional("match")
            .and_then(|node| self.collector.object(node, "`match`"));
        let entity = map.optional("entity");
        let machine = Machine {
            name: entry.key.clone(),
            event: name.to_owned(),
            matching: matching.unwrap_or_default(),
            each: map.optional_string("each"),
            entity: entity
                .map(|node| self.collector.strings(node, "`entity`"))
                .unwrap_or_default(),
            state: map.required_string("state")?,
            moves: map
                .entries_of("moves")
                .iter()
                .map(|entry| (entry.key.clone(), self.values(&entry.value)))
                .collect(),
        };
        map.finish();
        Some(machine)
    }

    /// A list of plain values, as text.
    fn values(&self, node: &Node) -> BTreeSet<String> {
        let nodes = self.collector.list(node, "the values").unwrap_or_default();
        let texts = nodes.iter().filter_map(|node| {
            let text = node.scalar().map(|scalar| scalar.text.clone());
            if text.is_none() {
                self.collector.wrong_type(node, "a value", "a plain value", None);
            }
            text
        });
        texts.collect()
    }

    fn unknown_event(&self, span: &hil_diagnostic::Span, event: &str) {
        let known = self.words.events.keys().map(String::as_str);
        self.collector.unknown(span, "event", event, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_messages_errors_and_states() {
        let vocabulary = Vocabulary::embedded().unwrap_or_else(|d| panic!("{d}"));
        let all = embedded_exercise(&vocabulary).unwrap_or_else(|d| panic!("{d}"));
        for protocol in Protocol::ALL {
            let known = &all[&protocol];
            assert!(known.messages.len() > 8, "{protocol}");
            assert!(!known.messages.contains_key("unit.started"), "{protocol}");
            assert!(
                !known.errors.is_empty() && !known.machines.is_empty(),
                "{protocol}"
            );
        }
    }

    #[test]
    fn mistakes_are_shown() {
        let vocabulary = Vocabulary::embedded().unwrap_or_else(|d| panic!("{d}"));
        let text = "edge-poll:\n  types: {}\n  errors:\n    unit.ack.eror_code: [a]\n    unit.akc.status: [a]\n    unit.ack.status: a\n  \
                    states:\n    command: {event: unit.akc, state: status, stat: x}\nsota: {}\n";
        let told = read_exercise(Source::new("exercise.yaml", text), &vocabulary).unwrap_err();
        insta::assert_snapshot!(told.render(false));
    }
}
