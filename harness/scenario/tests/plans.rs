//! Good scenarios become plans.

mod support;

use hil_diagnostic::Diagnostics;
use hil_scenario::{Plan, Template, Verb, Vocabulary, Wait, load};
use serde_json::{Value, json};
use std::time::Duration;

fn read(name: &str) -> Result<Plan, Diagnostics> {
    let text = std::fs::read_to_string(support::folder("scenarios").join(name)).unwrap();
    load(name, &text, &support::vocabulary(), &support::catalogue())
}

fn good(name: &str) -> Plan {
    read(name).unwrap_or_else(|d| panic!("{d}"))
}

fn with(verb: &Verb) -> Option<Value> {
    let template: &Template = match verb {
        Verb::Do { with, .. } | Verb::Inject { with, .. } => with,
        Verb::Expect(watch) | Verb::Never(watch) => &watch.matching,
        _ => return None,
    };
    template.constant()
}

#[test]
fn the_scenario_of_the_documentation_is_understood() {
    let plan = good("nacked.yaml");
    assert_eq!(plan.verifies, ["AOS7-NACK-001", "AOS7-CONN-004"]);
    assert_eq!(plan.timeout, Duration::from_secs(600));
    assert_eq!(plan.repeat, 1);
    assert_eq!(
        Value::Object(plan.prepare),
        json!({"running": "current", "store": "empty"})
    );
    let places: Vec<_> = plan
        .steps
        .iter()
        .map(|s| (s.place.as_str(), s.line, s.column))
        .collect();
    assert_eq!(
        places,
        [
            ("1", 7, 5),
            ("2", 10, 5),
            ("3", 11, 5),
            ("4", 15, 5),
            ("5", 18, 5)
        ]
    );
    assert_eq!(plan.steps[0].name.as_deref(), Some("nacked"));
    let nack = json!({"on": "unitStatus", "times": 1, "retry_after": 3});
    assert_eq!(with(&plan.steps[0].verb), Some(nack));
    let Verb::Expect(watch) = &plan.steps[2].verb else {
        panic!("{:?}", plan.steps[2]);
    };
    assert_eq!(watch.event, "unit.unitStatus");
    assert_eq!(watch.matching.references(), ["nacked.txn"]);
    assert_eq!(watch.after.as_ref().unwrap().to_string(), "nacked + 3s");
    assert_eq!(watch.before.as_ref().unwrap().step(), "nacked");
    assert_eq!(
        with(&plan.steps[3].verb),
        Some(json!({"store": "kept", "down": 20}))
    );
    assert!(matches!(&plan.steps[4].verb, Verb::Never(watch) if watch.event == "unit.discovery"));
}

#[test]
fn every_verb_and_modifier_is_understood() {
    let plan = good("everything.yaml");
    assert_eq!(plan.needs, ["console", "probe", "stimulate", "virtual-time"]);
    assert_eq!(plan.verifies, ["AOS7-NACK-001", "AOS7-CONN-004"]);
    assert_eq!(plan.applies_when["encrypted-desired-status"], json!(true));
    assert_eq!(plan.applies_when["dialect"], json!("publisher"));
    assert_eq!(plan.params["timeout"].default, json!(300));
    assert_eq!(plan.params["timeout"].tiers["long"], json!(5400));
    assert_eq!(plan.params["codes"].default, json!([404, 409]));
    assert_eq!(plan.repeat, 3);
    assert_eq!(plan.timeout, Duration::from_secs(1200));
    assert_eq!(plan.tags, ["long", "smoke-2"]);
    let Verb::OneOf(branches) = &plan.steps[7].verb else {
        panic!("{:?}", plan.steps[7]);
    };
    assert_eq!(branches[0].steps[0].place, "8.1.1");
    assert_eq!(branches[1].name.as_deref(), Some("end"));
    assert!(matches!(&plan.steps[10].verb, Verb::Wait(Wait::Until(moment)) if moment.step() == "end"));
    let Verb::ForEach { variable, steps, .. } = &plan.steps[11].verb else {
        panic!("{:?}", plan.steps[11]);
    };
    assert_eq!((variable.as_str(), steps[1].place.as_str()), ("code", "12.2"));
}

#[test]
fn arguments_are_resolved_with_their_types() {
    let plan = good("everything.yaml");
    let scope = json!({
        "params": {"size": 7, "label": "hello"},
        "artifact": {"next": {"version": "2.0"}, "next-flipped": {"sha256": "ab"}},
        "unit": {"poll_interval": 30},
    });
    let resolve = |step: usize| match &plan.steps[step].verb {
        Verb::Do { with, .. } | Verb::Inject { with, .. } => {
            with.resolve(scope.as_object().unwrap()).unwrap()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        resolve(0),
        json!({
            "items": [1, 7, {"deep": "x-hello"}],
            "options": {"a": {"b": null}},
            "count": 7,
            "ratio": 0.5,
            "force": true,
            "label": "v2.0 of ab",
        })
    );
    assert_eq!(resolve(1), json!({"on": "newState", "retry_after": 60.5}));
}

#[test]
fn every_embedded_scenario_is_good() {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|d| panic!("{d}"));
    let (catalogue, _) = hil_scenario::embedded_catalogue().unwrap_or_else(|d| panic!("{d}"));
    let mut diagnostics = Diagnostics::default();
    for (path, text) in hil_scenario::embedded_suites() {
        if let Err(found) = load(&path, &text, &vocabulary, &catalogue) {
            diagnostics.extend(found);
        }
    }
    assert!(diagnostics.is_empty(), "{diagnostics}");
}

#[test]
fn images_are_those_of_lists_and_loops_too() {
    let vocabulary = "actions:\n  cloud.desire:\n    summary: Images.\n    with:\n      \
                      artifacts: {type: list, summary: Roles.}\n";
    let vocabulary = Vocabulary::read([("aos-v7.yaml".to_owned(), vocabulary.to_owned())]);
    let text = r#"
name: x
protocol: aos-v7
verifies: [AOS7-NACK-001]
steps:
  - do: cloud.desire
    with: {artifacts: [next, second]}
  - for_each:
      role: [crash, mute]
      steps:
        - do: cloud.desire
          with: {artifacts: ["${role}"]}
"#;
    let vocabulary = vocabulary.unwrap_or_else(|d| panic!("{d}"));
    let plan = load("x.yaml", text, &vocabulary, &support::catalogue());
    let plan = plan.unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(
        plan.artifacts().into_iter().collect::<Vec<_>>(),
        ["crash", "mute", "next", "second"]
    );
}
