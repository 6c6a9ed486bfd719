//! Builds a firmware archive from a manifest and the bytes of its parts.

use super::{
    manifest::{MANIFEST_NAME, Manifest, Part},
    zip::{Member, SIGNATURE_FIELD, write_zip},
};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Collects parts; [`ArchiveBuilder::members`] gives the members for changing before they are written.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchiveBuilder {
    /// The manifest, parts included.
    pub manifest: Manifest,
    /// Directory all member names are put in.
    pub directory: Option<String>,
    /// `sig0` to `sig7` and free attributes for the extra field of the manifest.
    pub signatures: Option<Map<String, Value>>,
    /// Bytes of the members behind the manifest, by name.
    pub data: IndexMap<String, Vec<u8>>,
}

impl ArchiveBuilder {
    /// An archive without parts.
    pub fn new(platform: &str, version: &str, build_id: &str) -> Self {
        ArchiveBuilder {
            manifest: Manifest {
                platform: platform.to_owned(),
                version: version.to_owned(),
                build_id: build_id.to_owned(),
                ..Manifest::default()
            },
            directory: None,
            signatures: None,
            data: IndexMap::new(),
        }
    }

    /// Adds a part named `name` of type `kind`, its bytes in the member `src`, with size and both digests.
    #[must_use]
    pub fn part(mut self, name: &str, kind: &str, src: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.manifest
            .parts
            .insert(name.to_owned(), Part::of(kind, src, &bytes));
        self.data.insert(src.to_owned(), bytes);
        self
    }

    /// The members in order: the manifest, then the data of the parts.
    pub fn members(&self) -> Vec<Member> {
        let name = |name: &str| match &self.directory {
            Some(directory) => format!("{directory}/{name}"),
            None => name.to_owned(),
        };
        let mut manifest = Member::stored(name(MANIFEST_NAME), self.manifest.to_value().to_string());
        if let Some(signatures) = &self.signatures {
            let json = Value::Object(signatures.clone()).to_string();
            manifest = manifest.with_extra(SIGNATURE_FIELD, json.as_bytes());
        }
        std::iter::once(manifest)
            .chain(
                self.data
                    .iter()
                    .map(|(src, bytes)| Member::stored(name(src), bytes.clone())),
            )
            .collect()
    }

    /// The archive.
    pub fn build(&self) -> Vec<u8> {
        write_zip(&self.members())
    }
}
