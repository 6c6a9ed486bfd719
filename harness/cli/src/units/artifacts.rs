//! Images given on the command line, read once for all instances.

use super::{UnitsError, way_out};
use hil_fault::{Artifact, Artifacts};
use hil_unit::unit_file::ROLES;
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

/// Reads `ROLE=FILE`s.
pub(crate) fn artifact_files(given: &[String]) -> Result<BTreeMap<String, PathBuf>, UnitsError> {
    let pair = |text: &String| {
        let (role, file) = text
            .split_once('=')
            .ok_or_else(|| UnitsError::NoRole(text.clone()))?;
        if !ROLES.contains(&role) {
            return Err(UnitsError::NoSuchRole(role.to_owned(), way_out(role, ROLES)));
        }
        Ok((role.to_owned(), PathBuf::from(file)))
    };
    given.iter().map(pair).collect()
}

/// The images of `ROLE=FILE`s by role.
pub(crate) fn load_artifacts(files: &BTreeMap<String, PathBuf>) -> Result<Artifacts, UnitsError> {
    let read = read_artifacts(files)?.into_iter();
    Ok(Artifacts(
        read.map(|(role, file)| (role, file.artifact())).collect(),
    ))
}

pub(super) fn read_artifacts(
    files: &BTreeMap<String, PathBuf>,
) -> Result<BTreeMap<String, ArtifactBytes>, UnitsError> {
    let read = |(role, path): (&String, &PathBuf)| {
        let bytes = fs::read(path).map_err(|source| UnitsError::Artifact {
            role: role.clone(),
            path: path.clone(),
            source,
        })?;
        let stem = path
            .file_stem()
            .map_or_else(|| role.clone(), |stem| stem.to_string_lossy().into_owned());
        // `name_1.2.3` says name and version; else the role stands for the version.
        let (name, version) = stem.rsplit_once('_').unwrap_or((stem.as_str(), role.as_str()));
        let artifact = ArtifactBytes {
            name: name.to_owned(),
            version: version.to_owned(),
            bytes: Arc::from(bytes),
        };
        Ok((role.clone(), artifact))
    };
    files.iter().map(read).collect()
}

/// An image that can go to the threads of instances.
#[derive(Clone)]
pub(super) struct ArtifactBytes {
    name: String,
    version: String,
    bytes: Arc<[u8]>,
}

impl ArtifactBytes {
    pub(super) fn of(artifact: &Artifact) -> Self {
        let bytes = Arc::from(&artifact.bytes[..]);
        ArtifactBytes {
            name: artifact.name.clone(),
            version: artifact.version.clone(),
            bytes,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes it an image of the item of this name.
    pub(super) fn rename(&mut self, name: String) {
        self.name = name;
    }

    pub(super) fn artifact(&self) -> Artifact {
        Artifact {
            name: self.name.clone(),
            version: self.version.clone(),
            bytes: self.bytes[..].into(),
        }
    }
}
