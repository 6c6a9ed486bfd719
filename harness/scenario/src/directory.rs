//! Scenario files of a folder on disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder or file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct ReadError {
    /// What was to be read.
    pub path: PathBuf,
    /// Why it was not.
    pub source: io::Error,
}

/// Every YAML file below a folder: path inside the folder, with `/` between its parts, and text; in the order of
/// paths. Files and folders whose name begins with a dot are left out. A path to one file gives that file.
pub fn load_directory(directory: &Path) -> Result<Vec<(String, String)>, ReadError> {
    let mut found = Vec::new();
    if directory.is_file() {
        let name = directory.file_name().map(Path::new).unwrap_or(directory);
        found.push((slashed(name), read(directory)?));
    } else {
        collect(directory, directory, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<(String, String)>) -> Result<(), ReadError> {
    let failed = |source| ReadError {
        path: directory.to_owned(),
        source,
    };
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found)?;
        } else if is_yaml(&path) {
            let inside = path.strip_prefix(root).unwrap_or(&path);
            found.push((slashed(inside), read(&path)?));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, ReadError> {
    fs::read_to_string(path).map_err(|source| ReadError {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// The path with `/` on every system.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
