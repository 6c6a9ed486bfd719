//! Digests of the files beside a certificate.

use ring::digest::{Context, SHA256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The journal.
pub const JOURNAL: &str = "journal.jsonl";
/// The folder of its side files.
pub const PAYLOADS: &str = "payloads";
/// The certificate.
pub const CERTIFICATE: &str = "certificate.dsse.json";
/// Reports, which are signed for as they are.
pub const REPORTS: [&str; 4] = ["junit.xml", "report.html", "report.json", "summary.md"];

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Hex SHA-256 of a file.
pub fn sha256_of_file(path: &Path) -> Result<String, FileError> {
    let failed = |source| FileError {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(hex::encode(context.finish())),
            read => context.update(&buffer[..read]),
        }
    }
}

/// Hex SHA-256 of bytes.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(ring::digest::digest(&SHA256, bytes))
}

/// Hex SHA-256 over a list: every name and digest on a line of its own, as `sha256sum` writes them, in the order of names.
pub(crate) fn sha256_of_list(list: &BTreeMap<String, String>) -> String {
    let lines: String = list
        .iter()
        .map(|(name, digest)| format!("{digest}  {name}\n"))
        .collect();
    sha256(lines.as_bytes())
}

/// Name and hex SHA-256 of every side file of a journal.
pub(crate) fn payloads(directory: &Path) -> Result<BTreeMap<String, String>, FileError> {
    let folder = directory.join(PAYLOADS);
    let failed = |source| FileError {
        path: folder.clone(),
        source,
    };
    let mut found = BTreeMap::new();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.insert(name, sha256_of_file(&entry.path())?);
    }
    Ok(found)
}
