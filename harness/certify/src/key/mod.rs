//! Keys that sign certificates: ECDSA on P-256 and Ed25519, as PKCS#8 and SubjectPublicKeyInfo in PEM.

mod algorithm;
mod error;
mod files;
mod private_key;
mod public_key;

pub use algorithm::Algorithm;
pub use error::{KeyError, KeyFileError};
pub use files::{public_path, read_private, read_public, write_pair};
pub use private_key::PrivateKey;
pub use public_key::{PublicKey, SignatureError};
