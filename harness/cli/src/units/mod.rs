//! From `--unit` to a unit under test: a simulated one, or what a unit file says.

mod artifacts;
mod real;
mod simulated;

pub(crate) use artifacts::{artifact_files, load_artifacts};
pub(crate) use simulated::defective;

use crate::library::Library;
use hil_diagnostic::{Diagnostics, did_you_mean, one_of};
use hil_runner::UnitUnderTest;
use hil_sim::{Defect, default_artifacts};
use hil_unit::UnitError;
use hil_wire::Protocol;
use real::from_file;
use serde_json::{Map, Value, json};
use simulated::{named_simulated, simulated};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
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
    /// Makes images that hil makes others than those of another seed.
    pub(crate) image_seed: Option<u64>,
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

/// The nearest word, or all of them.
fn way_out<'w>(word: &str, known: impl IntoIterator<Item = &'w str> + Clone) -> String {
    did_you_mean(word, known.clone()).unwrap_or_else(|| format!("expected {}", one_of(known)))
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
