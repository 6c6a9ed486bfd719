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
