//! Firmware archives: a zip of stored members, manifest first, read as a stream (reference section 5).

mod builder;
mod error;
mod local_header;
mod manifest;
mod reader;
mod zip;

#[cfg(test)]
mod failure_tests;

pub use builder::ArchiveBuilder;
pub use error::{ArchiveError, DigestKind};
pub use manifest::{MANIFEST_NAME, Manifest, Part};
pub use reader::{ArchiveEvent, ArchiveReader, Checks, read_all};
pub use zip::{Member, SIGNATURE_FIELD, write_zip};
