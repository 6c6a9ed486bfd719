//! Why a journal cannot be had at all.

use std::{io, path::PathBuf};

/// Why a journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk, a missing file, permissions.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Written by a version this one does not know.
    #[error("{path}: journal format {found} is not known here; this version reads format {known}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Format known.
        known: u32,
    },
    /// Not one line could be read.
    #[error("{path}: not a journal: {reason}")]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What is wrong with its first line.
        reason: String,
    },
}
