//! What headers say of images. Images are shared by the instances of a run, so each is hashed once for each worker.

use hil_fault::Artifacts;
use hil_wire::digest::sha256_hex;
use serde_json::{Map, Value, json};
use std::{cell::RefCell, sync::Arc};

/// Digests of images that are still in use.
#[derive(Default)]
pub(crate) struct ArtifactFacts {
    known: RefCell<Vec<(Arc<[u8]>, String)>>,
}

impl ArtifactFacts {
    /// Name, version, size and digest by role.
    pub(crate) fn of(&self, artifacts: &Artifacts) -> Map<String, Value> {
        let facts = artifacts.0.iter().map(|(role, artifact)| {
            let facts = json!({
                "name": artifact.name,
                "version": artifact.version,
                "size": artifact.bytes.len(),
                "sha256": self.digest(&artifact.bytes),
            });
            (role.clone(), facts)
        });
        facts.collect()
    }

    fn digest(&self, bytes: &Arc<[u8]>) -> String {
        let mut known = self.known.borrow_mut();
        if let Some((_, digest)) = known.iter().find(|(other, _)| Arc::ptr_eq(other, bytes)) {
            return digest.clone();
        }
        // What nobody else holds is gone.
        known.retain(|(other, _)| Arc::strong_count(other) > 1);
        let digest = sha256_hex(bytes);
        known.push((bytes.clone(), digest.clone()));
        digest
    }
}
