//! A certificate as typed facts, and as the statement that is signed.

use crate::{
    Obtained, Subject,
    files::{JOURNAL, PAYLOADS, REPORTS, sha256_of_list},
    statement::{PREDICATE_TYPE, ResourceDescriptor, ResultWord, STATEMENT_TYPE, Statement, TestResult},
};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Everything a certificate says.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Validity, kind, challenge.
    pub terms: Terms,
    /// What was tested.
    pub subjects: Vec<Subject>,
    /// Hex SHA-256 of what judged.
    pub judge: JudgeDigests,
    /// The profile, and the hex SHA-256 of its file.
    pub profile: ProfileFacts,
    /// The unit.
    pub unit: UnitFacts,
    /// Hex SHA-256 of every scenario that ran or was to run, by path.
    pub scenarios: BTreeMap<String, String>,
    /// Hex SHA-256 of the files beside the certificate, by name: the journal and reports.
    pub files: BTreeMap<String, String>,
    /// Hex SHA-256 over the list of the journal's side files, and their number.
    pub payloads: (String, u64),
    /// Hex SHA-256 over the journal's waivers as canonical JSON, if it has any.
    pub waivers: Option<String>,
    /// Hex SHA-256 over the attached X.509 certificates as PEM, if there are any.
    pub chain: Option<String>,
    /// Every requirement of the profile.
    pub results: Results,
}

/// What a certificate is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Version of this form.
    pub format: u32,
    /// Who vouches for what.
    pub class: Class,
    /// The body that ran the harness, of a witnessed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnessed_by: Option<String>,
    /// When it was issued, RFC 3339, UTC.
    pub issued_at: String,
    /// Until when it is valid, RFC 3339, UTC.
    pub valid_until: String,
    /// Tier of the scenarios' parameters: `default`, `quick` or `long`.
    pub tier: String,
    /// Seed of the run, as text: it may be more than JSON's numbers hold.
    pub seed: String,
    /// The certifying body's challenge, from which the seed comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// Name of the key that signed.
    pub key_id: String,
}

/// Who vouches for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The unit was simulated: it shows how certificates work, and nothing else.
    Demonstration,
    /// The vendor ran the harness on its own unit.
    SelfDeclared,
    /// A certifying body ran the harness, and the unit was far from it.
    Witnessed,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Demonstration => "demonstration",
            Class::SelfDeclared => "self-declared",
            Class::Witnessed => "witnessed",
        })
    }
}

/// Hex SHA-256 of what ran and judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeDigests {
    /// `hil` and its version.
    pub tool: String,
    /// Of the executable.
    pub tool_sha256: String,
    /// Of the requirement catalogue.
    pub catalogue: String,
    /// Of the sources of monitors and judges, from when the tool was built.
    pub monitors: String,
}

/// The profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFacts {
    /// Its name.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Hex SHA-256 of its file.
    pub sha256: String,
    /// Number of its requirements.
    pub requirements: u64,
}

/// The unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitFacts {
    /// Its name.
    pub name: String,
    /// Its driver: `sim`, `process`, `remote`…
    pub kind: String,
    /// Hex SHA-256 of the unit file, if it has one.
    pub file: Option<String>,
    /// What it says of its optional features.
    pub ics: Map<String, Value>,
}

/// Every requirement of the profile in one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Exercised and met.
    pub passed: BTreeSet<String>,
    /// Violated SHOULDs and MAYs, each with what was found.
    pub warned: BTreeMap<String, String>,
    /// Each with what the unit file says.
    pub not_applicable: BTreeMap<String, String>,
    /// Each with the reason.
    pub waived: BTreeMap<String, String>,
    /// SHOULDs and MAYs that were not exercised or not decided, each with why.
    pub undecided: BTreeMap<String, String>,
    /// Violated requirements the profile does not have, each with what was found.
    pub outside: BTreeMap<String, String>,
}

impl Results {
    /// What it comes to for readers who know nothing else.
    pub fn word(&self) -> ResultWord {
        match self.warned.is_empty() && self.waived.is_empty() {
            true => ResultWord::Passed,
            false => ResultWord::Warned,
        }
    }
}

/// Why a statement is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// JSON of another shape.
    #[error("it is no in-toto statement with a test result: {0}")]
    Shape(String),
    /// Another type of statement or predicate.
    #[error("it is `{found}`; expected `{expected}`")]
    Type {
        /// The type found.
        found: String,
        /// The type expected.
        expected: &'static str,
    },
    /// A part is missing or broken.
    #[error("its part `{0}` is missing or broken{1}")]
    Part(String, String),
    /// A later form.
    #[error("it has form {0} of certificates; this version knows form {FORMAT}")]
    Format(u32),
    /// Results that contradict each other.
    #[error("its results contradict each other: {0}")]
    Contradiction(String),
}

/// The form this version writes.
pub(crate) const FORMAT: u32 = 1;

impl Certificate {
    /// What is signed.
    pub fn to_statement(&self) -> Statement {
        let named = ResourceDescriptor::named;
        let subject = self.subjects.iter().map(|subject| {
            let mut descriptor = named(&subject.name).with("obtained", subject.obtained.words());
            descriptor
                .digest
                .insert(subject.algorithm.clone(), subject.digest.clone());
            descriptor
        });
        let judge = &self.judge;
        let mut terms = named("certificate");
        terms.annotations = object(&self.terms);
        let mut unit = named("unit")
            .with("name", self.unit.name.clone())
            .with("kind", self.unit.kind.clone())
            .with("ics", Value::Object(self.unit.ics.clone()));
        if let Some(file) = &self.unit.file {
            unit = unit.sha256(file);
        }
        let scenarios = named("scenarios")
            .sha256(&sha256_of_list(&self.scenarios))
            .with("files", texts(&self.scenarios));
        let profile = named("profile")
            .sha256(&self.profile.sha256)
            .with("name", self.profile.name.clone())
            .with("protocol", self.profile.protocol.name())
            .with("requirements", self.profile.requirements);
        let results = &self.results;
        let requirements = named("requirements")
            .with("warned", texts(&results.warned))
            .with("notApplicable", texts(&results.not_applicable))
            .with("waived", texts(&results.waived))
            .with("undecided", texts(&results.undecided))
            .with("violatedOutsideProfile", texts(&results.outside));
        let mut configuration = vec![
            terms,
            named("tool")
                .sha256(&judge.tool_sha256)
                .with("version", judge.tool.clone()),
            named("catalogue").sha256(&judge.catalogue),
            named("monitors").sha256(&judge.monitors).with(
                "of",
                "sources of monitors and judges, hashed when the tool was built",
            ),
            profile,
            unit,
            scenarios,
            requirements,
            named(PAYLOADS)
                .sha256(&self.payloads.0)
                .with("files", self.payloads.1),
        ];
        configuration.extend(self.files.iter().map(|(name, digest)| named(name).sha256(digest)));
        configuration.extend(self.waivers.iter().map(|digest| named(WAIVERS).sha256(digest)));
        configuration.extend(self.chain.iter().map(|digest| named(CHAIN).sha256(digest)));
        Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: subject.collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: TestResult {
                result: results.word(),
                configuration,
                passed_tests: results.passed.iter().cloned().collect(),
                warned_tests: results
                    .warned
                    .keys()
                    .chain(results.waived.keys())
                    .cloned()
                    .collect(),
                failed_tests: Vec::new(),
            },
        }
    }

    /// Reads a statement back. Everything in it must be there as this version would write it.
    pub fn from_statement(value: &Value) -> Result<Certificate, StatementError> {
        let statement =
            Statement::deserialize(value).map_err(|error| StatementError::Shape(error.to_string()))?;
        is_type(&statement.statement_type, STATEMENT_TYPE)?;
        is_type(&statement.predicate_type, PREDICATE_TYPE)?;
        let parts = Parts(&statement.predicate.configuration);
        let terms: Terms = parts.annotations("certificate")?;
        if terms.format != FORMAT {
            return Err(StatementError::Format(terms.format));
        }
        let profile: WrittenProfile = parts.annotations("profile")?;
        let protocol = profile.protocol.parse::<Protocol>();
        let unit: WrittenUnit = parts.annotations("unit")?;
        let tool: WrittenTool = parts.annotations("tool")?;
        let scenarios: WrittenFiles = parts.annotations("scenarios")?;
        let payloads: WrittenCount = parts.annotations(PAYLOADS)?;
        let requirements: WrittenResults = parts.annotations("requirements")?;
        let mut files = BTreeMap::new();
        for name in [JOURNAL].into_iter().chain(REPORTS) {
            if parts.find(name).is_ok() {
                files.insert(name.to_owned(), parts.sha256(name)?);
            }
        }
        if !files.contains_key(JOURNAL) {
            return Err(StatementError::Part(JOURNAL.to_owned(), String::new()));
        }
        let certificate = Certificate {
            terms,
            subjects: statement.subject.iter().map(subject).collect::<Result<_, _>>()?,
            judge: JudgeDigests {
                tool: tool.version,
                tool_sha256: parts.sha256("tool")?,
                catalogue: parts.sha256("catalogue")?,
                monitors: parts.sha256("monitors")?,
            },
            profile: ProfileFacts {
                name: profile.name,
                protocol: protocol.map_err(|_| StatementError::Part("profile".to_owned(), String::new()))?,
                sha256: parts.sha256("profile")?,
                requirements: profile.requirements,
            },
            unit: UnitFacts {
                name: unit.name,
                kind: unit.kind,
                file: parts.find("unit")?.digest.get("sha256").cloned(),
                ics: unit.ics,
            },
            scenarios: scenarios.files,
            files,
            payloads: (parts.sha256(PAYLOADS)?, payloads.files),
            waivers: parts
                .find(WAIVERS)
                .ok()
                .map(|_| parts.sha256(WAIVERS))
                .transpose()?,
            chain: parts.find(CHAIN).ok().map(|_| parts.sha256(CHAIN)).transpose()?,
            results: Results {
                passed: statement.predicate.passed_tests.iter().cloned().collect(),
                warned: requirements.warned,
                not_applicable: requirements.not_applicable,
                waived: requirements.waived,
                undecided: requirements.undecided,
                outside: requirements.violated_outside_profile,
            },
        };
        // What is read and written again is the same: nothing in it is unknown, and nothing contradicts another part.
        match serde_json::to_value(certificate.to_statement()) {
            Ok(again) if again == *value => Ok(certificate),
            _ => Err(StatementError::Contradiction(
                "written anew from what it says, it says something else".to_owned(),
            )),
        }
    }
}

/// Name of the waivers among what was used.
const WAIVERS: &str = "waivers";
/// Name of the X.509 certificates among what was used.
const CHAIN: &str = "certificate-chain";

struct Parts<'a>(&'a [ResourceDescriptor]);

impl<'a> Parts<'a> {
    fn find(&self, name: &str) -> Result<&'a ResourceDescriptor, StatementError> {
        let found = self.0.iter().find(|part| part.name == name);
        found.ok_or_else(|| StatementError::Part(name.to_owned(), String::new()))
    }

    fn sha256(&self, name: &str) -> Result<String, StatementError> {
        let digest = self.find(name)?.digest.get("sha256");
        let digest = digest.filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let why = ": it has no SHA-256".to_owned();
        digest
            .cloned()
            .ok_or_else(|| StatementError::Part(name.to_owned(), why))
    }

    fn annotations<T: DeserializeOwned>(&self, name: &str) -> Result<T, StatementError> {
        let annotations = Value::Object(self.find(name)?.annotations.clone());
        serde_json::from_value(annotations)
            .map_err(|error| StatementError::Part(name.to_owned(), format!(": {error}")))
    }
}

#[derive(Deserialize)]
struct WrittenProfile {
    name: String,
    protocol: String,
    requirements: u64,
}

#[derive(Deserialize)]
struct WrittenUnit {
    name: String,
    kind: String,
    ics: Map<String, Value>,
}

#[derive(Deserialize)]
struct WrittenTool {
    version: String,
}

#[derive(Deserialize)]
struct WrittenFiles {
    files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct WrittenCount {
    files: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenResults {
    warned: BTreeMap<String, String>,
    not_applicable: BTreeMap<String, String>,
    waived: BTreeMap<String, String>,
    undecided: BTreeMap<String, String>,
    violated_outside_profile: BTreeMap<String, String>,
}

fn is_type(found: &str, expected: &'static str) -> Result<(), StatementError> {
    match found == expected {
        true => Ok(()),
        false => Err(StatementError::Type {
            found: found.to_owned(),
            expected,
        }),
    }
}

fn subject(descriptor: &ResourceDescriptor) -> Result<Subject, StatementError> {
    let obtained = descriptor.annotations.get("obtained").and_then(Value::as_str);
    let obtained = Obtained::ALL
        .into_iter()
        .find(|one| Some(one.words()) == obtained);
    match (descriptor.digest.iter().next(), obtained) {
        (Some((algorithm, digest)), Some(obtained)) => Ok(Subject {
            name: descriptor.name.clone(),
            algorithm: algorithm.clone(),
            digest: digest.clone(),
            obtained,
        }),
        _ => Err(StatementError::Part(
            format!("subject {}", descriptor.name),
            String::new(),
        )),
    }
}

fn object<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn texts(map: &BTreeMap<String, String>) -> Value {
    map.iter()
        .map(|(name, text)| (name.clone(), Value::from(text.clone())))
        .collect()
}
