//! The folder a cloud keeps its data in: databases, keys made once, certificates. One process at a time.

use hil_link::pki::{Identity, write_private};
use hil_mock_cloud::SqliteStore;
use hil_wire::Protocol;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The folder, locked.
pub(super) struct DataFolder {
    path: PathBuf,
    keys: Keys,
    _lock: File,
}

/// What is made once, in `keys.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) unit_key: String,
    pub(super) admin_token: String,
    pub(super) publish_token: String,
    pub(super) seed: u64,
}

/// Files of one identity of the unit, by name of the setting that tells where they are.
pub(super) type IdentityFiles = BTreeMap<String, PathBuf>;

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("cannot keep data in {}: {error}; another folder can be given with --data", path.display())]
    Folder { path: PathBuf, error: io::Error },
    #[error("{} cannot be used: {error}; remove it to begin with an empty one", path.display())]
    Database {
        path: PathBuf,
        error: hil_mock_cloud::StoreError,
    },
    #[error("{} holds no usable certificate ({error}); remove it to have a new one made", path.display())]
    Certificate {
        path: PathBuf,
        error: hil_link::pki::PkiError,
    },
    #[error("{} is used by another `hil cloud`", .0.display())]
    InUse(PathBuf),
    #[error("{} is damaged ({error}); remove it to have new keys made", path.display())]
    Damaged { path: PathBuf, error: serde_json::Error },
    #[error("the system gives no random numbers")]
    Random,
}

impl DataFolder {
    /// Opens or makes the folder (mode 0700) and its keys (files 0600).
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        make(path)?;
        make(&path.join(PKI))?;
        let path = fs::canonicalize(path).map_err(at(path))?;
        let lock = private(&path.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
        }
        let file = path.join("keys.json");
        let keys = match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| DataError::Damaged {
                path: file.clone(),
                error,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let keys = Keys::new()?;
                let text = serde_json::to_vec_pretty(&keys).map_err(|error| DataError::Damaged {
                    path: file.clone(),
                    error,
                })?;
                write_private(&file, &text).map_err(at(&file))?;
                keys
            }
            Err(error) => return Err(at(&file)(error)),
        };
        Ok(DataFolder {
            path,
            keys,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The folder of the authority.
    pub(super) fn pki(&self) -> PathBuf {
        self.path.join(PKI)
    }

    /// The certificate of the authority, once a cloud has started.
    pub(super) fn authority_file(&self) -> PathBuf {
        self.pki().join("authority.pem")
    }

    /// The database of a protocol, in a file that is the owner's only.
    pub(super) fn database(&self, protocol: Protocol) -> Result<SqliteStore, DataError> {
        let path = self.path.join(format!("{protocol}.sqlite"));
        private(&path)?;
        SqliteStore::open(&path).map_err(|error| DataError::Database { path, error })
    }

    /// The file records of a protocol are appended to.
    pub(super) fn trace_file(&self, protocol: Protocol) -> Result<super::trace::TraceFile, DataError> {
        let file = private(&self.path.join("trace.jsonl"))?;
        Ok(super::trace::TraceFile::new(protocol, file))
    }

    /// Where the ports of the last start are.
    pub(super) fn ports_file(&self) -> PathBuf {
        self.path.join("ports.json")
    }

    /// Where the settings of a protocol's unit are.
    pub(super) fn environment_file(&self, protocol: Protocol) -> PathBuf {
        self.path.join(format!("{protocol}.env"))
    }

    /// Writes settings as `NAME=value` lines.
    pub(super) fn write_environment(
        &self,
        protocol: Protocol,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), DataError> {
        let lines: String = settings
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        let path = self.environment_file(protocol);
        write_private(&path, lines.as_bytes()).map_err(at(&path))
    }

    /// Writes the unit's certificates and keys unless they are there from an earlier start: the unit may hold them.
    pub(super) fn keep_identities(
        &self,
        protocol: Protocol,
        unit_id: &str,
        identities: &BTreeMap<String, Identity>,
    ) -> Result<IdentityFiles, DataError> {
        let mut files = IdentityFiles::new();
        for (name, identity) in identities {
            let certificate = self.identity_file(protocol, unit_id, name, "pem");
            let key = self.identity_file(protocol, unit_id, name, "key");
            if !(certificate.exists() && key.exists()) {
                write_private(&key, identity.private_key.as_bytes()).map_err(at(&key))?;
                write_private(&certificate, identity.certificate_chain.as_bytes())
                    .map_err(at(&certificate))?;
            } else {
                check_certificate(&certificate)?;
            }
            files.insert(format!("{name}_certificate_file"), certificate);
            files.insert(format!("{name}_key_file"), key);
        }
        Ok(files)
    }

    /// The certificate of an identity that an earlier cloud made, PEM.
    pub(super) fn kept_certificate(&self, protocol: Protocol, unit_id: &str, name: &str) -> Option<String> {
        std::fs::read_to_string(self.identity_file(protocol, unit_id, name, "pem")).ok()
    }

    fn identity_file(&self, protocol: Protocol, unit_id: &str, name: &str, extension: &str) -> PathBuf {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || "-_".contains(c) {
                c
            } else {
                '_'
            }
        };
        let unit: String = unit_id.chars().map(plain).collect();
        self.pki().join(format!("{protocol}-{unit}-{name}.{extension}"))
    }
}

impl Keys {
    fn new() -> Result<Keys, DataError> {
        let random = SystemRandom::new();
        let secret = |prefix: &str| {
            let mut bytes = [0; 16];
            random.fill(&mut bytes).map_err(|_| DataError::Random)?;
            Ok::<_, DataError>(format!("{prefix}{}", hex::encode(bytes)))
        };
        let mut seed = [0; 8];
        random.fill(&mut seed).map_err(|_| DataError::Random)?;
        Ok(Keys {
            unit_key: secret("hik_")?,
            admin_token: secret("")?,
            publish_token: secret("")?,
            seed: u64::from_le_bytes(seed) >> 1,
        })
    }
}

/// A certificate of an earlier start must still be one: the unit would be blamed for it.
fn check_certificate(path: &Path) -> Result<(), DataError> {
    let kept = Identity {
        certificate_chain: fs::read_to_string(path).map_err(at(path))?,
        private_key: String::new(),
    };
    let facts = kept.facts();
    facts.map(drop).map_err(|error| DataError::Certificate {
        path: path.to_owned(),
        error,
    })
}

/// Makes a folder only its owner can enter.
fn make(path: &Path) -> Result<(), DataError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| DataError::Folder {
        path: path.to_owned(),
        error,
    })
}

/// Opens a file for appending, made with mode 0600 if it is new.
fn private(path: &Path) -> Result<File, DataError> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    file.map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DataError {
    let path = path.to_owned();
    move |error| DataError::File { path, error }
}

const PKI: &str = "pki";
