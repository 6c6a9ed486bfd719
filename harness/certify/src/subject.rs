//! What exactly a certificate is about, and how its digest was obtained. Read from the journal, so that whoever verifies
//! finds the same.

use hil_trace::{RecordBody, Trace, UnitChange};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A thing that was tested, with its digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Its name, such as a file's.
    pub name: String,
    /// Name of the digest's algorithm, such as `sha256`.
    pub algorithm: String,
    /// The digest, lower-case hex.
    pub digest: String,
    /// How it was obtained.
    pub obtained: Obtained,
}

/// How a digest was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obtained {
    /// Measured by the driver from a file it started the unit with.
    StartedFile,
    /// Measured from the executable of hil, which simulates the unit.
    Simulator,
    /// Said by the unit file; nobody measured it.
    Declared,
}

impl Obtained {
    /// All of them.
    pub const ALL: [Obtained; 3] = [Obtained::StartedFile, Obtained::Simulator, Obtained::Declared];

    /// A phrase for certificates.
    pub fn words(self) -> &'static str {
        match self {
            Obtained::StartedFile => "measured from a file the driver started the unit with",
            Obtained::Simulator => "measured from the executable of hil, which simulates the unit",
            Obtained::Declared => "declared in the unit file, measured by nobody",
        }
    }
}

impl fmt::Display for Obtained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// Why it is not known what was tested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// No digest of anything.
    #[error(
        "no digest says what was tested: nothing was measured, and the unit file declares none; \
         add `subject: {{version: …, digest: sha256:…}}` to it"
    )]
    None,
    /// A file changed while the run went on.
    #[error("{file} changed during the run: {instance} started another one than the instances before it")]
    Changed {
        /// The file.
        file: String,
        /// The first instance with another digest.
        instance: String,
    },
    /// A declared digest that is none.
    #[error("the unit file declares the digest `{0}`; expected sha256:, sha384: or sha512: and hex digits")]
    Declared(String),
    /// Instances of several units.
    #[error("the journal is about several units: {}", .0.join(", "))]
    SeveralUnits(Vec<String>),
}

/// What the traces of one unit are about. `simulator`: hex SHA-256 of the executable that simulates units.
pub fn subjects(traces: &[Trace], simulator: &str) -> Result<Vec<Subject>, SubjectError> {
    let units: BTreeSet<&str> = traces.iter().map(|trace| trace.header.unit.as_str()).collect();
    if units.len() > 1 {
        let units = units.into_iter().map(str::to_owned).collect();
        return Err(SubjectError::SeveralUnits(units));
    }
    let Some(first) = traces.first() else {
        return Err(SubjectError::None);
    };
    let mut subjects = measured(traces)?;
    let facts = &first.header.facts;
    if facts.get("driver").and_then(Value::as_str) == Some("sim") {
        subjects.push(Subject {
            name: format!("simulated {} unit", first.header.protocol),
            algorithm: "sha256".to_owned(),
            digest: simulator.to_owned(),
            obtained: Obtained::Simulator,
        });
    }
    if let Some(declared) = facts.get("subject_digest").and_then(Value::as_str) {
        let (algorithm, digest) = parse_digest(declared)?;
        let version = facts.get("subject_version").and_then(Value::as_str);
        subjects.push(Subject {
            name: version.map_or_else(
                || first.header.unit.clone(),
                |version| format!("{} {version}", first.header.unit),
            ),
            algorithm,
            digest,
            obtained: Obtained::Declared,
        });
    }
    match subjects.is_empty() {
        true => Err(SubjectError::None),
        false => Ok(subjects),
    }
}

/// Files the driver started the unit with, the same in every instance.
fn measured(traces: &[Trace]) -> Result<Vec<Subject>, SubjectError> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for trace in traces {
        let started = trace.records.iter().filter_map(|record| match &record.what {
            RecordBody::Unit {
                change: UnitChange::Started,
                facts,
            } => facts.get("files").and_then(Value::as_object),
            _ => None,
        });
        for (file, digest) in started.flatten() {
            let digest = digest.as_str().unwrap_or_default();
            let before = files.entry(file.clone()).or_insert_with(|| digest.to_owned());
            if before != digest {
                return Err(SubjectError::Changed {
                    file: file.clone(),
                    instance: trace.header.instance.clone(),
                });
            }
        }
    }
    let subjects = files.into_iter().map(|(name, digest)| Subject {
        name,
        algorithm: "sha256".to_owned(),
        digest,
        obtained: Obtained::StartedFile,
    });
    Ok(subjects.collect())
}

fn parse_digest(text: &str) -> Result<(String, String), SubjectError> {
    let parts = text.trim().split_once(':');
    let fits = parts.filter(|(algorithm, hex)| {
        let length = DIGESTS
            .iter()
            .find(|(name, _)| name == algorithm)
            .map(|(_, length)| *length);
        length == Some(hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let (algorithm, hex) = fits.ok_or_else(|| SubjectError::Declared(text.to_owned()))?;
    Ok((algorithm.to_owned(), hex.to_ascii_lowercase()))
}

/// Digests a unit file may declare, and how many hex digits each has.
const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];
