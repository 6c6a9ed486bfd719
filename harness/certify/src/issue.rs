//! From a judged journal to a signed certificate.

use crate::{
    Certificate, CertificateChain, Class, Envelope, JudgeDigests, Outcome, PrivateKey, Profile, ProfileFacts,
    Results, Subject, Terms, UnitFacts,
    canonical::canonical,
    certificate::FORMAT,
    files::{FileError, JOURNAL, REPORTS, payloads, sha256, sha256_of_file, sha256_of_list},
    key::KeyError,
};
use hil_trace::{ReadJournal, TraceHeader};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};
use time::{Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// What a certificate is made of.
pub struct Claim<'a> {
    /// The folder with journal, side files and reports, all written.
    pub directory: &'a Path,
    /// What is claimed.
    pub profile: &'a Profile,
    /// What the journal says about it; nothing is missing.
    pub outcome: &'a Outcome,
    /// The journal, as it was read back.
    pub journal: &'a ReadJournal,
    /// What was tested.
    pub subjects: Vec<Subject>,
    /// What ran and judged.
    pub judge: JudgeDigests,
    /// Hex SHA-256 of the unit file, if there is one.
    pub unit_file: Option<String>,
    /// The body that runs the harness, if it is not the vendor.
    pub witnessed_by: Option<String>,
    /// Its challenge.
    pub challenge: Option<String>,
    /// Tier of parameters; `default` if none was asked for.
    pub tier: String,
    /// The time.
    pub now: OffsetDateTime,
    /// How long it is valid, unless a waiver it rests on ends before.
    pub valid_for: Duration,
    /// The last days of the waivers it rests on.
    pub waived_until: Vec<Date>,
}

/// Why no certificate could be made of a whole outcome.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// A file beside it cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no journal.
    #[error("the journal is empty")]
    Empty,
    /// The key cannot be used.
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// The attached X.509 certificate is of another key.
    #[error("the first certificate of the chain is of key {chain}, and this is key {key}")]
    OtherChain {
        /// Name of the key in the certificate.
        chain: String,
        /// Name of the key that signs.
        key: String,
    },
    /// Only a body that runs the harness itself on a unit far from it can witness.
    #[error("a {0} unit is run by whoever runs the harness: only a `remote` unit can be witnessed by a body")]
    CannotWitness(String),
    /// Dates beyond what can be written.
    #[error("the end of its validity is no date that can be written")]
    Date,
}

/// The kind of certificate a unit can have.
pub fn class_of(kind: &str, witnessed_by: Option<&str>) -> Result<Class, IssueError> {
    match (kind, witnessed_by) {
        ("remote", Some(_)) => Ok(Class::Witnessed),
        (_, Some(_)) => Err(IssueError::CannotWitness(kind.to_owned())),
        ("sim", None) => Ok(Class::Demonstration),
        (_, None) => Ok(Class::SelfDeclared),
    }
}

impl Claim<'_> {
    /// The certificate for a key, and for the X.509 certificates that go with it.
    pub fn certificate(
        &self,
        key: &PrivateKey,
        chain: Option<&CertificateChain>,
    ) -> Result<Certificate, IssueError> {
        let first = headers(self.journal).next().ok_or(IssueError::Empty)?;
        let key_id = key.public()?.id();
        if let Some(chain) = chain {
            let owner = chain.key().map(|key| key.id()).unwrap_or_default();
            if owner != key_id {
                return Err(IssueError::OtherChain {
                    chain: owner,
                    key: key_id,
                });
            }
        }
        let kind = kind_of(first);
        let date = |at: OffsetDateTime| at.format(&Rfc3339).map_err(|_| IssueError::Date);
        let now = self.now.replace_nanosecond(0).map_err(|_| IssueError::Date)?;
        let mut until = now.checked_add(self.valid_for).ok_or(IssueError::Date)?;
        // What rests on a waiver ends with it.
        for last_day in &self.waived_until {
            let end = last_day
                .next_day()
                .ok_or(IssueError::Date)?
                .midnight()
                .assume_utc();
            until = until.min(end);
        }
        let mut files = BTreeMap::new();
        for name in [JOURNAL].into_iter().chain(REPORTS) {
            files.insert(name.to_owned(), sha256_of_file(&self.directory.join(name))?);
        }
        let payloads = payloads(self.directory)?;
        let outcome = self.outcome;
        Ok(Certificate {
            terms: Terms {
                format: FORMAT,
                class: class_of(&kind, self.witnessed_by.as_deref())?,
                witnessed_by: self.witnessed_by.clone(),
                issued_at: date(now)?,
                valid_until: date(until)?,
                tier: self.tier.clone(),
                seed: first.seed.to_string(),
                challenge: self.challenge.clone(),
                key_id,
            },
            subjects: self.subjects.clone(),
            judge: self.judge.clone(),
            profile: ProfileFacts {
                name: self.profile.name.clone(),
                protocol: self.profile.protocol,
                sha256: self.profile.sha256.clone(),
                requirements: self.profile.requirements.len() as u64,
            },
            unit: UnitFacts {
                name: first.unit.clone(),
                kind,
                file: self.unit_file.clone(),
                ics: first.ics.clone(),
            },
            scenarios: scenarios(self.journal),
            waivers: waivers_sha256(self.journal),
            files,
            payloads: (sha256_of_list(&payloads), payloads.len() as u64),
            chain: chain.map(chain_sha256),
            results: Results {
                passed: outcome.passed.clone(),
                warned: outcome.warned.clone(),
                not_applicable: outcome.not_applicable.clone(),
                waived: outcome.waived.clone(),
                undecided: outcome.undecided.clone(),
                outside: outcome.outside.clone(),
            },
        })
    }
}

/// A certificate's envelope.
pub fn signed(
    certificate: &Certificate,
    key: &PrivateKey,
    chain: Option<CertificateChain>,
) -> Result<Envelope, IssueError> {
    let payload = canonical(&certificate.to_statement());
    Ok(Envelope::sign(payload, key, &key.public()?, chain))
}

/// The head of everything in a journal.
pub(crate) fn headers(journal: &ReadJournal) -> impl Iterator<Item = &TraceHeader> {
    let traces = journal.traces.iter().map(|trace| &trace.header);
    traces.chain(journal.repeats.iter().map(|repeats| &repeats.header))
}

/// Hex SHA-256 of every scenario of a journal, by path.
pub(crate) fn scenarios(journal: &ReadJournal) -> BTreeMap<String, String> {
    let scenarios = headers(journal).map(|header| &header.scenario);
    scenarios
        .map(|one| (one.path.clone(), one.sha256.clone()))
        .collect()
}

/// Hex SHA-256 over the waivers of a journal as canonical JSON, if it has any.
pub(crate) fn waivers_sha256(journal: &ReadJournal) -> Option<String> {
    journal
        .waivers
        .as_ref()
        .map(|waivers| sha256(&canonical(waivers)))
}

/// The driver of a unit, as its traces say.
pub(crate) fn kind_of(header: &TraceHeader) -> String {
    let driver = header.facts.get("driver").and_then(Value::as_str);
    driver.unwrap_or("unknown").to_owned()
}

/// Hex SHA-256 over the PEM of certificates, one after the other.
pub(crate) fn chain_sha256(chain: &CertificateChain) -> String {
    sha256(chain.to_pems().concat().as_bytes())
}
