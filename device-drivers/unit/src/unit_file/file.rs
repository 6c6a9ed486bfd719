//! The content of a unit file.

use super::{
    ArtifactFile, CloudPlace, DriverKind, Hook, KnownNames, Lab, ReadyPolicy, RestartPolicy, StopPolicy,
    faces::STDIO, parse_address, read,
};
use hil_diagnostic::{Diagnostics, Source, Span};
use hil_link::Address;
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A checked unit file.
#[derive(Clone, Debug)]
pub struct UnitFile {
    /// Name of the unit in reports.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// What runs it.
    pub driver: DriverKind,
    /// Program and arguments, with placeholders; empty unless a process or an adapter.
    pub command: Vec<String>,
    /// Environment of the process, with placeholders.
    pub environment: BTreeMap<String, String>,
    /// Where the process runs, with placeholders; the folder of the unit file if not said.
    pub working_directory: Option<String>,
    /// Files made from templates before the first start.
    pub templates: Vec<ConfigTemplate>,
    /// Overrides of endpoint settings, such as the `device_key` a remote unit already has.
    pub settings: BTreeMap<String, String>,
    /// Addresses where the unit is the server, as written; see [`UnitFile::addresses`].
    pub faces: BTreeMap<String, String>,
    /// Images by role.
    pub artifacts: BTreeMap<String, ArtifactFile>,
    /// Times of the unit in seconds.
    pub timing: Map<String, Value>,
    /// Optional features (`true`, `false`) and options such as `dialect`.
    pub ics: Map<String, Value>,
    /// Facts scenarios refer to as `${unit.NAME}`, such as `services`.
    pub stated: Map<String, Value>,
    /// Declared states the unit can be put in, such as `polling`, each with its value where a scenario says nothing; for a
    /// remote unit the states it is in.
    pub prepare: Map<String, Value>,
    /// Where the mock cloud shall be.
    pub cloud: CloudPlace,
    /// What exactly is tested.
    pub subject: Subject,
    /// When a process counts as ready.
    pub ready: ReadyPolicy,
    /// How a process is stopped.
    pub stop: StopPolicy,
    /// What happens after a process ended by itself.
    pub restart: RestartPolicy,
    /// Commands that read facts inside the unit, by name.
    pub probes: BTreeMap<String, Hook>,
    /// Commands that do something to the unit, by name.
    pub stimuli: BTreeMap<String, Hook>,
    /// How long an adapter may take for a request, by the request's name.
    pub timeouts: BTreeMap<String, Duration>,
    /// Instruments of the lab around the unit.
    pub lab: Lab,
    pub(super) source: Arc<Source>,
    pub(super) places: BTreeMap<String, Span>,
}

/// A file of the unit that is made from a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigTemplate {
    /// The template; relative to the unit file.
    pub from: String,
    /// The file; relative to the state folder, below it.
    pub to: String,
}

/// What exactly is tested, for reports and certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Version as the vendor names it.
    pub version: Option<String>,
    /// Digest of what was built, such as `sha256:…`.
    pub digest: Option<String>,
    /// Anything else worth a line in the report.
    pub facts: BTreeMap<String, String>,
}

/// Why a unit file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnitFileError {
    /// It cannot be read at all.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It has mistakes.
    #[error("{0}")]
    Invalid(Diagnostics),
}

impl UnitFile {
    /// Reads and checks a unit file, the names in it, and that the files it names exist.
    pub fn load(path: &Path, names: &dyn Fn(Protocol) -> KnownNames) -> Result<UnitFile, UnitFileError> {
        let bytes = fs::read(path).map_err(|error| UnitFileError::Read {
            path: path.to_owned(),
            error,
        })?;
        let source = Source::from_bytes(path.display().to_string(), bytes).map_err(UnitFileError::Invalid)?;
        let (file, mut mistakes) = read::read(source);
        if let Some(file) = &file {
            let base = path.parent().unwrap_or(Path::new(""));
            mistakes.extend(read::missing_files(file, base));
            mistakes.extend(file.check_names(&names(file.protocol)));
        }
        file.filter(|_| !mistakes.has_errors())
            .ok_or(UnitFileError::Invalid(mistakes))
    }

    /// Checks the text of a unit file; `path` is shown in diagnostics. Other files are not looked at.
    pub fn parse(path: &str, text: &str) -> Result<UnitFile, Diagnostics> {
        let (file, mistakes) = read::read(Source::new(path, text));
        file.filter(|_| !mistakes.has_errors()).ok_or(mistakes)
    }

    /// The faces as addresses. A path may still begin with [`STATE_DIRECTORY`]: each instance has its own.
    pub fn addresses(&self) -> BTreeMap<String, Address> {
        let address = |text: &String| match text.starts_with(STATE_DIRECTORY) {
            _ if text == STDIO => Some(Address::Path(format!("{STATE_DIRECTORY}/stdio.socket"))),
            true => Some(Address::Path(text.clone())),
            false => parse_address(text),
        };
        self.faces
            .iter()
            .filter_map(|(name, text)| Some((name.clone(), address(text)?)))
            .collect()
    }

    /// The face that is the standard input and output of the process.
    pub fn stdio_face(&self) -> Option<&str> {
        let mut faces = self.faces.iter();
        let (name, _) = faces.find(|(_, address)| *address == STDIO)?;
        Some(name)
    }

    /// What reports say of the unit: driver, subject.
    pub fn facts(&self) -> Map<String, Value> {
        let mut facts = self.stated.clone();
        facts.insert("driver".to_owned(), self.driver.name().into());
        let subject = &self.subject;
        let named = [
            ("subject_version", &subject.version),
            ("subject_digest", &subject.digest),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                facts.insert(name.to_owned(), value.clone().into());
            }
        }
        for (name, value) in &subject.facts {
            facts.insert(format!("subject_{name}"), value.clone().into());
        }
        facts
    }

    /// The place of a key such as `timing.poll_interval`; the start of the file if it is not there.
    pub(super) fn place(&self, key: &str) -> Span {
        self.places.get(key).cloned().unwrap_or(0..0)
    }
}

/// The placeholder paths of faces may begin with: the state folder of the instance.
pub const STATE_DIRECTORY: &str = "{state_dir}";
