//! Units that a unit file describes: processes, remote units, those behind an adapter, and simulated ones with changes.

use super::{
    UnitOptions, UnitsError,
    artifacts::{ArtifactBytes, read_artifacts},
    simulated::{simulated, with_image_seed},
};
use crate::{adapters::Introduced, library::Library};
use hil_fault::Artifact;
use hil_lab::LabDriver;
use hil_link::Address;
use hil_process::{ProcessDriver, RemoteDriver};
use hil_runner::{BenchKind, Preparation, UnitKit, UnitUnderTest};
use hil_sim::{default_ics, default_timing, neutral_artifacts};
use hil_trace::Tolerances;
use hil_unit::{
    Capability, Driver, UnitError, UnitFile, UnitFileError,
    unit_file::{DriverKind, Lab, OTHER_ITEM, STATE_DIRECTORY, parse_address},
};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

pub(super) fn from_file(
    path: &Path,
    options: &UnitOptions,
    library: &Library,
) -> Result<UnitUnderTest, UnitsError> {
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
    let given = given_artifacts(&file, &base, options)?;
    // How much is too much only the unit file can say.
    let room_is_known = protocol != Protocol::OtaRpc || file.stated.contains_key("slot_size");
    let neutral: BTreeSet<String> = neutral_roles(protocol)
        .iter()
        .filter(|role| **role != "oversize" || room_is_known)
        .map(|role| (*role).to_owned())
        .collect();
    let artifact_roles = given.keys().chain(&neutral).cloned().collect();
    let introduced = match file.driver {
        DriverKind::Adapter => Some(Introduced::of(&file, &base)),
        _ => None,
    };
    let in_lab = file.lab.clone();
    let (mut capabilities, facts) = match introduced.as_ref().map(|introduced| introduced.driver()) {
        // What it can do nobody knows: every scenario tells what is wrong with it.
        Some(Err(_)) => (Capability::ALL.into_iter().collect(), file.facts()),
        Some(Ok(driver)) => said_by(Box::new(driver), &in_lab),
        None => said_by(real_driver(&file, &base)?, &in_lab),
    };
    if given.contains_key("next") {
        capabilities.insert(Capability::OwnImages);
    }
    let (made, said) = (file.clone(), with_image_seed(file.stated.clone(), options));
    let adapter = introduced.clone();
    let item = item_of(&given, &file).filter(|_| protocol == Protocol::AosV7);
    let make = move || {
        let mut artifacts = neutral_artifacts(protocol, &said);
        artifacts.0.retain(|role, _| neutral.contains(role));
        if protocol == Protocol::EdgePoll && made.driver == DriverKind::Remote {
            for role in ["next", "big"] {
                artifacts.0.entry(role.to_owned()).and_modify(renew);
            }
        }
        if let Some(item) = &item {
            for (_, artifact) in artifacts.0.iter_mut().filter(|(role, _)| *role != OTHER_ITEM) {
                artifact.name.clone_from(item);
            }
        }
        artifacts
            .0
            .extend(given.iter().map(|(role, file)| (role.clone(), file.artifact())));
        let driver: Box<dyn Driver> = match &adapter {
            Some(introduced) => Box::new(introduced.driver()?),
            None => real_driver(&made, &base)?,
        };
        let driver = in_the_lab(driver, &in_lab);
        Ok(UnitKit { driver, artifacts })
    };
    let mut facts = facts;
    facts.extend(file.facts());
    if let Some(tap) = &file.lab.tap {
        facts.insert("discovery_subnet".to_owned(), json!(tap.subnet));
    }
    let authority_directory = file.cloud.pki.as_ref().map(|folder| folder_of_file.join(folder));
    let prepare = match file.driver {
        DriverKind::Remote => Preparation::Fixed(file.prepare.clone()),
        _ => Preparation::Named(file.prepare.keys().cloned().collect()),
    };
    let of_lab = LabDriver::stimuli(&file.lab);
    Ok(UnitUnderTest {
        name: file.name.clone(),
        protocol,
        bench: BenchKind::Real,
        make: Arc::new(make),
        capabilities,
        probes: match &introduced {
            Some(introduced) => introduced.probes(),
            None => Some(file.probes.keys().cloned().collect()),
        }
        .map(|names: BTreeSet<String>| &names | &LabDriver::probes(&file.lab)),
        stimuli: match &introduced {
            Some(introduced) => introduced.stimuli(),
            None => Some(stimuli(&file)),
        }
        .map(|names| &names | &of_lab),
        undoable: match &introduced {
            Some(introduced) => introduced.undoable(),
            None => Some(undoable(&file)),
        }
        .map(|names| &names | &of_lab),
        lab_lacks: LabDriver::lacks(&file.lab),
        artifact_roles,
        exclusive: is_alone(&file) || introduced.as_ref().is_some_and(Introduced::is_alone),
        timing: timing(&file),
        ics: ics(&file),
        prepare,
        facts,
        settings: file.settings.clone(),
        faces: real_faces(&file),
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

/// Images of the command line, and those of the unit file for the other roles.
fn given_artifacts(
    file: &UnitFile,
    base: &Path,
    options: &UnitOptions,
) -> Result<BTreeMap<String, ArtifactBytes>, UnitsError> {
    let mut given = read_artifacts(&options.artifacts)?;
    let stated = file.load_artifacts(base).map_err(UnitsError::Invalid)?;
    for (role, artifact) in &stated.0 {
        given
            .entry(role.clone())
            .or_insert_with(|| ArtifactBytes::of(artifact));
    }
    if file.protocol == Protocol::AosV7 {
        if let Some(item) = item_of(&given, file) {
            for (_, artifact) in given.iter_mut().filter(|(role, _)| *role != OTHER_ITEM) {
                artifact.rename(item.clone());
            }
        }
        if let Some(current) = given.get("current").filter(|_| !given.contains_key(OTHER_ITEM)) {
            let mut second = current.clone();
            second.rename(format!("{}-second", current.name()));
            given.insert(OTHER_ITEM.to_owned(), second);
        }
    }
    Ok(given)
}

/// The item that all images of an AosEdge unit but one are versions of, if any is given: as the unit file calls it, or
/// else as their first file is called.
fn item_of(given: &BTreeMap<String, ArtifactBytes>, file: &UnitFile) -> Option<String> {
    let mut stated = file.artifacts.iter().filter(|(role, _)| *role != OTHER_ITEM);
    let mut all = given.iter().filter(|(role, _)| *role != OTHER_ITEM);
    let stated = stated.next().map(|(_, file)| file.name.clone());
    stated.or_else(|| all.next().map(|(_, artifact)| artifact.name().to_owned()))
}

/// What the unit file says, and what is usual where it says nothing.
fn timing(file: &UnitFile) -> Map<String, Value> {
    let mut timing = file.timing.clone();
    timing.entry("patience").or_insert(json!(REAL_PATIENCE));
    for (name, seconds) in usual_timing(file.protocol) {
        timing.entry(*name).or_insert(json!(seconds));
    }
    if let Some(interval) = default_timing(file.protocol).get("poll_interval") {
        timing.entry("poll_interval").or_insert(interval.clone());
    }
    timing
}

/// What the unit file claims and denies.
fn ics(file: &UnitFile) -> Map<String, Value> {
    let mut ics = file.ics.clone();
    if let Some(dialect) = default_ics(file.protocol).get("dialect") {
        ics.entry("dialect").or_insert(dialect.clone());
    }
    if file.protocol == Protocol::AosV7 {
        // Options beside the protocol: no unit has them unless it says so.
        for option in ["encrypted-desired-status", "pings"] {
            ics.entry(option).or_insert(json!(false));
        }
    }
    ics
}

/// Whether the unit takes one instance at a time, or something it needs does.
fn is_alone(file: &UnitFile) -> bool {
    file.driver == DriverKind::Remote
        // One segment is looked at by one tap.
        || file.lab.tap.is_some()
        || of_lab_fixed(file)
        || real_faces(file).values().any(is_fixed)
        || !file.cloud.ports.is_empty()
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

/// A driver with the instruments around its units.
fn in_the_lab(driver: Box<dyn Driver>, lab: &Lab) -> Box<dyn Driver> {
    match lab.is_empty() {
        true => driver,
        false => Box::new(LabDriver::new(driver, lab.clone())),
    }
}

fn said_by(driver: Box<dyn Driver>, lab: &Lab) -> (BTreeSet<Capability>, Map<String, Value>) {
    let driver = in_the_lab(driver, lab);
    (driver.capabilities(), driver.facts())
}

/// Whether an instrument listens where only one can.
fn of_lab_fixed(file: &UnitFile) -> bool {
    let server = file.lab.time_server.iter().map(|server| &server.address);
    let mut places = server
        .chain(&file.lab.module)
        .chain(&file.lab.names)
        .filter(|place| !place.starts_with(STATE_DIRECTORY));
    places.any(|place| parse_address(place).is_some_and(|address| is_fixed(&address)))
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
    if beside && file.driver.has_command() {
        let path = format!("{STATE_DIRECTORY}/sota-events.socket");
        faces
            .entry("sota-events".to_owned())
            .or_insert(Address::Path(path));
    }
    faces
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

/// Seconds an `expect` without a bound waits for a real unit.
const REAL_PATIENCE: f64 = 20.0;
/// What scheduling and loopback may add to a stamp.
const TCP_TOLERANCE_US: u64 = 20_000;

/// Stimuli that need no command to take them back: the clock jumps back by the same one, the others end by themselves.
const NEEDS_NO_UNDO: [&str; 4] = ["clock_jump", "timer_wrap", "cut_at_write", BUSY];
/// A process is held up without a command of the unit file.
const BUSY: &str = "busy";
