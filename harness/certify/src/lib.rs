//! What a vendor claims and anybody can check: profiles, keys, and certificates about a judged journal.

mod canonical;
mod certificate;
mod chain;
mod challenge;
mod envelope;
mod files;
mod issue;
mod judges;
mod key;
mod outcome;
mod page;
mod profile;
mod progress;
mod selection;
mod statement;
mod subject;
mod verify;

pub use certificate::{
    Certificate, Class, JudgeDigests, ProfileFacts, Results, StatementError, Terms, UnitFacts,
};
pub use chain::{CertificateChain, ChainError};
pub use challenge::seed_of;
pub use envelope::{Envelope, EnvelopeError, PAYLOAD_TYPE};
pub use files::{CERTIFICATE, FileError, JOURNAL, PAYLOADS, REPORTS, sha256, sha256_of_file};
pub use issue::{Claim, IssueError, class_of, signed};
pub use judges::JUDGES_SHA256;
pub use key::{
    Algorithm, KeyError, KeyFileError, PrivateKey, PublicKey, SignatureError, public_path, read_private,
    read_public, write_pair,
};
pub use outcome::{Missing, MissingKind, Outcome};
pub use page::{pages, warning};
pub use profile::{Excuse, Profile, embedded_profiles, embedded_profiles_of, read_profile};
pub use progress::{Begun, Finished};
pub use selection::needed;
pub use statement::{PREDICATE_TYPE, ResourceDescriptor, ResultWord, STATEMENT_TYPE, Statement, TestResult};
pub use subject::{Obtained, Subject, SubjectError, subjects};
pub use verify::{Difference, Judge, Trust, Verified, VerifyError, verify};
