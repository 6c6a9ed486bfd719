//! The small vocabulary and catalogue these tests speak, apart from the real ones that grow.

use hil_scenario::{Vocabulary, load_directory, read_catalogue};
use hil_trace::Catalogue;
use std::path::PathBuf;

pub(crate) fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

pub(crate) fn vocabulary() -> Vocabulary {
    Vocabulary::read(load_directory(&folder("vocabulary")).unwrap()).unwrap_or_else(|d| panic!("{d}"))
}

#[allow(dead_code, reason = "not every test reads requirements")]
pub(crate) fn catalogue() -> Catalogue {
    let files = load_directory(&folder("requirements")).unwrap();
    read_catalogue(files).unwrap_or_else(|d| panic!("{d}")).0
}
