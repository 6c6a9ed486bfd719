//! Why a key cannot be used.

use std::{io, path::PathBuf};

/// What is wrong with the text of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No PEM block of a key.
    #[error("there is no key in it; expected a PEM file that begins with `-----BEGIN {0}-----`")]
    Missing(&'static str),
    /// The wrong half of the pair.
    #[error(
        "it is a private key; expected the public one, which `hil keygen` writes beside it as `KEY.pub.pem`"
    )]
    Private,
    /// The wrong half of the pair.
    #[error("it is a public key; expected the private one, which signs")]
    Public,
    /// PKCS#8 under a password.
    #[error(
        "it is encrypted; take the password away with `openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out NEW.pem`"
    )]
    Encrypted,
    /// PKCS#1 or SEC 1.
    #[error("it is not PKCS#8; convert it with `openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out NEW.pem`")]
    OtherFormat,
    /// Another algorithm or curve.
    #[error("its algorithm is {0}; expected ECDSA on P-256 or Ed25519")]
    Algorithm(String),
    /// The DER inside is broken.
    #[error("it is broken: {0}")]
    Broken(String),
}

/// Why a file of a key could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The disk, a missing file, permissions.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there already.
    #[error("{} is there already; keys are never overwritten", .0.display())]
    Exists(PathBuf),
    /// No usable key is in it.
    #[error("{}: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    NoRandom,
}
