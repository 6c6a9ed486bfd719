//! Hashes what judges: the sources of monitors, of views and message types, and of the judgement of steps. Certificates
//! name that digest, so that two builds that judge alike are told from two that need not. Also builds anew when a
//! profile comes, goes or changes.

use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders of sources, relative to this crate.
const JUDGES: [&str; 6] = [
    "../monitor/src",
    "../wire/src",
    "../trace/src",
    "../runner/src/judge",
    "../runner/src/repeats",
    "../runner/src/coverage.rs",
];

fn main() {
    println!("cargo::rerun-if-changed=../../scenarios/profiles");
    let mut files = Vec::new();
    for place in JUDGES {
        println!("cargo::rerun-if-changed={place}");
        collect(Path::new(place), &mut files);
    }
    files.sort();
    let mut digest = Sha256::new();
    for path in &files {
        let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.to_string_lossy().replace('\\', "/");
        for part in [name.as_bytes(), &text[..]] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    println!(
        "cargo::rustc-env=HIL_JUDGES_SHA256={}",
        hex::encode(digest.finalize())
    );
    println!("cargo::rustc-env=HIL_JUDGES_FILES={}", files.len());
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_file() {
        files.push(place.to_owned());
        return;
    }
    let entries = fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
