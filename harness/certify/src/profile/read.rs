//! Reads profile files. Unknown requirements and features are mistakes, and so is a feature of the catalogue the profile
//! does not speak of: rules cannot rot.

use super::{Excuse, Profile};
use hil_diagnostic::{Collector, Diagnostics, MapReader, Node, Source, Span, did_you_mean, parse_yaml};
use hil_scenario::{Vocabulary, conditions, options};
use hil_trace::{Catalogue, Level, Origin, Requirement};
use hil_wire::{Protocol, digest::sha256_hex};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// Reads a profile and expands it with the catalogue.
pub fn read_profile(
    source: Arc<Source>,
    catalogue: &Catalogue,
    vocabulary: &Vocabulary,
) -> Result<Profile, Diagnostics> {
    let collector = Collector::new(source);
    let profile = parse_yaml(&collector).and_then(|node| {
        let reader = Reader {
            collector: &collector,
            catalogue,
            vocabulary,
        };
        reader.profile(&node)
    });
    let diagnostics = collector.into_diagnostics();
    match profile {
        Some(profile) if !diagnostics.has_errors() => Ok(profile),
        _ => Err(diagnostics),
    }
}

struct Reader<'a> {
    collector: &'a Collector,
    catalogue: &'a Catalogue,
    vocabulary: &'a Vocabulary,
}

/// Features and dialects by what may be done with them.
#[derive(Default)]
struct Names {
    features: BTreeSet<String>,
    dialects: BTreeSet<String>,
}

impl Reader<'_> {
    fn profile(&self, node: &Node) -> Option<Profile> {
        let mut map = MapReader::new(self.collector, node, "a profile")?;
        let name = map.required("profile").and_then(|node| self.name(node));
        let protocol = map
            .required_word("protocol", Protocol::ALL.map(Protocol::name))
            .and_then(|name| name.parse::<Protocol>().ok());
        let summary = map.required_string("summary");
        let Some(protocol) = protocol else {
            // Without it no id and no feature can be checked.
            return None;
        };
        let prefix = format!("{}-", protocol.requirement_prefix());
        let own = self.catalogue.requirements.values();
        let own: Vec<&Requirement> = own
            .filter(|requirement| requirement.id.starts_with(&prefix))
            .collect();
        let head = map.head().clone();
        let (requirements, except) = match map.required("requirements") {
            Some(node) => self.requirements(node, &own),
            None => Default::default(),
        };
        let may = map
            .optional("may_be_denied")
            .map(|node| self.names(node, protocol))
            .unwrap_or_default();
        let must = map
            .optional("must_not_be_denied")
            .map(|node| self.names(node, protocol));
        let must = must.unwrap_or_default();
        let at_least_one_of = map.list_of("at_least_one_of", |node| {
            let names = self.collector.list(node, "a list of features")?;
            Some(
                names
                    .iter()
                    .filter_map(|node| self.feature(node, protocol))
                    .collect(),
            )
        });
        let mut excuses = self.excuses(&own, &requirements, &may, &must, &head);
        for entry in map.entries_of("not_applicable") {
            let known = requirements.contains_key(&entry.key);
            if !known && own.iter().any(|one| one.id == entry.key) {
                let title = format!("{} may be not applicable, and is not in this profile", entry.key);
                self.collector
                    .error(&entry.key_span, title, "its rule does not have it", None);
            } else if !known {
                self.unknown(&entry.key_span, &entry.key, &requirements);
            }
            if let Some(feature) = self.feature(&entry.value, protocol)
                && known
            {
                let excuse = Excuse::Feature(feature);
                excuses.entry(entry.key.clone()).or_default().push(excuse);
            }
        }
        map.finish();
        if requirements.is_empty() && self.collector.is_empty() {
            let title = "this profile has no requirement";
            self.collector
                .error(&head, title, "its rule fits none of the protocol", None);
        }
        let text = self.collector.source().text().to_string();
        Some(Profile {
            name: name?,
            protocol,
            summary: summary?,
            sha256: sha256_hex(text.as_bytes()),
            text,
            requirements,
            except,
            excuses,
            must_have: must.features,
            at_least_one_of,
        })
    }

    /// The name of a profile is that of its file, so that two files cannot have the same.
    fn name(&self, node: &Node) -> Option<String> {
        let name = self.collector.string(node, "`profile`")?;
        let path = self.collector.source().path();
        let stem = Path::new(path)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        if stem.as_deref().is_some_and(|stem| stem != name) {
            let help = Some(format!(
                "call the file {name}.yaml, or the profile by the file's name"
            ));
            let title = format!("profile `{name}` stands in a file of another name");
            self.collector
                .error(&node.span, title, "not the file's name", help);
        }
        Some(name.to_owned())
    }

    /// The requirements of the rule, and those it leaves out with the reason.
    fn requirements(
        &self,
        node: &Node,
        own: &[&Requirement],
    ) -> (BTreeMap<String, Level>, BTreeMap<String, String>) {
        let Some(mut rule) = MapReader::new(self.collector, node, "`requirements`") else {
            return Default::default();
        };
        let levels: Option<Vec<Level>> = self.words(&mut rule, "levels", &LEVELS);
        let origins: Option<Vec<Origin>> = self.words(&mut rule, "origins", &ORIGINS);
        let fits = |requirement: &Requirement| {
            let level = levels
                .as_ref()
                .is_none_or(|levels| levels.contains(&requirement.level));
            let origin = |origins: &Vec<Origin>| requirement.origin.iter().any(|one| origins.contains(one));
            level && origins.as_ref().is_none_or(origin)
        };
        let all: BTreeMap<String, Level> = own.iter().map(|one| (one.id.clone(), one.level)).collect();
        let fitting = own.iter().filter(|one| fits(one));
        let mut included: BTreeMap<String, Level> = fitting.map(|one| (one.id.clone(), one.level)).collect();
        let mut except = BTreeMap::new();
        for entry in rule.entries_of("except") {
            let reason = self.collector.string(&entry.value, "the reason");
            if included.remove(&entry.key).is_none() {
                match all.contains_key(&entry.key) {
                    false => self.unknown(&entry.key_span, &entry.key, &all),
                    true => {
                        let title = format!("{} is taken out, and the rule does not have it", entry.key);
                        self.collector
                            .error(&entry.key_span, title, "not in this profile anyway", None);
                    }
                }
            }
            except.extend(reason.map(|reason| (entry.key.clone(), reason.to_owned())));
        }
        let also = rule.optional("also");
        for node in also
            .and_then(|node| self.collector.list(node, "`also`"))
            .unwrap_or_default()
        {
            let Some(id) = self.collector.string(node, "an id") else {
                continue;
            };
            match all.get(id) {
                None => self.unknown(&node.span, id, &all),
                Some(level) if included.insert(id.to_owned(), *level).is_some() => {
                    let title = format!("{id} is added, and the rule has it already");
                    self.collector
                        .error(&node.span, title, "in this profile anyway", None);
                }
                Some(_) => {}
            }
        }
        rule.finish();
        (included, except)
    }

    fn words<T: Copy>(
        &self,
        map: &mut MapReader<'_>,
        key: &'static str,
        known: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let node = map.optional(key)?;
        let nodes = self.collector.list(node, &format!("`{key}`"))?;
        let words = nodes.iter().filter_map(|node| {
            let word = self
                .collector
                .word(node, &format!("`{key}`"), known.iter().map(|(name, _)| *name))?;
            known
                .iter()
                .find(|(name, _)| *name == word)
                .map(|(_, value)| *value)
        });
        Some(words.collect())
    }

    fn names(&self, node: &Node, protocol: Protocol) -> Names {
        let Some(mut map) = MapReader::new(self.collector, node, "features and dialects") else {
            return Names::default();
        };
        let list = |node: Option<&'_ Node>, what: &str| -> Vec<Node> {
            node.and_then(|node| self.collector.list(node, what))
                .unwrap_or_default()
                .to_vec()
        };
        let features = list(map.optional("features"), "`features`");
        let dialects = list(map.optional("dialects"), "`dialects`");
        map.finish();
        Names {
            features: features
                .iter()
                .filter_map(|node| self.feature(node, protocol))
                .collect(),
            dialects: dialects
                .iter()
                .filter_map(|node| self.dialect(node, protocol))
                .collect(),
        }
    }

    fn feature(&self, node: &Node, protocol: Protocol) -> Option<String> {
        self.option(node, protocol, "feature")
    }

    fn dialect(&self, node: &Node, protocol: Protocol) -> Option<String> {
        self.option(node, protocol, "dialect")
    }

    fn option(&self, node: &Node, protocol: Protocol, key: &str) -> Option<String> {
        let mut known = options(self.catalogue, self.vocabulary.words(protocol), protocol, key);
        known.remove("dialect");
        let name = self.collector.string(node, &format!("a {key}"))?;
        if known.contains(name) {
            return Some(name.to_owned());
        }
        self.collector
            .unknown(&node.span, key, name, known.iter().map(String::as_str));
        None
    }

    /// What each requirement depends on and may be denied. A dependency the profile does not speak of is a mistake.
    fn excuses(
        &self,
        own: &[&Requirement],
        included: &BTreeMap<String, Level>,
        may: &Names,
        must: &Names,
        head: &Span,
    ) -> BTreeMap<String, Vec<Excuse>> {
        let mut excuses: BTreeMap<String, Vec<Excuse>> = BTreeMap::new();
        let mut untold: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for requirement in own.iter().filter(|one| included.contains_key(&one.id)) {
            for (key, value) in conditions(requirement) {
                let (may, must) = match key {
                    "dialect" => (&may.dialects, &must.dialects),
                    _ => (&may.features, &must.features),
                };
                if may.contains(value) {
                    excuses
                        .entry(requirement.id.clone())
                        .or_default()
                        .push(match key {
                            "dialect" => Excuse::Dialect(value.to_owned()),
                            _ => Excuse::Feature(value.to_owned()),
                        });
                } else if !must.contains(value) {
                    untold.entry((key, value)).or_insert(&requirement.id);
                }
            }
        }
        for ((key, value), id) in untold {
            let title = format!("{id} depends on {key} `{value}`, of which the profile does not speak");
            let help = "name it in `may_be_denied` or in `must_not_be_denied`".to_owned();
            self.collector
                .error(head, title, "neither here nor there", Some(help));
        }
        excuses
    }

    fn unknown<V>(&self, span: &Span, id: &str, known: &BTreeMap<String, V>) {
        let help = did_you_mean(id, known.keys().map(String::as_str));
        let title = format!("unknown requirement `{id}`");
        self.collector
            .error(span, title, "not one of the protocol's", help);
    }
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
    use hil_scenario::embedded_catalogue;
    use serde_json::json;

    fn read(name: &str, text: &str) -> Result<Profile, Diagnostics> {
        let (catalogue, _) = embedded_catalogue().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        read_profile(Source::new(name, text), &catalogue, &vocabulary)
    }

    #[test]
    fn rules_are_expanded() {
        let profile = read(
            "own.yaml",
            "profile: own\nprotocol: edge-poll\nsummary: x\nrequirements:\n  levels: [SHOULD]\n  also: [POLL-AUTH-001]\n  except: {POLL-AUTH-005: our keys never change}\nmay_be_denied: {features: [tls, configurable-api-url]}\n",
        )
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(profile.requirements.get("POLL-AUTH-001"), Some(&Level::Must));
        assert!(!profile.requirements.contains_key("POLL-AUTH-005"));
        assert_eq!(profile.count(Level::Must), 1);
        let denied = json!({"tls": false});
        let denied = denied.as_object().cloned().unwrap_or_default();
        for id in profile.excuses.keys() {
            assert!(
                profile.excuse(id, &denied).is_none_or(|why| why == "tls: false"),
                "{id}"
            );
        }
    }

    #[test]
    fn mistakes_in_a_profile_are_shown() {
        let mistakes = read(
            "own.yaml",
            "profile: mine\nprotocol: sota\nsummary: x\nrequirements:\n  levels: [MUST, SHALL]\n  origins: [sauce]\n  except: {SOTA-WS-0001: why}\n  also: [POLL-AUTH-001]\nmay_be_denied: {features: [websockets], dialects: [rust]}\nat_least_one_of: [[http, sockets]]\nnot_applicable: {SOTA-WS-001: http2}\nfeatures: []\n",
        )
        .unwrap_err();
        insta::assert_snapshot!(mistakes.render(false));
    }

    #[test]
    fn a_feature_of_which_a_profile_does_not_speak_is_a_mistake() {
        let mistakes = read(
            "own.yaml",
            "profile: own\nprotocol: edge-poll\nsummary: x\nrequirements: {}\nmay_be_denied: {features: [tls]}\n",
        )
        .unwrap_err();
        insta::assert_snapshot!(mistakes.render(false));
    }
}
