//! Images the user gives, by role.

use super::UnitFile;
use crate::{Artifact, Artifacts};
use hil_diagnostic::{Collector, Diagnostics};
use std::{fs, path::Path};

/// Roles an image can have. Others are made from these by faults.
pub const ROLES: [&str; 10] = [
    "current",
    "next",
    "older",
    "crash",
    "hang",
    "mute",
    "other_platform",
    "oversize",
    "big",
    "second",
];

/// The role of an image that is of another item than those of the other roles.
pub const OTHER_ITEM: &str = "second";

/// Where an image is and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactFile {
    /// Its file; relative to the unit file.
    pub path: String,
    /// Name of the package or application.
    pub name: String,
    /// Version it carries; empty if only the image itself says.
    pub version: String,
}

impl ArtifactFile {
    /// Name and version from a file name of the form `name_version.ext` or `name_version_platform.ext`; version is
    /// `None` if the file name is of another form.
    pub(super) fn from_file_name(path: &str) -> (String, Option<String>) {
        let file = path.rsplit('/').next().unwrap_or(path);
        let mut parts = file.splitn(3, '_');
        let name = parts.next().unwrap_or_default();
        match parts.next() {
            None => (
                file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned(),
                None,
            ),
            Some(second) => {
                let last = parts.next().is_none();
                let version = if last { without_extension(second) } else { second };
                let usable = version.starts_with(|c: char| c.is_ascii_digit());
                (name.to_owned(), usable.then(|| version.to_owned()))
            }
        }
    }
}

impl UnitFile {
    /// Reads the images. `base` is the folder of the unit file. Every image that cannot be read is reported.
    pub fn load_artifacts(&self, base: &Path) -> Result<Artifacts, Diagnostics> {
        let collector = Collector::new(self.source.clone());
        let mut artifacts = Artifacts::default();
        for (role, file) in &self.artifacts {
            match fs::read(base.join(&file.path)) {
                Ok(bytes) => {
                    let artifact = Artifact {
                        name: file.name.clone(),
                        version: file.version.clone(),
                        bytes: bytes.into(),
                    };
                    artifacts.0.insert(role.clone(), artifact);
                }
                Err(error) => {
                    let title = format!("the image of role `{role}` cannot be read");
                    let place = self.place(&format!("artifacts.{role}"));
                    collector.error(&place, title, error.to_string(), None);
                }
            }
        }
        if collector.is_empty() {
            Ok(artifacts)
        } else {
            Err(collector.into_diagnostics())
        }
    }
}

/// `1.2.0` of `1.2.0.zip`: an extension begins with a letter.
fn without_extension(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((stem, extension)) if extension.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            // `.tar.gz` has two.
            stem.strip_suffix(".tar").unwrap_or(stem)
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_tell_name_and_version() {
        for (path, name, version) in [
            ("images/edge-agent_1.2.0_amd64.snap", "edge-agent", Some("1.2.0")),
            ("edge-agent_1.2.0.snap", "edge-agent", Some("1.2.0")),
            ("fw_2.0.tar.gz", "fw", Some("2.0")),
            ("fw_7", "fw", Some("7")),
            ("fw_new.zip", "fw", None),
            ("fw-1.2.zip", "fw-1.2", None),
            ("image", "image", None),
        ] {
            let expected = (name.to_owned(), version.map(str::to_owned));
            assert_eq!(ArtifactFile::from_file_name(path), expected, "{path}");
        }
    }
}
