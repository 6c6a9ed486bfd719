//! Firmware images and packages by role.

use std::{collections::BTreeMap, sync::Arc};

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Name of the package or application.
    pub name: String,
    /// Version it carries.
    pub version: String,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

/// Images by role: `current`, `next`, `older`, `crash`, `hang`, `mute`, `other_platform`, `oversize`, and derived
/// ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifacts(pub BTreeMap<String, Artifact>);

impl Artifacts {
    /// The image of a role.
    pub fn get(&self, role: &str) -> Option<&Artifact> {
        self.0.get(role)
    }
}
