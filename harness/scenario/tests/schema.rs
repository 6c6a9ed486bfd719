//! The JSON Schema accepts what the loader accepts and refuses what can be refused without following references.

mod support;

use hil_scenario::{Vocabulary, embedded_suites, load_directory, schema};
use jsonschema::Validator;
use serde_json::Value;

fn validator(vocabulary: &Vocabulary) -> Validator {
    let schema = schema(vocabulary);
    jsonschema::draft202012::meta::validate(&schema).unwrap_or_else(|e| panic!("{e}"));
    jsonschema::draft202012::new(&schema).unwrap_or_else(|e| panic!("{e}"))
}

fn json(text: &str) -> Option<Value> {
    let collector = hil_diagnostic::Collector::new(hil_diagnostic::Source::new("x", text));
    let node = hil_diagnostic::parse_yaml(&collector)?;
    collector.is_empty().then(|| node.to_json())
}

#[test]
fn good_scenarios_fit_the_schema() {
    let validator = validator(&support::vocabulary());
    for (name, text) in load_directory(&support::folder("scenarios")).unwrap() {
        let errors: Vec<String> = validator
            .iter_errors(&json(&text).unwrap())
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn embedded_scenarios_fit_the_schema_of_the_embedded_vocabulary() {
    let validator = validator(&Vocabulary::embedded().unwrap_or_else(|d| panic!("{d}")));
    for (name, text) in embedded_suites() {
        let value = json(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn mistakes_in_words_and_shapes_are_refused() {
    let validator = validator(&support::vocabulary());
    let mut accepted = Vec::new();
    for (name, text) in load_directory(&support::folder("diagnostics")).unwrap() {
        if json(&text).is_some_and(|value| validator.is_valid(&value)) {
            accepted.push(name);
        }
    }
    insta::assert_snapshot!(accepted.join("\n"));
}

#[test]
fn words_are_offered_for_completion() {
    let schema = schema(&support::vocabulary());
    let faults = &schema["$defs"]["aos-v7-fault"]["oneOf"];
    assert_eq!(faults[0]["const"], "cloud.nack");
    assert_eq!(faults[0]["description"], "Answers with a nack.");
    let cases = schema["$defs"]["aos-v7-inject"]["allOf"].as_array().unwrap();
    let with = &cases[0]["then"]["properties"]["with"];
    assert_eq!(with["properties"]["on"]["description"], "What it strikes.");
    assert_eq!(with["required"][0], "on");
}
