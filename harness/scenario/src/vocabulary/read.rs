//! Vocabulary files, read and checked.

use super::{Field, FieldType, Fields, SiteNames, Word, Words};
use hil_diagnostic::{Collector, Diagnostics, Entry, MapReader, Node, Source, parse_yaml};
use hil_fault::Site;
use hil_wire::Protocol;
use std::collections::BTreeMap;

/// The words of every protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    common: Words,
    /// Faults on connections, where no protocol is known.
    connections: Words,
    protocols: BTreeMap<Protocol, Words>,
}

impl Vocabulary {
    /// The vocabulary built into the binary.
    pub fn embedded() -> Result<Vocabulary, Diagnostics> {
        Vocabulary::read(crate::embedded::vocabulary())
    }

    /// A vocabulary from files, each a path and a text. A file without `protocol` holds words all protocols share.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Result<Vocabulary, Diagnostics> {
        let mut diagnostics = Diagnostics::default();
        let mut common = Words::default();
        let mut own: BTreeMap<Protocol, Words> = BTreeMap::new();
        for (path, text) in files {
            let collector = Collector::new(Source::new(path, text));
            if let Some(node) = parse_yaml(&collector) {
                let (protocol, words) = read_file(&collector, &node);
                match protocol {
                    Some(protocol) => {
                        let before = own.remove(&protocol).unwrap_or_default();
                        own.insert(protocol, before.and(&words));
                    }
                    None => common = common.and(&words),
                }
            }
            diagnostics.extend(collector.into_diagnostics());
        }
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let protocols = own
            .into_iter()
            .map(|(p, words)| (p, common.and(&words).at_their_sites()))
            .collect();
        let connections = common.clone().on_connections();
        Ok(Vocabulary {
            common,
            connections,
            protocols,
        })
    }

    /// Every word a scenario of that protocol may use.
    pub fn words(&self, protocol: Protocol) -> &Words {
        self.protocols.get(&protocol).unwrap_or(&self.common)
    }

    /// Faults on connections between anybody, whatever is spoken over them.
    pub fn connections(&self) -> &Words {
        &self.connections
    }

    /// The words all protocols share.
    pub fn common(&self) -> &Words {
        &self.common
    }
}

fn read_file(collector: &Collector, node: &Node) -> (Option<Protocol>, Words) {
    let Some(mut map) = MapReader::new(collector, node, "a vocabulary file") else {
        return (None, Words::default());
    };
    let protocol = map
        .optional_word("protocol", Protocol::ALL.map(Protocol::name))
        .and_then(|name| name.parse().ok());
    let words = Words {
        actions: words(&mut map, "actions", "an action"),
        faults: words(&mut map, "faults", "a fault"),
        sites: sites(&mut map),
        events: words(&mut map, "events", "an event"),
        probes: words(&mut map, "probes", "a probe"),
        stimuli: words(&mut map, "stimuli", "a stimulus"),
        prepare: fields(&mut map, "prepare"),
        cloud: fields(&mut map, "cloud"),
        unit: fields(&mut map, "unit"),
        features: fields(&mut map, "features"),
    };
    map.finish();
    (protocol, words)
}

fn words(map: &mut MapReader<'_>, section: &'static str, what: &str) -> BTreeMap<String, Word> {
    let collector = map.collector();
    map.entries_of(section)
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), word(collector, entry, section, what)?)))
        .collect()
}

fn word(collector: &Collector, entry: &Entry, section: &str, what: &str) -> Option<Word> {
    let mut map = MapReader::new(collector, &entry.value, what)?;
    let mut word = Word {
        summary: map.required_string("summary").unwrap_or_default(),
        capability: map
            .optional_word("capability", crate::CAPABILITIES)
            .map(str::to_owned),
        ..Word::default()
    };
    if section == "faults" {
        let site = map.required_word("site", Site::ALL.map(Site::name));
        word.site = site.and_then(site_named);
    }
    if section == "events" {
        word.gives = fields(&mut map, "fields");
    } else {
        word.with = fields(&mut map, "with");
        word.gives = fields(&mut map, "gives");
    }
    word.open = map.optional_boolean("open").unwrap_or(false);
    map.finish();
    Some(word)
}

fn sites(map: &mut MapReader<'_>) -> BTreeMap<Site, SiteNames> {
    let collector = map.collector();
    let entries = map.entries_of("sites").iter();
    entries
        .filter_map(|entry| {
            let Some(site) = site_named(&entry.key).filter(|site| site.has_names()) else {
                let known = Site::ALL.into_iter().filter(|site| site.has_names());
                collector.unknown(&entry.key_span, "site", &entry.key, known.map(Site::name));
                return None;
            };
            let mut map = MapReader::new(collector, &entry.value, "a site")?;
            let names = SiteNames {
                names: map.strings("names"),
                summary: map.optional_string("summary").unwrap_or_default(),
                gives: fields(&mut map, "gives"),
            };
            map.finish();
            Some((site, names))
        })
        .collect()
}

fn site_named(name: &str) -> Option<Site> {
    Site::ALL.into_iter().find(|site| site.name() == name)
}

fn fields(map: &mut MapReader<'_>, section: &'static str) -> Fields {
    let collector = map.collector();
    map.entries_of(section)
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), field(collector, &entry.value)?)))
        .collect()
}

fn field(collector: &Collector, node: &Node) -> Option<Field> {
    let mut map = MapReader::new(collector, node, "a field")?;
    let field = Field {
        kind: map
            .required_word("type", FieldType::ALL.map(FieldType::name))
            .and_then(|name| name.parse().ok())
            .unwrap_or(FieldType::Any),
        required: map.optional_boolean("required").unwrap_or(false),
        values: map.strings("values"),
        min: map.optional_integer("min"),
        max: map.optional_integer("max"),
        summary: map.optional_string("summary").unwrap_or_default(),
    };
    map.finish();
    Some(field)
}
