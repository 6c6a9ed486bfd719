//! Digests as the protocols write them.

use sha2::{Digest, Sha256};

/// Lower-case hex SHA-256 of some bytes.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// `sha256:<64 hex>` of some bytes.
pub fn sha256_tagged(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256_hex(bytes))
}

/// Why a tagged checksum cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// Empty text.
    #[error("the checksum is empty")]
    Empty,
    /// Not `sha256:`.
    #[error("`{0}` is not a supported checksum algorithm; sha256 is")]
    UnknownAlgorithm(String),
    /// Not 64 hex digits.
    #[error("a sha256 checksum has 64 hex digits")]
    Malformed,
}

/// The 32 bytes of a `sha256:<64 hex>` checksum; hex of either case.
pub fn parse_sha256(text: &str) -> Result<[u8; 32], ChecksumError> {
    if text.is_empty() {
        return Err(ChecksumError::Empty);
    }
    let (algorithm, digits) = text.split_once(':').unwrap_or((text, ""));
    if algorithm != "sha256" {
        return Err(ChecksumError::UnknownAlgorithm(algorithm.to_owned()));
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| ChecksumError::Malformed)?;
    Ok(bytes)
}
