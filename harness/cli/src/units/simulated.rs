//! Simulated units: their driver, images and faces.

use super::{UnitOptions, UnitsError, artifacts::read_artifacts, way_out};
use hil_link::Address;
use hil_runner::{BenchKind, Preparation, UnitKit, UnitUnderTest};
use hil_sim::{Defect, IMAGE_SEED, SimDriver, artifacts_for, default_artifacts, default_ics, default_timing};
use hil_trace::Tolerances;
use hil_unit::{Driver, unit_file::dialects_of};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

/// What `sim:PROTOCOL` or `sim:PROTOCOL:DIALECT` names.
pub(super) fn named_simulated(
    name: &str,
    rest: &str,
    options: &UnitOptions,
) -> Result<UnitUnderTest, UnitsError> {
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
pub(super) fn simulated(
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
    let said = with_image_seed(said, options);
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
        lab_lacks: BTreeMap::new(),
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

/// What is said of a unit, and the seed of its images.
pub(super) fn with_image_seed(mut said: Map<String, Value>, options: &UnitOptions) -> Map<String, Value> {
    if let Some(seed) = options.image_seed {
        said.insert(IMAGE_SEED.to_owned(), json!(seed));
    }
    said
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
