//! The requirement catalogue from `scenarios/requirements/*.yaml`.

use crate::{Words, stimuli::read_stimuli, timing::read_timing};
use hil_diagnostic::{Collector, Diagnostics, MapReader, Node, Source, parse_yaml};
use hil_trace::{Catalogue, Level, Origin, Requirement};
use hil_wire::Protocol;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The catalogue built into the binary, and the hex SHA-256 over its files of requirements.
pub fn embedded_catalogue() -> Result<(Catalogue, String), Diagnostics> {
    let (mut catalogue, digest) = read_catalogue(crate::embedded::requirements())?;
    let (path, text) = crate::embedded::timing();
    catalogue.timing = read_timing(Source::new(path, text), &catalogue)?;
    Ok((catalogue, digest))
}

/// A catalogue from files, each a path and a text; and the hex SHA-256 over names and texts in the given order.
pub fn read_catalogue(
    files: impl IntoIterator<Item = (String, String)>,
) -> Result<(Catalogue, String), Diagnostics> {
    let mut catalogue = Catalogue::default();
    let mut diagnostics = Diagnostics::default();
    let mut digest = Sha256::new();
    for (path, text) in files {
        for part in [&path, &text] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let collector = Collector::new(Source::new(path, text));
        if let Some(node) = parse_yaml(&collector) {
            read_file(&collector, &node, &mut catalogue);
        }
        diagnostics.extend(collector.into_diagnostics());
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok((catalogue, hex::encode(digest.finalize())))
}

fn read_file(collector: &Collector, node: &Node, catalogue: &mut Catalogue) {
    let Some(mut map) = MapReader::new(collector, node, "a requirement file") else {
        return;
    };
    let protocol = map
        .required_word("protocol", Protocol::ALL.map(Protocol::name))
        .and_then(|name| name.parse::<Protocol>().ok());
    for entry in map.entries_of("sources") {
        let origin = find(Some(entry.key.as_str()), &ORIGINS);
        let words = collector.string(&entry.value, "a source");
        match (protocol, origin) {
            (_, None) => collector.unknown(
                &entry.key_span,
                "origin",
                &entry.key,
                ORIGINS.map(|(name, _)| name),
            ),
            (Some(protocol), Some(origin)) => {
                let words = words.map(|words| ((protocol, origin), words.to_owned()));
                catalogue.sources.extend(words);
            }
            (None, _) => {}
        }
    }
    let requirements = map.list_of("requirements", |node| Some((node, requirement(collector, node)?)));
    map.finish();
    for (node, requirement) in requirements {
        let span = node.get("id").map_or(node.head(), |id| id.span.clone());
        let prefix = protocol.map_or("", Protocol::requirement_prefix);
        if !requirement.id.starts_with(prefix) {
            let title = format!("requirement id `{}` must begin with `{prefix}-`", requirement.id);
            collector.error(&span, title, "", None);
        }
        if catalogue.get(&requirement.id).is_some() {
            let title = format!("requirement `{}` is given twice", requirement.id);
            collector.error(&span, title, "again here", None);
        }
        catalogue.requirements.insert(requirement.id.clone(), requirement);
    }
}

fn requirement(collector: &Collector, node: &Node) -> Option<Requirement> {
    let mut map = MapReader::new(collector, node, "a requirement")?;
    let id = map.required_string("id");
    let level = map.required_word("level", LEVELS.map(|(name, _)| name));
    let sentence = map.required_string("sentence");
    let origin = map.required("origin").map(|node| origins(collector, node));
    let requirement = Requirement {
        id: id.unwrap_or_default(),
        level: find(level, &LEVELS).unwrap_or_default(),
        sentence: sentence.unwrap_or_default(),
        origin: origin.unwrap_or_default(),
        observe: map.optional_string("observe").unwrap_or_default(),
        stimuli: read_stimuli(&mut map),
        applies_when: applies_when(&mut map),
        unobservable: map.optional_string("unobservable"),
    };
    map.finish();
    (!requirement.id.is_empty()).then_some(requirement)
}

fn origins(collector: &Collector, node: &Node) -> Vec<Origin> {
    let one = |node| {
        find(
            collector.word(node, "`origin`", ORIGINS.map(|(name, _)| name)),
            &ORIGINS,
        )
    };
    match node.elements() {
        Some(nodes) => nodes.iter().filter_map(one).collect(),
        None => one(node).into_iter().collect(),
    }
}

/// `{feature: console, dialect: rustc}` becomes `feature: console, dialect: rustc`.
fn applies_when(map: &mut MapReader<'_>) -> Option<String> {
    let collector = map.collector();
    let conditions: Vec<String> = map
        .entries_of("applies_when")
        .iter()
        .filter_map(|entry| match entry.key.as_str() {
            "feature" | "dialect" => {
                let value = collector.string(&entry.value, &format!("`{}`", entry.key))?;
                Some(format!("{}: {value}", entry.key))
            }
            other => {
                collector.unknown(&entry.key_span, "condition", other, ["feature", "dialect"]);
                None
            }
        })
        .collect();
    (!conditions.is_empty()).then(|| conditions.join(", "))
}

/// The conditions of a requirement: key, such as `feature` or `dialect`, and value.
pub fn conditions(requirement: &Requirement) -> impl Iterator<Item = (&str, &str)> {
    requirement
        .applies_when
        .iter()
        .flat_map(|text| text.split(", "))
        .filter_map(|condition| condition.split_once(": "))
}

/// The `feature`s or `dialect`s the catalogue and the vocabulary name for a protocol.
pub fn options(catalogue: &Catalogue, words: &Words, protocol: Protocol, key: &str) -> BTreeSet<String> {
    let own = catalogue.requirements.values();
    let own = own.filter(|requirement| requirement.id.starts_with(protocol.requirement_prefix()));
    let mut known: BTreeSet<String> = own
        .flat_map(conditions)
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value.to_owned())
        .collect();
    match words.features.get(key) {
        _ if key == "feature" => known.extend(words.features.keys().cloned()),
        Some(option) => known.extend(option.values.iter().cloned()),
        None => {}
    }
    known
}

fn find<T: Copy>(word: Option<&str>, known: &[(&str, T)]) -> Option<T> {
    let word = word?;
    known
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value)
}

const LEVELS: [(&str, Level); 3] = [
    ("MUST", Level::Must),
    ("SHOULD", Level::Should),
    ("MAY", Level::May),
];
const ORIGINS: [(&str, Origin); 3] = [
    ("source", Origin::Source),
    ("upstream", Origin::Upstream),
    ("defined-here", Origin::DefinedHere),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_is_whole() {
        let (catalogue, digest) = embedded_catalogue().unwrap_or_else(|d| panic!("{d}"));
        assert_eq!(catalogue.len(), 556);
        assert_eq!(digest.len(), 64);
        let console = catalogue
            .requirements
            .values()
            .find(|r| conditions(r).count() == 2)
            .unwrap();
        assert!(conditions(console).any(|c| c == ("dialect", "rustc")));
    }

    #[test]
    fn mistakes_in_a_catalogue_are_shown() {
        let text = "protocol: sota\nrequirements:\n  - id: POLL-1\n    level: MUSTN'T\n    sentence: x\n    origin: [source, here]\n    observ: y\n  - sentence: z\n    applies_when: {future: a}\n    stimuli:\n      F-RST: lost\n      F-WRAP: {scenario: [wrap]}\n      F-DUP: [1]\n";
        let diagnostics = read_catalogue([("sota.yaml".to_owned(), text.to_owned())]).unwrap_err();
        insta::assert_snapshot!(diagnostics.render(false));
    }
}
