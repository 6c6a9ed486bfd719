//! Requirements and what shows them: what is missing, what is none, what takes which tier.

mod support;

use hil_diagnostic::Diagnostics;
use hil_scenario::{Judged, Plan, check_evidence, check_requirements, evidence, load, read_catalogue};
use hil_trace::{Catalogue, Tier};
use std::{collections::BTreeSet, sync::Arc};

const CATALOGUE: &str = "protocol: aos-v7
requirements:
  - {id: AOS7-NACK-001, level: MUST, sentence: A nacked message is sent again., origin: source, observe: messages, stimuli: {nack: [nacked], F-STATUS 503: [nacked]}}
  - {id: AOS7-CONN-004, level: MUST, sentence: The unit stays connected., origin: source, observe: connections}
  - {id: AOS7-CONN-005, level: MUST, sentence: The unit likes it., origin: source, observe: nothing}
  - {id: AOS7-CONN-006, level: MUST, sentence: The unit means it., origin: source, observe: nothing, unobservable: what a unit means is its own matter}
";

fn files() -> [(String, String); 1] {
    [("aos-v7.yaml".to_owned(), CATALOGUE.to_owned())]
}

fn catalogue() -> Catalogue {
    read_catalogue(files()).unwrap_or_else(|d| panic!("{d}")).0
}

fn plan(name: &str, text: &str) -> Arc<Plan> {
    let path = format!("aos-v7/{name}.yaml");
    let text = format!("name: x\nprotocol: aos-v7\n{text}");
    Arc::new(load(&path, &text, &support::vocabulary(), &catalogue()).unwrap_or_else(|d| panic!("{d}")))
}

fn judged(monitor: &str, ids: &[&str]) -> Judged {
    let ids: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    Judged::from([(monitor.to_owned(), ids)])
}

/// Everything said about scenarios and requirements.
fn told(plans: &[Arc<Plan>], judged: &Judged) -> Diagnostics {
    let mut mistakes = check_requirements(files(), &catalogue(), plans, judged);
    mistakes.extend(check_evidence(&catalogue(), plans, judged));
    mistakes
}

#[test]
fn a_requirement_without_evidence_and_evidence_without_a_requirement_are_told() {
    let monitors = judged("aos-v7/connection", &["AOS7-CONN-004", "AOS7-CONN-04"]);
    insta::assert_snapshot!(told(&[], &monitors).render(false));
}

#[test]
fn what_is_unobservable_has_no_evidence() {
    let shown = plan(
        "shown",
        "verifies: [AOS7-CONN-006]\nsteps:\n  - do: unit.start\n  - expect: unit.unitStatus\n",
    );
    let monitors = judged(
        "aos-v7/all",
        &["AOS7-NACK-001", "AOS7-CONN-004", "AOS7-CONN-005", "AOS7-CONN-006"],
    );
    insta::assert_snapshot!(told(&[shown], &monitors).render(false));
}

#[test]
fn a_scenario_decides_what_it_verifies_or_leaves_it_to_a_monitor() {
    let text = "verifies: [AOS7-CONN-004, AOS7-CONN-005]\nsteps:\n  - do: unit.start\n  - expect: unit.unitStatus\n  \
                - measure: {from: began, to: ended}\n    verifies: [AOS7-CONN-005]\n";
    let text = text.replace("- do: unit.start", "- do: unit.start\n    as: began");
    let text = text.replace(
        "- expect: unit.unitStatus",
        "- expect: unit.unitStatus\n    as: ended",
    );
    let undecided = [plan("undecided", &text)];
    let mistakes = check_evidence(&catalogue(), &undecided, &Judged::new());
    insta::assert_snapshot!(mistakes.render(false));
    let monitors = judged("aos-v7/connection", &["AOS7-CONN-004", "AOS7-CONN-005"]);
    assert!(check_evidence(&catalogue(), &undecided, &monitors).is_empty());
}

#[test]
fn a_scenario_provokes_something_its_requirement_needs() {
    let steps = "steps:\n  - do: unit.start\n  - expect: unit.unitStatus\n";
    let idle = plan("idle", &format!("verifies: [AOS7-NACK-001]\n{steps}"));
    let mistakes = check_evidence(&catalogue(), &[idle], &Judged::new());
    insta::assert_snapshot!(mistakes.render(false));
    let named = plan("nacked", &format!("verifies: [AOS7-NACK-001]\n{steps}"));
    let says_so = "verifies: [AOS7-NACK-001]\nprovokes: {AOS7-NACK-001: a nack nobody sees}\n";
    let says_so = plan("says-so", &format!("{says_so}{steps}"));
    assert!(check_evidence(&catalogue(), &[named, says_so], &Judged::new()).is_empty());
}

#[test]
fn the_least_that_shows_a_requirement_is_its_tier() {
    let long =
        "tags: [long]\nverifies: [AOS7-CONN-005]\nsteps:\n  - do: unit.start\n  - expect: unit.unitStatus\n";
    let late = long.replace("tags: [long]", "needs: [virtual-time]");
    let probing = "verifies: [AOS7-NACK-001, AOS7-CONN-005]\nsteps:\n  - do: unit.probe\n    with: {name: version, component: x}\n  \
                   - expect: unit.probed\n    match: {name: version}\n    verifies: [AOS7-NACK-001]\n";
    let plans = [plan("long", long), plan("late", &late), plan("nacked", probing)];
    let monitors = judged("aos-v7/connection", &["AOS7-CONN-004"]);
    let all = evidence(&catalogue(), &plans, &monitors);
    assert_eq!(all["AOS7-CONN-004"].tier, Some(Tier::Quick));
    assert_eq!(all["AOS7-CONN-005"].tier, Some(Tier::VirtualTime));
    assert_eq!(all["AOS7-CONN-006"].tier, None);
    assert_eq!(
        all["AOS7-NACK-001"].probes().into_iter().collect::<Vec<_>>(),
        ["version"]
    );
    assert!(all["AOS7-NACK-001"].needs_probe() && !all["AOS7-CONN-005"].needs_probe());
    let decides: Vec<bool> = all["AOS7-CONN-005"].scenarios.iter().map(|s| s.decides).collect();
    assert_eq!(decides, [true, true, false], "a probe of another requirement");
}
