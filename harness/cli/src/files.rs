//! Scenario, unit, waiver and profile files of the user: found, told apart and read, every file that is no text as a
//! mistake of its own.

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
    /// Files of waivers.
    pub(crate) waivers: Vec<Arc<Source>>,
    /// Profiles.
    pub(crate) profiles: Vec<Arc<Source>>,
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
                Ok(source) if is_profile(source.text()) => self.profiles.push(source),
                Ok(source) if has_waivers(source.text()) => self.waivers.push(source),
                Ok(source) => self.scenarios.push((inside, source)),
                Err(mistakes) => self.mistakes.extend(mistakes),
            }
        }
        Ok(())
    }
}

fn is_profile(text: &str) -> bool {
    has(text, "profile:") && !has(text, "steps:")
}

fn has_waivers(text: &str) -> bool {
    has(text, "waivers:") && !has(text, "steps:")
}

fn has(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.starts_with(key))
}

/// Scenarios have steps, unit files a driver; a file that has neither is told by its name.
fn is_unit_file(path: &Path, text: &str) -> bool {
    let named = path
        .file_stem()
        .is_some_and(|name| name.to_string_lossy().contains("unit"));
    !has(text, "steps:") && (has(text, "driver:") || named)
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
