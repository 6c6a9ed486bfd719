//! An authority kept in a folder, so that real units need to learn to trust it only once.

use super::{Authority, PkiError, serial::mix};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Why a kept authority could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The kept files are not an authority; removing the folder makes a new one.
    #[error("{} holds no usable authority ({error}); remove it to have a new one made", directory.display())]
    Unusable {
        /// The folder.
        directory: PathBuf,
        /// Why.
        error: PkiError,
    },
    /// Only one of certificate and key is there: what was issued with the other would be trusted no more.
    #[error("{} must hold both {CERTIFICATE} and {KEY}; put back the missing one, or remove the folder to have new ones made", directory.display())]
    Half {
        /// The folder.
        directory: PathBuf,
    },
    /// A new one could not be made.
    #[error(transparent)]
    New(#[from] PkiError),
}

impl Authority {
    /// The authority of a folder (`authority.pem`, `authority.key`), made there if it has none. Each load counts in
    /// the file `loads`, and the count goes into the serial numbers, so that no run repeats those of another.
    pub fn load_or_create(
        directory: &Path,
        name: &str,
        clock_unix_us: i64,
        seed: u64,
    ) -> Result<Self, StoreError> {
        let file = |name: &str| directory.join(name);
        fs::create_dir_all(directory).map_err(at(directory))?;
        let loads = read(&file(LOADS))?
            .and_then(|text| text.trim().parse::<u64>().ok())
            .unwrap_or(0);
        let seed = if loads == 0 { seed } else { seed ^ mix(loads) };
        let authority = match (read(&file(CERTIFICATE))?, read(&file(KEY))?) {
            (Some(certificate), Some(key)) => {
                Authority::from_pem(&certificate, &key, seed).map_err(|error| StoreError::Unusable {
                    directory: directory.to_owned(),
                    error,
                })?
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err(StoreError::Half {
                    directory: directory.to_owned(),
                });
            }
            (None, None) => {
                let authority = Authority::new(name, clock_unix_us, seed)?;
                let key = authority.private_key_pem();
                write_private(&file(KEY), key.as_bytes()).map_err(at(&file(KEY)))?;
                let certificate = authority.authority_pem().as_bytes();
                write_private(&file(CERTIFICATE), certificate).map_err(at(&file(CERTIFICATE)))?;
                authority
            }
        };
        write_private(&file(LOADS), format!("{}\n", loads + 1).as_bytes()).map_err(at(&file(LOADS)))?;
        Ok(authority)
    }
}

/// Writes a file only its owner can read (mode 0600), whole or not at all.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    // A left-over with other rights must not be reused.
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    let written = file.write_all(contents).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn read(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::File { path, error }
}

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority.key";
const LOADS: &str = "loads";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, pki::Validity};
    use std::os::unix::fs::PermissionsExt;

    const NOW: i64 = Clock::VIRTUAL_EPOCH_US;

    #[test]
    fn an_authority_survives_and_never_repeats_a_serial() {
        let directory = tempfile::tempdir().unwrap();
        let load = || Authority::load_or_create(directory.path(), "bench", NOW, 1).unwrap();
        let (first, second) = (load(), load());
        assert_eq!(first.authority_pem(), second.authority_pem());
        let serial = |authority: &Authority| {
            let identity = authority.issue_server(&["cloud"], Validity::usual(NOW)).unwrap();
            identity.facts().unwrap().serial
        };
        assert_ne!(serial(&first), serial(&second));
        for name in [CERTIFICATE, KEY, LOADS] {
            let mode = fs::metadata(directory.path().join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        Authority::load_or_create(directory.path(), "bench", NOW, 1).unwrap();
        let other = Authority::new("other", NOW, 1).unwrap();
        fs::write(directory.path().join(KEY), other.private_key_pem()).unwrap();
        let refused = Authority::load_or_create(directory.path(), "bench", NOW, 1);
        assert!(matches!(refused, Err(StoreError::Unusable { .. })));
        fs::write(directory.path().join(KEY), "nonsense").unwrap();
        let refused = Authority::load_or_create(directory.path(), "bench", NOW, 1);
        assert!(matches!(refused, Err(StoreError::Unusable { .. })));
    }
}
