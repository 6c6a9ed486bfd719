//! From `--unit` to a unit under test: a simulated one, or what a unit file says.

use crate::library::Library;
use hil_diagnostic::{Diagnostics, did_you_mean, one_of};
use hil_fault::{Artifact, Artifacts};
use hil_link::Address;
use hil_process::{ProcessDriver, RemoteDriver};
use hil_runner::{BenchKind, Preparation, UnitKit, UnitUnderTest};
use hil_sim::{
    Defect, SimDriver, artifacts_for, default_artifacts, default_ics, default_timing, neutral_artifacts,
};
use hil_trace::Tolerances;
use hil_unit::{
    Capability, Driver, UnitError, UnitFile, UnitFileError,
    unit_file::{DriverKind, ROLES, STATE_DIRECTORY, dialects_of},
};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Why a unit cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnitsError {
    /// Not `sim:PROTOCOL`.
    #[error(
        "`{0}` is no simulated unit; write sim:PROTOCOL or sim:PROTOCOL:DIALECT, such as sim:edge-poll or sim:aos-v7:publisher"
    )]
    NoSuchSim(String),
    /// The unit file has mistakes.
    #[error("{}", .0.render(false))]
    Invalid(Diagnostics),
    /// The unit file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An image that `--artifact` names cannot be read.
    #[error("`--artifact {role}={}`: {source}", path.display())]
    Artifact {
        /// Its role.
        role: String,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `--artifact` names a role there is not.
    #[error("`--artifact {0}=…`: there is no such role; {1}")]
    NoSuchRole(String, String),
    /// A simulated unit has no such dialect.
    #[error("`{0}` has no dialect `{1}`; {2}")]
    NoSuchDialect(Protocol, String, String),
    /// Reports could not tell two units apart.
    #[error("two units of {1} are named `{0}`; give each a name of its own")]
    SameName(String, Protocol),
    /// Only simulated units have defects.
    #[error("`--defect` is for simulated units, and `{0}` is none")]
    DefectOfReal(String),
    /// `--artifact` is not ROLE=FILE.
    #[error("`--artifact {0}`: expected ROLE=FILE")]
    NoRole(String),
    /// No such defect.
    #[error("there is no defect `{0}`; {1}")]
    NoSuchDefect(String, String),
    /// The driver refuses the unit file.
    #[error(transparent)]
    Driver(#[from] UnitError),
}

impl UnitsError {
    /// Whether a unit file is wrong, not the command line.
    pub(crate) fn is_of_a_file(&self) -> bool {
        matches!(
            self,
            UnitsError::Invalid(_) | UnitsError::Read { .. } | UnitsError::Driver(_)
        )
    }
}

/// What the command line says besides the unit itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnitOptions {
    pub(crate) artifacts: BTreeMap<String, PathBuf>,
    pub(crate) defects: BTreeSet<Defect>,
}

/// Reads `ROLE=FILE`s.
pub(crate) fn artifact_files(given: &[String]) -> Result<BTreeMap<String, PathBuf>, UnitsError> {
    let pair = |text: &String| {
        let (role, file) = text
            .split_once('=')
            .ok_or_else(|| UnitsError::NoRole(text.clone()))?;
        if !ROLES.contains(&role) {
            return Err(UnitsError::NoSuchRole(role.to_owned(), way_out(role, ROLES)));
        }
        Ok((role.to_owned(), PathBuf::from(file)))
    };
    given.iter().map(pair).collect()
}

/// Reads names of defects.
pub(crate) fn defects(given: &[String]) -> Result<BTreeSet<Defect>, UnitsError> {
    let known = || {
        let names: Vec<&str> = Defect::all().map(Defect::name).collect();
        format!("one of {}", names.join(", "))
    };
    let find = |name: &String| {
        let found = Defect::all().find(|defect| defect.name() == name);
        found.ok_or_else(|| {
            let near = did_you_mean(name, Defect::all().map(Defect::name));
            UnitsError::NoSuchDefect(name.clone(), near.unwrap_or_else(known))
        })
    };
    given.iter().map(find).collect()
}

/// The units named, or every simulated one.
pub(crate) fn units(
    given: &[String],
    options: &UnitOptions,
    library: &Library,
) -> Result<Vec<Arc<UnitUnderTest>>, UnitsError> {
    if given.is_empty() {
        let all = Protocol::ALL
            .into_iter()
            .filter(|protocol| !default_artifacts(*protocol).0.is_empty());
        return all
            .map(|protocol| simulated(protocol, options, Map::new()).map(Arc::new))
            .collect();
    }
    let mut units: Vec<Arc<UnitUnderTest>> = Vec::new();
    let mut mistakes = Diagnostics::default();
    for name in given {
        let unit = match name.strip_prefix("sim:") {
            Some(protocol) => named_simulated(name, protocol, options),
            None => from_file(Path::new(name), options, library),
        };
        match unit {
            Ok(unit) => units.push(Arc::new(unit)),
            Err(UnitsError::Invalid(more)) => mistakes.extend(more),
            Err(error) => return Err(error),
        }
    }
    if mistakes.has_errors() {
        return Err(UnitsError::Invalid(mistakes));
    }
    let mut names = BTreeSet::new();
    match units
        .iter()
        .find(|unit| !names.insert((unit.protocol, &unit.name)))
    {
        Some(unit) => Err(UnitsError::SameName(unit.name.clone(), unit.protocol)),
        None => Ok(units),
    }
}

/// What `sim:PROTOCOL` or `sim:PROTOCOL:DIALECT` names.
fn named_simulated(name: &str, rest: &str, options: &UnitOptions) -> Result<UnitUnderTest, UnitsError> {
    let (protocol, dialect) = match rest.split_once(':') {
        Some((protocol, dialect)) => (protocol, Some(dialect)),
        None => (rest, None),
    };
    let protocol: Protocol = protocol
        .parse()
        .map_err(|_| UnitsError::NoSuchSim(name.to_owned()))?;
    let mut unit = simulated(protocol, options, Map::new())?;
    if let Some(dialect) = dialect {
        let known = dialects_of(protocol);
        if !known.contains(&dialect) {
            let help = way_out(dialect, known.iter().copied());
            return Err(UnitsError::NoSuchDialect(protocol, dialect.to_owned(), help));
        }
        unit.name = format!("{}-{dialect}", unit.name);
        unit.ics.insert("dialect".to_owned(), json!(dialect));
    }
    Ok(unit)
}

/// The nearest word, or all of them.
fn way_out<'w>(word: &str, known: impl IntoIterator<Item = &'w str> + Clone) -> String {
    did_you_mean(word, known.clone()).unwrap_or_else(|| format!("expected {}", one_of(known)))
}

/// The simulated unit of a protocol, in another dialect than its usual one and with a defect if they are given.
pub(crate) fn defective(
    protocol: Protocol,
    dialect: Option<&str>,
    defect: Option<Defect>,
) -> Result<UnitUnderTest, UnitsError> {
    let options = UnitOptions {
        defects: defect.into_iter().collect(),
        ..UnitOptions::default()
    };
    let mut unit = simulated(protocol, &options, Map::new())?;
    if let Some(dialect) = dialect {
        unit.name = format!("{}-{dialect}", unit.name);
        unit.ics.insert("dialect".to_owned(), json!(dialect));
    }
    Ok(unit)
}

/// `said`: what the unit says of itself, such as its platform.
fn simulated(
    protocol: Protocol,
    options: &UnitOptions,
    said: Map<String, Value>,
) -> Result<UnitUnderTest, UnitsError> {
    let mut ics = default_ics(protocol);
    ics.extend(said.clone());
    let own = |defect: &&Defect| defect.protocol() == Some(protocol);
    let defects: BTreeSet<Defect> = options.defects.iter().filter(own).copied().collect();
    let given = read_artifacts(&options.artifacts)?;
    let name = if defects.is_empty() {
        "sim".to_owned()
    } else {
        format!(
            "sim+{}",
            defects
                .iter()
                .map(|defect| defect.name())
                .collect::<Vec<_>>()
                .join("+")
        )
    };
    // Made for the first instance, shared by all.
    let made = OnceLock::new();
    let make = move || {
        let artifacts = made.get_or_init(|| {
            let mut artifacts = artifacts_for(protocol, &said);
            let files = given.iter().map(|(role, file)| (role.clone(), file.artifact()));
            artifacts.0.extend(files);
            artifacts
        });
        let artifacts = artifacts.clone();
        let driver: Box<dyn Driver> = Box::new(SimDriver::new(protocol, defects.clone()));
        Ok(UnitKit { driver, artifacts })
    };
    let driver = SimDriver::new(protocol, BTreeSet::new());
    Ok(UnitUnderTest {
        name,
        protocol,
        bench: BenchKind::Virtual,
        make: Arc::new(make),
        capabilities: driver.capabilities(),
        probes: None,
        stimuli: None,
        undoable: None,
        artifact_roles: default_artifacts(protocol)
            .0
            .into_keys()
            .chain(options.artifacts.keys().cloned())
            .collect(),
        exclusive: false,
        timing: default_timing(protocol),
        ics,
        prepare: Preparation::Any,
        facts: driver.facts(),
        settings: BTreeMap::new(),
        faces: simulated_faces(protocol),
        tolerances: Tolerances::default(),
        ports: BTreeMap::new(),
        bind: String::new(),
        advertised_host: String::new(),
        authority_directory: None,
    })
}

fn simulated_faces(protocol: Protocol) -> BTreeMap<String, Address> {
    let faces = hil_unit::unit_file::faces_of(protocol).iter().zip(8001..);
    faces
        .map(|(face, port)| {
            (
                (*face).to_owned(),
                Address::Host("unit.hil.test".to_owned(), port),
            )
        })
        .collect()
}

fn from_file(path: &Path, options: &UnitOptions, library: &Library) -> Result<UnitUnderTest, UnitsError> {
    let names = |protocol| library.unit_names(protocol);
    let file = UnitFile::load(path, &names).map_err(|error| match error {
        UnitFileError::Invalid(diagnostics) => UnitsError::Invalid(diagnostics),
        UnitFileError::Read { path, error } => UnitsError::Read { path, source: error },
    })?;
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    let folder_of_file = base.clone();
    let protocol = file.protocol;
    if file.driver == DriverKind::Sim {
        let mut unit = simulated(protocol, options, file.stated.clone())?;
        unit.name = file.name.clone();
        unit.timing.extend(file.timing.clone());
        unit.ics.extend(file.ics.clone());
        return Ok(unit);
    }
    if !options.defects.is_empty() {
        return Err(UnitsError::DefectOfReal(file.name.clone()));
    }
    let mut given = read_artifacts(&options.artifacts)?;
    let stated = file.load_artifacts(&base).map_err(UnitsError::Invalid)?;
    for (role, artifact) in &stated.0 {
        given
            .entry(role.clone())
            .or_insert_with(|| ArtifactBytes::of(artifact));
    }
    if protocol == Protocol::AosV7
        && let Some(current) = given.get("current").filter(|_| !given.contains_key("second"))
    {
        given.insert("second".to_owned(), current.renamed());
    }
    // How much is too much only the unit file can say.
    let room_is_known = protocol != Protocol::OtaRpc || file.stated.contains_key("slot_size");
    let neutral: BTreeSet<String> = neutral_roles(protocol)
        .iter()
        .filter(|role| **role != "oversize" || room_is_known)
        .map(|role| (*role).to_owned())
        .collect();
    let artifact_roles = given.keys().chain(&neutral).cloned().collect();
    let driver = real_driver(&file, &base)?;
    let (mut capabilities, facts) = (driver.capabilities(), driver.facts());
    if given.contains_key("next") {
        capabilities.insert(Capability::OwnImages);
    }
    let (made, said) = (file.clone(), file.stated.clone());
    let make = move || {
        let mut artifacts = neutral_artifacts(protocol, &said);
        artifacts.0.retain(|role, _| neutral.contains(role));
        if protocol == Protocol::EdgePoll && made.driver == DriverKind::Remote {
            for role in ["next", "big"] {
                artifacts.0.entry(role.to_owned()).and_modify(renew);
            }
        }
        artifacts
            .0
            .extend(given.iter().map(|(role, file)| (role.clone(), file.artifact())));
        let driver = real_driver(&made, &base)?;
        Ok(UnitKit { driver, artifacts })
    };
    let mut timing = file.timing.clone();
    timing.entry("patience").or_insert(json!(REAL_PATIENCE));
    for (name, seconds) in usual_timing(protocol) {
        timing.entry(*name).or_insert(json!(seconds));
    }
    if let Some(interval) = default_timing(protocol).get("poll_interval") {
        timing.entry("poll_interval").or_insert(interval.clone());
    }
    let mut facts = facts;
    facts.extend(file.facts());
    let mut ics = file.ics.clone();
    if let Some(dialect) = default_ics(protocol).get("dialect") {
        ics.entry("dialect").or_insert(dialect.clone());
    }
    if protocol == Protocol::AosV7 {
        // Options beside the protocol: no unit has them unless it says so.
        for option in ["encrypted-desired-status", "pings"] {
            ics.entry(option).or_insert(json!(false));
        }
    }
    let authority_directory = file.cloud.pki.as_ref().map(|folder| folder_of_file.join(folder));
    let prepare = match file.driver {
        DriverKind::Remote => Preparation::Fixed(file.prepare.clone()),
        _ => Preparation::Named(file.prepare.keys().cloned().collect()),
    };
    let faces = real_faces(&file);
    Ok(UnitUnderTest {
        name: file.name.clone(),
        protocol,
        bench: BenchKind::Real,
        make: Arc::new(make),
        capabilities,
        probes: Some(file.probes.keys().cloned().collect()),
        stimuli: Some(stimuli(&file)),
        undoable: Some(undoable(&file)),
        artifact_roles,
        exclusive: file.driver == DriverKind::Remote
            || faces.values().any(is_fixed)
            || !file.cloud.ports.is_empty(),
        timing,
        ics,
        prepare,
        facts,
        settings: file.settings.clone(),
        faces,
        tolerances: Tolerances {
            stamp_us: TCP_TOLERANCE_US,
            order_us: 2 * TCP_TOLERANCE_US,
        },
        ports: file.cloud.ports.clone(),
        bind: file.cloud.bind.clone(),
        advertised_host: file.cloud.advertise.clone(),
        authority_directory,
    })
}

/// Gives an image a version no earlier instance had: a unit that keeps what it installed has not got it yet.
fn renew(artifact: &mut Artifact) {
    static INSTANCES: AtomicU32 = AtomicU32::new(0);
    let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
    let series = artifact
        .version
        .rsplit_once('.')
        .map_or("1.1", |(series, _)| series);
    artifact.version = format!("{series}.{}{number:04}", std::process::id());
}

fn real_driver(file: &UnitFile, base: &Path) -> Result<Box<dyn Driver>, UnitError> {
    if file.driver == DriverKind::Remote {
        return Ok(Box::new(RemoteDriver::new(file.clone())));
    }
    let driver = ProcessDriver::new(file.clone(), base).map_err(|error| UnitError::Lab(error.to_string()))?;
    Ok(Box::new(driver))
}

/// An address only one instance at a time can listen on.
fn is_fixed(address: &Address) -> bool {
    match address {
        Address::Host(_, port) => *port != 0,
        Address::Path(path) => !path.starts_with(STATE_DIRECTORY),
    }
}

/// Where the unit listens. The external installer's socket stands beside a commands socket in the file system.
fn real_faces(file: &UnitFile) -> BTreeMap<String, Address> {
    let mut faces = file.addresses();
    let beside = matches!(faces.get("sota-commands"), Some(Address::Path(_)));
    if beside && file.driver == DriverKind::Process {
        let path = format!("{STATE_DIRECTORY}/sota-events.socket");
        faces
            .entry("sota-events".to_owned())
            .or_insert(Address::Path(path));
    }
    faces
}

/// An image that can go to the threads of instances.
#[derive(Clone)]
struct ArtifactBytes {
    name: String,
    version: String,
    bytes: Arc<[u8]>,
}

impl ArtifactBytes {
    fn of(artifact: &Artifact) -> Self {
        let bytes = Arc::from(&artifact.bytes[..]);
        ArtifactBytes {
            name: artifact.name.clone(),
            version: artifact.version.clone(),
            bytes,
        }
    }

    /// The same image as another item.
    fn renamed(&self) -> Self {
        ArtifactBytes {
            name: format!("{}-second", self.name),
            ..self.clone()
        }
    }

    fn artifact(&self) -> Artifact {
        Artifact {
            name: self.name.clone(),
            version: self.version.clone(),
            bytes: self.bytes[..].into(),
        }
    }
}

/// The images of `ROLE=FILE`s by role.
pub(crate) fn load_artifacts(files: &BTreeMap<String, PathBuf>) -> Result<Artifacts, UnitsError> {
    let read = read_artifacts(files)?.into_iter();
    Ok(Artifacts(
        read.map(|(role, file)| (role, file.artifact())).collect(),
    ))
}

fn read_artifacts(files: &BTreeMap<String, PathBuf>) -> Result<BTreeMap<String, ArtifactBytes>, UnitsError> {
    let read = |(role, path): (&String, &PathBuf)| {
        let bytes = fs::read(path).map_err(|source| UnitsError::Artifact {
            role: role.clone(),
            path: path.clone(),
            source,
        })?;
        let stem = path
            .file_stem()
            .map_or_else(|| role.clone(), |stem| stem.to_string_lossy().into_owned());
        // `name_1.2.3` says name and version; else the role stands for the version.
        let (name, version) = stem.rsplit_once('_').unwrap_or((stem.as_str(), role.as_str()));
        let artifact = ArtifactBytes {
            name: name.to_owned(),
            version: version.to_owned(),
            bytes: Arc::from(bytes),
        };
        Ok((role.clone(), artifact))
    };
    files.iter().map(read).collect()
}

/// Reads `NAME=VALUE`; durations become seconds, JSON stays JSON, anything else is text.
pub(crate) fn parse_setting(text: &str) -> Option<(String, Value)> {
    let (name, value) = text.split_once('=')?;
    let value = match hil_diagnostic::parse_seconds(value) {
        // Whole seconds are whole numbers, as in scenario files: units are told them as they are.
        Ok(seconds) if value.ends_with(|c: char| c.is_ascii_alphabetic()) => match seconds.fract() {
            0.0 => json!(seconds as u64),
            _ => json!(seconds),
        },
        _ => serde_json::from_str(value).unwrap_or_else(|_| json!(value)),
    };
    Some((name.to_owned(), value))
}

/// Times units of a protocol have in the field, in seconds, for unit files that say nothing else.
fn usual_timing(protocol: Protocol) -> &'static [(&'static str, u32)] {
    match protocol {
        Protocol::AosV7 => &[
            ("ack_timeout", 10),
            ("alert_period", 10),
            ("monitoring_period", 60),
            ("reconnect_delay", 1),
            ("status_delay", 10),
        ],
        _ => &[],
    }
}

/// Images any unit can take: nothing depends on what they do when they run.
fn neutral_roles(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        // What does not run on a unit of this protocol only its maker knows.
        Protocol::AosV7 => &["current", "next", "older", "big", "second"],
        // Room and platform of a unit of this protocol only its maker knows, too.
        Protocol::DeviceCommand => &["next", "older", "big"],
        _ => &["current", "next", "older", "other_platform", "oversize", "big"],
    }
}

/// Seconds an `expect` without a bound waits for a real unit.
const REAL_PATIENCE: f64 = 20.0;
/// What scheduling and loopback may add to a stamp.
const TCP_TOLERANCE_US: u64 = 20_000;

/// What can be done to a unit: what its file has commands for, and what its driver can by itself.
fn stimuli(file: &UnitFile) -> BTreeSet<String> {
    let mut stimuli: BTreeSet<String> = file.stimuli.keys().cloned().collect();
    if file.driver == DriverKind::Process {
        stimuli.insert(BUSY.to_owned());
    }
    stimuli
}

/// The stimuli whose effect can be taken back, or ends by itself.
fn undoable(file: &UnitFile) -> BTreeSet<String> {
    let undone = file.stimuli.iter().filter(|(_, hook)| hook.undo.is_some());
    let undone = undone.map(|(name, _)| name.as_str());
    undone.chain(NEEDS_NO_UNDO).map(str::to_owned).collect()
}

/// Stimuli that need no command to take them back: the clock jumps back by the same one, the others end by themselves.
const NEEDS_NO_UNDO: [&str; 4] = ["clock_jump", "timer_wrap", "cut_at_write", BUSY];
/// A process is held up without a command of the unit file.
const BUSY: &str = "busy";
