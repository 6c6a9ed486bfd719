//! Digests of the files a unit is started with, so that a certificate can say what was tested.

use ring::digest::{Context, SHA256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// What a file was when it was hashed: its path, inode, size and the nanosecond it was changed.
type Known = (PathBuf, u64, u64, i64, i64);

/// Hashed once for all instances, as long as the file stays the same.
static HASHED: Mutex<BTreeMap<Known, String>> = Mutex::new(BTreeMap::new());

/// Hex SHA-256 of a file; none if it cannot be read.
pub(crate) fn sha256_of_file(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let facts = fs::metadata(&path).ok()?;
    let known = (
        path.clone(),
        facts.ino(),
        facts.len(),
        facts.mtime(),
        facts.mtime_nsec(),
    );
    let mut hashed = HASHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(digest) = hashed.get(&known) {
        return Some(digest.clone());
    }
    let digest = hash(&path).ok()?;
    hashed.insert(known, digest.clone());
    Some(digest)
}

fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => context.update(&buffer[..read]),
        }
    }
    Ok(context
        .finish()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::sha256_of_file;
    use std::fs;

    #[test]
    fn a_file_that_changed_has_another_digest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent");
        fs::write(&path, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of_file(&path).as_deref(), Some(abc));
        fs::write(&path, "abcd").unwrap();
        assert_ne!(sha256_of_file(&path).as_deref(), Some(abc));
        assert_eq!(sha256_of_file(&folder.path().join("nothing")), None);
    }
}
