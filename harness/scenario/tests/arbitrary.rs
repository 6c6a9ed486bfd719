//! Whatever a file holds, it is read or reported; nothing panics.

mod support;

use hil_scenario::{Condition, Moment, Span, Template, Vocabulary, load};
use hil_trace::Catalogue;
use proptest::prelude::*;
use std::sync::LazyLock;

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(support::vocabulary);
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(support::catalogue);
static GOOD: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for folder in ["scenarios", "diagnostics"] {
        let files = hil_scenario::load_directory(&support::folder(folder)).unwrap();
        texts.extend(files.into_iter().map(|(_, text)| text));
    }
    texts
});

fn check(text: &str) {
    match load("x.yaml", text, &VOCABULARY, &CATALOGUE) {
        Ok(plan) => assert!(!plan.steps.is_empty()),
        Err(diagnostics) => {
            assert!(!diagnostics.is_empty());
            assert!(!diagnostics.render(true).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn spoiled_scenarios_are_read_or_reported(
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        length in 0usize..12,
        insert in "[-a-z0-9 :{}\\[\\]\"'\\n\\t$.*+&!|>#,ä]{0,8}",
    ) {
        let text = which.get(&GOOD);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let from = cut.index(places.len());
        let to = (from + length).min(places.len() - 1);
        check(&format!("{}{insert}{}", &text[..places[from]], &text[places[to]..]));
    }

    #[test]
    fn expressions_are_read_or_refused(text in "[-a-z0-9 ${}.*+/ä]{0,24}") {
        let _ = Span::parse(&text);
        let _ = Moment::parse(&text);
        let _ = Template::parse(&text.as_str().into());
    }

    #[test]
    fn conditions_are_read_or_refused(text in "[a-c0-9 .()\\[\\]{}'\"&|!=<>+*?:,ä-]{0,24}") {
        if let Ok(condition) = Condition::parse(&text) {
            let _ = condition.paths();
            let _ = condition.holds(&serde_json::Map::new());
        }
    }
}
