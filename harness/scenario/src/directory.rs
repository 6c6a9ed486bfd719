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

/// Every YAML file below a folder: path inside the folder, with `/` between its parts, and path; in the order of
/// paths inside. Files and folders whose name begins with a dot are left out. A path to one file gives that file.
pub fn find_files(directory: &Path) -> Result<Vec<(String, PathBuf)>, ReadError> {
    let mut found = Vec::new();
    if directory.is_file() {
        let name = directory.file_name().map(Path::new).unwrap_or(directory);
        found.push((slashed(name), directory.to_owned()));
    } else {
        collect(directory, directory, &mut found)?;
    }
    found.sort();
    Ok(found)
}

/// The same with the texts of the files.
pub fn load_directory(directory: &Path) -> Result<Vec<(String, String)>, ReadError> {
    let read = |(inside, path): (String, PathBuf)| {
        let text = fs::read_to_string(&path).map_err(|source| ReadError { path, source })?;
        Ok((inside, text))
    };
    find_files(directory)?.into_iter().map(read).collect()
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<(String, PathBuf)>) -> Result<(), ReadError> {
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
        // A link may lead back up; folders are followed only where they really are.
        if path.is_dir() && !path.is_symlink() {
            collect(root, &path, found)?;
        } else if is_yaml(&path) && path.is_file() {
            let inside = path.strip_prefix(root).unwrap_or(&path);
            found.push((slashed(inside), path.clone()));
        }
    }
    Ok(())
}

pub(crate) fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

/// The path with `/` on every system.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}
