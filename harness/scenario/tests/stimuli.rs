//! The stimuli of the catalogue against the scenarios that shall provoke them.

mod support;

use hil_scenario::{
    Vocabulary, check_embedded_stimuli, check_stimuli, embedded_catalogue, embedded_suites, load,
};
use std::sync::Arc;

#[test]
fn every_stimulus_of_the_embedded_catalogue_is_provoked() {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|d| panic!("{d}"));
    let (catalogue, _) = embedded_catalogue().unwrap_or_else(|d| panic!("{d}"));
    let plans: Vec<_> = embedded_suites()
        .iter()
        .map(|(path, text)| load(path, text, &vocabulary, &catalogue).unwrap_or_else(|d| panic!("{d}")))
        .map(Arc::new)
        .collect();
    let mistakes = check_embedded_stimuli(&plans);
    assert!(mistakes.is_empty(), "{mistakes}");
}

#[test]
fn stimuli_that_nothing_provokes_are_told() {
    let scenario = "name: x\nprotocol: aos-v7\nverifies: [AOS7-CONN-004]\nsteps:\n  - inject: cloud.nack\n    with: {on: unitStatus}\n";
    let path = "aos-v7/nacked.yaml";
    let plan = load(path, scenario, &support::vocabulary(), &support::catalogue());
    let plan = plan.unwrap_or_else(|d| panic!("{d}"));
    let catalogue = "protocol: aos-v7\nrequirements:
  - id: AOS7-CONN-004
    stimuli:
      nack: [nacked]
      nack once more: [naked]
      F-STATUS 503: [nacked]
      F-RTS: [nacked]
      F-WRAP: {scenarios: [], simulated_only: a real unit's counter cannot be preset}
  - id: AOS7-CONN-005
    stimuli:
      nack: {scenarios: [nacked], simulated_only: nobody knows}
      no power: []
";
    let files = [("aos-v7.yaml".to_owned(), catalogue.to_owned())];
    let mistakes = check_stimuli(files, &[Arc::new(plan)]);
    insta::assert_snapshot!(mistakes.render(false));
}
