//! Keys on disk.

use super::{KeyFileError, PrivateKey, PublicKey};
use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Where the public half of a key is written: `KEY.pub.pem` beside `KEY.pem`.
pub fn public_path(private: &Path) -> PathBuf {
    match private.extension() {
        Some(extension) if extension == "pem" => private.with_extension("pub.pem"),
        _ => {
            let mut name = private.as_os_str().to_owned();
            name.push(".pub.pem");
            name.into()
        }
    }
}

/// Writes a key with mode 0600 and its public half beside it; neither may be there. Returns the public half's path.
pub fn write_pair(path: &Path, key: &PrivateKey) -> Result<PathBuf, KeyFileError> {
    let broken = |source| KeyFileError::Key {
        path: path.to_owned(),
        source,
    };
    let private = key.to_pem().map_err(broken)?;
    let public = key.public().and_then(|key| key.to_pem()).map_err(broken)?;
    let beside = public_path(path);
    if beside.symlink_metadata().is_ok() {
        return Err(KeyFileError::Exists(beside));
    }
    create(path, private.as_bytes(), 0o600)?;
    if let Err(error) = create(&beside, public.as_bytes(), 0o644) {
        // Half a pair is of no use, and would stand in the way.
        let _ = fs::remove_file(path);
        return Err(error);
    }
    Ok(beside)
}

/// Reads a private key.
pub fn read_private(path: &Path) -> Result<PrivateKey, KeyFileError> {
    PrivateKey::from_pem(&read(path)?).map_err(|source| KeyFileError::Key {
        path: path.to_owned(),
        source,
    })
}

/// Reads a public key.
pub fn read_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    PublicKey::from_pem(&read(path)?).map_err(|source| KeyFileError::Key {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<String, KeyFileError> {
    let bytes = fs::read(path).map_err(|source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = fs::remove_file(path);
        }
        written
    });
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => KeyFileError::Io {
            path: path.to_owned(),
            source,
        },
    })
}
