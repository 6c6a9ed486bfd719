//! YAML to a checked unit file: every mistake at its place, all at once.

use super::{
    ArtifactFile, DriverKind, OTHER_ITEM, ROLES, Subject, UnitFile,
    faces::{STDIO, may_be_stdio},
    faces_of,
    file::STATE_DIRECTORY,
    parse_address,
};
use hil_diagnostic::{Collector, Diagnostics, Entry, MapReader, Node, Source, Span, parse_yaml};
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// A unit file as far as it could be read, and all its mistakes.
pub(super) fn read(source: Arc<Source>) -> (Option<UnitFile>, Diagnostics) {
    let collector = Collector::new(source);
    let file = parse_yaml(&collector).and_then(|root| Reader::new(&collector).file(&root));
    (file, collector.into_diagnostics())
}

/// Files a unit file names that do not exist.
pub(super) fn missing_files(file: &UnitFile, base: &Path) -> Diagnostics {
    let collector = Collector::new(file.source.clone());
    let check = |place: &str, path: &str, what: &str| {
        if !path.contains('{') && !base.join(path).exists() {
            let title = format!("there is no {what} `{path}`");
            let label = format!("looked for {}", base.join(path).display());
            collector.error(&file.place(place), title, label, None);
        }
    };
    for (role, artifact) in &file.artifacts {
        check(&format!("artifacts.{role}"), &artifact.path, "image");
    }
    for (at, template) in file.templates.iter().enumerate() {
        check(&format!("templates.{at}"), &template.from, "template");
    }
    if let Some(directory) = &file.working_directory {
        check("working_directory", directory, "folder");
    }
    if let Some(program) = file.command.first().filter(|program| program.contains('/')) {
        check("command", program, "program");
    }
    collector.into_diagnostics()
}

/// Reads one file; the process part is in the neighbour module.
pub(super) struct Reader<'c> {
    pub(super) collector: &'c Collector,
    pub(super) places: BTreeMap<String, Span>,
}

impl<'c> Reader<'c> {
    fn new(collector: &'c Collector) -> Self {
        Reader {
            collector,
            places: BTreeMap::new(),
        }
    }

    fn file(mut self, root: &'c Node) -> Option<UnitFile> {
        let mut map = MapReader::new(self.collector, root, "the unit file")?;
        let name = map.required_string("name");
        let protocol = map
            .required_word("protocol", Protocol::ALL.map(Protocol::name))
            .and_then(|word| word.parse::<Protocol>().ok());
        let driver = map
            .required_word("driver", DriverKind::ALL.map(DriverKind::name))
            .and_then(|word| DriverKind::ALL.into_iter().find(|kind| kind.name() == word));
        self.keys_of_other_drivers(root, driver);
        let command = self.command(&mut map, driver);
        let environment = self.environment(&mut map);
        let working_directory = self.working_directory(&mut map);
        let templates = self.templates(&mut map);
        let settings = self.settings(&mut map);
        let faces = self.faces(&mut map, protocol, driver);
        let artifacts = self.artifacts(&mut map, protocol);
        let timing = self.timing(&mut map);
        let ics = self.ics(&mut map, protocol);
        if protocol == Some(Protocol::OtaRpc) && driver.is_some_and(|driver| driver != DriverKind::Sim) {
            self.reachable(&map, &faces, &ics);
        }
        let stated = map.object("facts");
        let prepare = self.prepare(&mut map);
        let cloud = self.cloud(&mut map);
        let subject = self.subject(&mut map);
        let ready = self.ready(&mut map, &faces);
        let stop = self.stop(&mut map);
        let restart = self.restart(&mut map);
        let probes = self.hooks(&mut map, "probes");
        let stimuli = self.hooks(&mut map, "stimuli");
        let timeouts = self.timeouts(&mut map);
        let lab = self.lab(&mut map, driver);
        map.finish();
        Some(UnitFile {
            name: name?,
            protocol: protocol?,
            driver: driver?,
            command,
            environment,
            working_directory,
            templates,
            settings,
            faces,
            artifacts,
            timing,
            ics,
            stated,
            prepare,
            cloud,
            subject,
            ready,
            stop,
            restart,
            probes,
            stimuli,
            timeouts,
            lab,
            source: self.collector.source().clone(),
            places: self.places,
        })
    }

    /// States by name: booleans, numbers and texts.
    fn prepare(&mut self, map: &mut MapReader<'c>) -> Map<String, Value> {
        let mut states = Map::new();
        for entry in map.entries_of("prepare") {
            self.places
                .insert(format!("prepare.{}", entry.key), entry.key_span.clone());
            match entry.value.to_json() {
                value @ (Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                    states.insert(entry.key.clone(), value);
                }
                _ => {
                    let what = format!("`prepare.{}`", entry.key);
                    let expected = "the value where a scenario says nothing: true, false, a number or text";
                    self.collector.wrong_type(&entry.value, &what, expected, None);
                }
            }
        }
        states
    }

    fn settings(&mut self, map: &mut MapReader<'c>) -> BTreeMap<String, String> {
        let entries = map.entries_of("settings");
        for entry in entries {
            if !is_placeholder_name(&entry.key) {
                let title = format!("`{}` cannot name a setting", entry.key);
                let help = Some(format!("write `{}`", as_placeholder_name(&entry.key)));
                self.collector
                    .error(&entry.key_span, title, "lower-case letters, digits, `_`", help);
            }
        }
        self.texts(entries, "settings")
    }

    /// Texts by name; numbers and booleans count as the text they were written as.
    pub(super) fn texts(&mut self, entries: &[Entry], map: &str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for entry in entries {
            self.places
                .insert(format!("{map}.{}", entry.key), entry.key_span.clone());
            match entry.value.scalar() {
                Some(scalar) if !entry.value.is_null() => {
                    texts.insert(entry.key.clone(), scalar.text.clone());
                }
                _ => {
                    let what = format!("`{map}.{}`", entry.key);
                    let help = entry
                        .value
                        .is_null()
                        .then(|| "write \"\" for an empty text".to_owned());
                    self.collector.wrong_type(&entry.value, &what, "text", help);
                }
            }
        }
        texts
    }

    fn faces(
        &mut self,
        map: &mut MapReader<'c>,
        protocol: Option<Protocol>,
        driver: Option<DriverKind>,
    ) -> BTreeMap<String, String> {
        let entries = map.entries_of("faces");
        let faces = self.texts(entries, "faces");
        let Some(protocol) = protocol else { return faces };
        let known = faces_of(protocol);
        for entry in entries {
            if known.is_empty() {
                let title = format!("units of {protocol} have no faces");
                let help = Some("remove `faces`".to_owned());
                self.collector.error(
                    &entry.key_span,
                    title,
                    "they call the cloud; nothing calls them",
                    help,
                );
            } else if !known.contains(&entry.key.as_str()) {
                self.collector
                    .unknown(&entry.key_span, "face", &entry.key, known.iter().copied());
            } else if let Some(text) = faces.get(&entry.key)
                && !(text == STDIO && may_be_stdio(&entry.key) && driver == Some(DriverKind::Process))
                && parse_address(&text.replace(STATE_DIRECTORY, "/")).is_none()
            {
                let title = format!("`faces.{}` is no address", entry.key);
                let label = "expected host:port, or the absolute path of a socket or serial line";
                self.collector.error(&entry.value.span, title, label, None);
            }
        }
        faces
    }

    /// hil calls a unit of OTA RPC, unless it comes to the broker by itself.
    fn reachable(&mut self, map: &MapReader<'c>, faces: &BTreeMap<String, String>, ics: &Map<String, Value>) {
        if faces.is_empty() && ics.get("mqtt") != Some(&Value::Bool(true)) {
            let title = "a unit of ota-rpc needs at least one face";
            let help = "add for example `faces: {rpc-http: \"127.0.0.1:8080\"}`, or `ics: {mqtt: true}` if it connects to a \
                        broker";
            let help = Some(help.to_owned());
            self.collector
                .error(map.head(), title, "hil calls the unit; where?", help);
        }
    }

    fn artifacts(
        &mut self,
        map: &mut MapReader<'c>,
        protocol: Option<Protocol>,
    ) -> BTreeMap<String, ArtifactFile> {
        let mut artifacts = BTreeMap::new();
        for entry in map.entries_of("artifacts") {
            if !ROLES.contains(&entry.key.as_str()) {
                self.collector
                    .unknown(&entry.key_span, "artifact role", &entry.key, ROLES);
                continue;
            }
            if let Some(artifact) = self.artifact(entry, protocol) {
                if protocol == Some(Protocol::AosV7) {
                    self.of_one_item(entry, &artifact, &artifacts);
                }
                artifacts.insert(entry.key.clone(), artifact);
            }
        }
        artifacts
    }

    /// An AosEdge image is a version of the item that carries its name; scenarios go from one version to another.
    fn of_one_item(&self, entry: &Entry, artifact: &ArtifactFile, before: &BTreeMap<String, ArtifactFile>) {
        let mut others = before.iter().filter(|(role, _)| *role != OTHER_ITEM);
        let Some((other, of)) = others.next().filter(|_| entry.key != OTHER_ITEM) else {
            return;
        };
        if of.name != artifact.name {
            let title = format!("`{}` is an image of another item than `{other}`", entry.key);
            let label = format!("`{}` is another name than `{}`", artifact.name, of.name);
            let help = format!(
                "all roles but `{OTHER_ITEM}` are versions of one item: `{{path: …, name: {}}}`",
                of.name
            );
            self.collector.error(&entry.key_span, title, label, Some(help));
        }
    }

    fn artifact(&mut self, entry: &'c Entry, protocol: Option<Protocol>) -> Option<ArtifactFile> {
        let what = format!("`artifacts.{}`", entry.key);
        let (path, version, name) = if entry.value.entries().is_some() {
            let mut map = MapReader::new(self.collector, &entry.value, what)?;
            let path = map.required("path");
            let version = map.optional("version");
            let name = map.optional_string("name");
            map.finish();
            (path?, version, name)
        } else {
            (&entry.value, None, None)
        };
        self.places
            .insert(format!("artifacts.{}", entry.key), path.span.clone());
        let path_text = self
            .collector
            .string(path, &format!("`artifacts.{}`", entry.key))?;
        let (name_of_file, version_of_file) = ArtifactFile::from_file_name(path_text);
        let version = match version {
            // `version: 2` and `version: 1.10` are meant as they are written.
            Some(node) => match node.scalar().filter(|scalar| !scalar.text.is_empty()) {
                Some(scalar) => Some(scalar.text.clone()),
                None => {
                    self.collector.wrong_type(node, "`version`", "text", None);
                    return None;
                }
            },
            None => version_of_file,
        };
        if version.is_none() && protocol != Some(Protocol::OtaRpc) {
            let title = format!("the version of `{}` is not known", entry.key);
            let help = format!("write `{{path: {path_text}, version: \"1.0.0\"}}`");
            let label = "the file name is not of the form name_version.ext";
            self.collector.error(&path.span, title, label, Some(help));
            return None;
        }
        Some(ArtifactFile {
            path: path_text.to_owned(),
            name: name.unwrap_or(name_of_file),
            version: version.unwrap_or_default(),
        })
    }

    fn timing(&mut self, map: &mut MapReader<'c>) -> Map<String, Value> {
        let mut timing = Map::new();
        for entry in map.entries_of("timing") {
            self.places
                .insert(format!("timing.{}", entry.key), entry.key_span.clone());
            let seconds = self
                .collector
                .seconds(&entry.value, &format!("`timing.{}`", entry.key));
            if let Some(seconds) = seconds {
                timing.insert(entry.key.clone(), seconds.into());
            }
        }
        timing
    }

    fn ics(&mut self, map: &mut MapReader<'c>, protocol: Option<Protocol>) -> Map<String, Value> {
        let mut ics = Map::new();
        for entry in map.entries_of("ics") {
            self.places
                .insert(format!("ics.{}", entry.key), entry.key_span.clone());
            let what = format!("`ics.{}`", entry.key);
            let value = if entry.key == "dialect" {
                let known = protocol.map_or(&[][..], dialects_of);
                if protocol.is_some() && known.is_empty() {
                    let title = "this protocol has one dialect only";
                    self.collector
                        .error(&entry.key_span, title, "", Some("remove `dialect`".to_owned()));
                    continue;
                }
                self.collector
                    .word(&entry.value, &what, known.iter().copied())
                    .map(Value::from)
            } else {
                self.collector.boolean(&entry.value, &what).map(Value::from)
            };
            if let Some(value) = value {
                ics.insert(entry.key.clone(), value);
            }
        }
        if let Some(usual) = protocol.and_then(|protocol| dialects_of(protocol).first()) {
            ics.entry("dialect").or_insert_with(|| Value::from(*usual));
        }
        ics
    }

    fn subject(&mut self, map: &mut MapReader<'c>) -> Subject {
        let mut facts = self.texts(map.entries_of("subject"), "subject");
        Subject {
            version: facts.remove("version"),
            digest: facts.remove("digest"),
            facts,
        }
    }
}

/// The dialects of a protocol; the first is the usual one, spoken by units that say nothing. None if it has one only.
pub fn dialects_of(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::AosV7 => &["seed", "publisher"],
        Protocol::Sota => &["rustc", "serde"],
        Protocol::EdgePoll | Protocol::DeviceCommand | Protocol::OtaRpc => &[],
    }
}

fn is_placeholder_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn as_placeholder_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    if is_placeholder_name(&name) {
        name
    } else {
        format!("x{name}")
    }
}
