//! The waivers of a run: a file, as of today.

use crate::library::{Library, LibraryError};
use hil_diagnostic::Source;
use hil_scenario::{ReadError, read_waivers};
use hil_trace::Waivers;
use std::{fs, path::Path};
use time::OffsetDateTime;

/// Reads a file of waivers, to be judged by as of today, UTC.
pub(crate) fn waivers(path: &Path, library: &Library) -> Result<Waivers, LibraryError> {
    let bytes = fs::read(path).map_err(|source| ReadError {
        path: path.to_owned(),
        source,
    })?;
    let source = Source::from_bytes(path.display().to_string(), bytes).map_err(LibraryError::Invalid)?;
    Ok(Waivers {
        as_of: OffsetDateTime::now_utc().date(),
        waivers: read_waivers(source, &library.catalogue).map_err(LibraryError::Invalid)?,
    })
}
