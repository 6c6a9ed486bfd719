//! Why a certificate does not hold, and where two versions differ.

use crate::{
    ChainError, Class, EnvelopeError, StatementError, SubjectError,
    files::{CERTIFICATE, FileError, JOURNAL, PAYLOADS},
};
use hil_trace::JournalError;
use std::io;

/// A requirement two versions judge differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The requirement; none if it is about a scenario or the unit.
    pub requirement: Option<String>,
    /// What the certificate says.
    pub certified: String,
    /// What this version says.
    pub judged: String,
    /// Whether this version would deny the certificate for it.
    pub denies: bool,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = self.requirement.as_deref().unwrap_or("the run");
        write!(
            f,
            "{what}: certified as {}, judged {}",
            self.certified, self.judged
        )
    }
}

/// Why a certificate does not hold. Every reason names the part.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// No certificate there.
    #[error("{CERTIFICATE} cannot be read: {0}")]
    NoCertificate(io::Error),
    /// Bytes, shape or signature.
    #[error("{CERTIFICATE} is refused: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The payload.
    #[error("{CERTIFICATE} is refused: its payload: {0}")]
    Payload(String),
    /// The statement.
    #[error("{CERTIFICATE} is refused: {0}")]
    Statement(#[from] StatementError),
    /// Authorities were given, and the certificate has none.
    #[error("{CERTIFICATE} is refused: no X.509 certificates are attached; verify it with `--key`")]
    NoChain,
    /// The attached certificates.
    #[error("{CERTIFICATE} is refused: {0}")]
    Chain(#[from] ChainError),
    /// The statement was made for another key or chain than the envelope's.
    #[error("{CERTIFICATE} is refused: it was made for {expected} and carries {found}")]
    OtherSigner {
        /// What the statement names.
        expected: String,
        /// What the envelope has.
        found: String,
    },
    /// Issued in the future.
    #[error(
        "{CERTIFICATE} is refused: it says it was issued at {issued}, and it is {now} here: the clock of the machine that \
         issued it, or of this one, is wrong by {ahead}"
    )]
    Future {
        /// When it was issued.
        issued: String,
        /// The time here.
        now: String,
        /// How far it is ahead.
        ahead: String,
    },
    /// No longer valid.
    #[error("{CERTIFICATE} is refused: it was valid until {until}, and it is {now}")]
    Expired {
        /// Its end.
        until: String,
        /// The time here.
        now: String,
    },
    /// A file beside it cannot be read.
    #[error("{0}")]
    File(#[from] FileError),
    /// A file beside it is not the one that was certified.
    #[error(
        "{file} is refused: its SHA-256 is {found}, and the certificate says {expected}: it was changed, or is another's"
    )]
    Digest {
        /// The file.
        file: String,
        /// Digest certified.
        expected: String,
        /// Digest found.
        found: String,
    },
    /// The side files are not those that were certified.
    #[error("{PAYLOADS}/ is refused: {0}")]
    Payloads(String),
    /// The journal cannot be read.
    #[error("{JOURNAL} is refused: {0}")]
    Journal(#[from] JournalError),
    /// The journal is not whole.
    #[error("{JOURNAL} is refused: {0}")]
    Damaged(String),
    /// The profile is not known here.
    #[error("the profile `{name}` with SHA-256 {sha256} is not known here; {hint}")]
    Profile {
        /// Its name.
        name: String,
        /// The digest certified.
        sha256: String,
        /// What can be done.
        hint: String,
    },
    /// The journal does not show what was tested.
    #[error("{JOURNAL} is refused: {0}")]
    Subject(#[from] SubjectError),
    /// The journal is about something else than the certificate.
    #[error(
        "{JOURNAL} is refused: the certificate says {part} is {certified}, and the journal says {journal}"
    )]
    Foreign {
        /// Which part.
        part: String,
        /// What the certificate says.
        certified: String,
        /// What the journal says.
        journal: String,
    },
    /// The same version has other scenarios.
    #[error("the certificate does not rest on the scenarios this very version runs for the profile: {0}")]
    Scenarios(String),
    /// The run was made easier.
    #[error("{JOURNAL} is refused: {0} was run {1}")]
    Eased(String, &'static str),
    /// The unit cannot have such a certificate.
    #[error("{CERTIFICATE} is refused: certified as {class}, and a {kind} unit {may}")]
    Class {
        /// Its class.
        class: Class,
        /// The unit's driver.
        kind: String,
        /// What such a unit can have.
        may: String,
    },
    /// A page for people says something else than the certificate.
    #[error("{0} is refused: it is not the page this certificate makes")]
    Page(&'static str),
    /// The same version judges the journal otherwise.
    #[error(
        "the certificate does not say what the journal shows: judged again by the same version, {} differ: {}",
        .0.len(), .0.iter().map(Difference::to_string).collect::<Vec<_>>().join("; ")
    )]
    Judgement(Vec<Difference>),
}
