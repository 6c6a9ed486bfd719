//! Scenario and unit files of the user: found, told apart and read, every file that is no text as a mistake of its own.

use hil_diagnostic::{Diagnostics, Source};
use hil_scenario::{ReadError, find_files};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What was found at a path.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Scenarios: path inside the folder, and the file under the path people know it by.
    pub(crate) scenarios: Vec<(String, Arc<Source>)>,
    /// Unit files.
    pub(crate) units: Vec<PathBuf>,
    /// Files that are no text.
    pub(crate) mistakes: Diagnostics,
}

impl Files {
    /// Adds a file, or every YAML file of a folder.
    pub(crate) fn add(&mut self, path: &Path) -> Result<(), ReadError> {
        for (inside, path) in find_files(path)? {
            let bytes = fs::read(&path).map_err(|source| ReadError {
                path: path.clone(),
                source,
            })?;
            match Source::from_bytes(path.display().to_string(), bytes) {
                Ok(source) if is_unit_file(&path, source.text()) => self.units.push(path),
                Ok(source) => self.scenarios.push((inside, source)),
                Err(mistakes) => self.mistakes.extend(mistakes),
            }
        }
        Ok(())
    }
}

/// Scenarios have steps, unit files a driver; a file that has neither is told by its name.
fn is_unit_file(path: &Path, text: &str) -> bool {
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    let named = path
        .file_stem()
        .is_some_and(|name| name.to_string_lossy().contains("unit"));
    !has("steps:") && (has("driver:") || named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_files_are_told_by_what_they_hold_and_then_by_their_name() {
        let is_unit = |path: &str, text: &str| is_unit_file(Path::new(path), text);
        assert!(is_unit("bench/left.yaml", "name: x\ndriver: process\n"));
        assert!(is_unit("unit.yaml", ""));
        assert!(!is_unit("suites/unit-restarts.yaml", "name: x\nsteps:\n"));
        assert!(!is_unit("suites/empty.yaml", ""));
    }
}
