//! What scenarios may write is what the crates behind them know.

use hil_fault::{FaultError, FaultSpec};
use hil_scenario::{ARTIFACT_ROLES, CAPABILITIES, Field, FieldType, Vocabulary, Word};
use hil_unit::{Capability, unit_file::ROLES};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

#[test]
fn scenarios_ask_for_the_capabilities_drivers_have() {
    assert_eq!(CAPABILITIES, Capability::ALL.map(Capability::name));
    assert_eq!(ARTIFACT_ROLES, ROLES);
}

#[test]
fn every_fault_of_the_vocabulary_can_be_armed() {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut words = 0;
    for protocol in Protocol::ALL {
        for (name, word) in &vocabulary.words(protocol).faults {
            words += 1;
            let required = arguments(word, |field| field.required);
            for (given, what) in [(&required, "required"), (&arguments(word, |_| true), "all")] {
                let spec = FaultSpec::parse(name, given);
                assert!(
                    spec.is_ok(),
                    "{protocol} {name}, {what} arguments {given:?}: {spec:?}"
                );
            }
            // What the vocabulary demands is needed indeed, and what it bounds is bounded.
            for (argument, field) in word.with.iter().filter(|(_, field)| field.required) {
                let mut less = required.clone();
                less.remove(argument);
                let optional = ["on", "message"].contains(&argument.as_str());
                assert!(
                    optional || FaultSpec::parse(name, &less).is_err(),
                    "{protocol} {name} without {argument}"
                );
                if !field.values.is_empty() && !optional {
                    let odd = Map::from_iter([(argument.clone(), json!("odd"))]);
                    let odd = required.clone().into_iter().chain(odd).collect();
                    assert!(
                        FaultSpec::parse(name, &odd).is_err(),
                        "{protocol} {name} with odd {argument}"
                    );
                }
            }
        }
    }
    assert!(words > 30);
    let unknown = FaultSpec::parse("cloud.nonsense", &Map::new());
    assert!(matches!(unknown, Err(FaultError::UnknownFault(_))));
}

#[test]
fn every_word_says_what_it_means() {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let capabilities: BTreeSet<&str> = CAPABILITIES.into_iter().collect();
    for protocol in Protocol::ALL {
        let words = vocabulary.words(protocol);
        let all = [
            &words.actions,
            &words.faults,
            &words.events,
            &words.probes,
            &words.stimuli,
        ];
        for (name, word) in all.into_iter().flatten() {
            assert!(!word.summary.is_empty(), "{protocol} {name}");
            for (field, of) in word.with.iter().chain(&word.gives) {
                assert!(!of.summary.is_empty(), "{protocol} {name}.{field}");
                assert!(
                    of.min.zip(of.max).is_none_or(|(min, max)| min < max),
                    "{protocol} {name}.{field}"
                );
            }
            assert!(
                word.capability
                    .as_deref()
                    .is_none_or(|c| capabilities.contains(c)),
                "{protocol} {name}"
            );
        }
    }
}

fn arguments(word: &Word, wanted: impl Fn(&Field) -> bool) -> Map<String, Value> {
    let given = word.with.iter().filter(|(_, field)| wanted(field));
    given
        .map(|(name, field)| (name.clone(), example(field)))
        .collect()
}

fn example(field: &Field) -> Value {
    if let Some(value) = field.values.first() {
        return json!(value);
    }
    match field.kind {
        FieldType::String | FieldType::Any => json!("x"),
        FieldType::Artifact => json!("next"),
        FieldType::Integer | FieldType::Number => json!(field.min.unwrap_or(1)),
        FieldType::Boolean => json!(true),
        FieldType::Duration => json!(3),
        FieldType::List => json!([]),
        FieldType::Object => json!({}),
    }
}
