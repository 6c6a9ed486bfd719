//! The profiles there are: built in, and a file of the user's own.

use crate::library::{Library, LibraryError};
use hil_certify::{Profile, embedded_profiles, read_profile};
use hil_diagnostic::{Source, did_you_mean, one_of};
use hil_scenario::ReadError;
use std::{fs, path::Path};

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProfileError {
    /// Files with mistakes, or that cannot be read.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Neither a name nor a file.
    #[error("there is no profile `{0}`; {1}")]
    Unknown(String, String),
}

/// Every built-in profile.
pub(crate) fn profiles(library: &Library) -> Result<Vec<Profile>, LibraryError> {
    embedded_profiles(&library.catalogue, &library.vocabulary).map_err(LibraryError::Invalid)
}

/// A built-in profile by its name, or one of a file, which ends in `.yaml` or `.yml`.
pub(crate) fn profile(name: &str, library: &Library) -> Result<Profile, ProfileError> {
    if name.ends_with(".yaml") || name.ends_with(".yml") {
        return Ok(profile_of_file(Path::new(name), library)?);
    }
    let mut profiles = profiles(library)?;
    match profiles.iter().position(|profile| profile.name == name) {
        Some(at) => Ok(profiles.swap_remove(at)),
        None => {
            let names: Vec<&str> = profiles.iter().map(|profile| profile.name.as_str()).collect();
            let help = did_you_mean(name, names.iter().copied());
            let help = help.unwrap_or_else(|| format!("expected {}", one_of(names)));
            Err(ProfileError::Unknown(name.to_owned(), help))
        }
    }
}

/// A profile of the user's own.
pub(crate) fn profile_of_file(path: &Path, library: &Library) -> Result<Profile, LibraryError> {
    let bytes = fs::read(path).map_err(|source| ReadError {
        path: path.to_owned(),
        source,
    })?;
    let source = Source::from_bytes(path.display().to_string(), bytes).map_err(LibraryError::Invalid)?;
    read_profile(source, &library.catalogue, &library.vocabulary).map_err(LibraryError::Invalid)
}
