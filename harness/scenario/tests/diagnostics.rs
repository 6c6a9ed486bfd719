//! Every mistake a scenario can have, one file each, and what people are told about it.

mod support;

use hil_scenario::load;

#[test]
fn every_mistake_is_shown_with_its_place_and_a_way_out() {
    let (vocabulary, catalogue) = (support::vocabulary(), support::catalogue());
    let folder = support::folder("diagnostics");
    let files = hil_scenario::load_directory(&folder).unwrap();
    assert!(files.len() > 50);
    for (name, text) in files {
        let diagnostics = load(&name, &text, &vocabulary, &catalogue).expect_err(&name);
        for diagnostic in diagnostics.iter() {
            assert!(!diagnostic.title.is_empty() && diagnostic.span.end <= text.len());
        }
        insta::assert_snapshot!(name.trim_end_matches(".yaml"), diagnostics.render(false));
    }
}

#[test]
fn faults_of_the_command_line_are_read_like_steps() {
    let vocabulary = support::vocabulary();
    let fault = |text: &str| hil_scenario::ExtraFault::parse(text, &vocabulary, hil_wire::Protocol::AosV7);
    for good in [
        "cloud.nack: {on: unitStatus}",
        "{cloud.nack: {on: unitStatus, times: 2}, when: 30s}",
        "cloud.nack: {on: newState}, when: {event: unit.unitStatus, nth: 2, offset: 1s, probability: 0.5}",
    ] {
        assert!(fault(good).is_ok(), "{good}");
    }
    let mistakes = [
        "",
        "cloud.nack",
        "cloud.nak: {on: unitStatus}",
        "cloud.nack: {on: unitStatus}, when: start + 3s",
        "cloud.nack: {on: unitStatus}, cloud.nack: {on: newState}",
        "cloud.nack: {on: unitStatus",
    ];
    let told: Vec<String> = mistakes
        .iter()
        .map(|text| fault(text).expect_err(text).render(false))
        .collect();
    insta::assert_snapshot!("faults_of_the_command_line", told.join("\n"));
}
