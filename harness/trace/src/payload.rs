//! Raw bytes inside a record.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::sync::Arc;

/// Payloads up to this many bytes stand in the journal line; larger ones in a side file.
pub const INLINE_LIMIT: usize = 16 * 1024;

/// Bytes as they were on the wire.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// The bytes themselves.
    Bytes(Arc<[u8]>),
    /// Kept in a side file of the journal, named by its SHA-256.
    Stored {
        /// Lower-case hex SHA-256, the file's name.
        sha256: String,
        /// Number of bytes.
        length: u64,
    },
}

impl Payload {
    /// No bytes.
    pub fn empty() -> Self {
        Payload::Bytes(Arc::from([]))
    }

    /// The bytes; empty if they are kept elsewhere and were not loaded.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Payload::Bytes(bytes) => bytes,
            Payload::Stored { .. } => &[],
        }
    }

    /// Number of bytes, wherever they are.
    pub fn length(&self) -> u64 {
        match self {
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Stored { length, .. } => *length,
        }
    }
}

impl<T: AsRef<[u8]>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Payload::Bytes(Arc::from(bytes.as_ref()))
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Payload::Bytes(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Payload::Stored { sha256, length } => write!(f, "<{length} bytes, sha256 {sha256}>"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Text(String),
    Base64(String),
    Stored { sha256: String, length: u64 },
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Borrowed<'a> {
            Text(&'a str),
            Base64(String),
            Stored { sha256: &'a str, length: u64 },
        }
        match self {
            Payload::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Borrowed::Text(text),
                Err(_) => Borrowed::Base64(STANDARD.encode(bytes)),
            },
            Payload::Stored { sha256, length } => Borrowed::Stored {
                sha256,
                length: *length,
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => text.as_bytes().into(),
            Form::Base64(text) => STANDARD.decode(text).map_err(D::Error::custom)?.into(),
            Form::Stored { sha256, length } => Payload::Stored { sha256, length },
        })
    }
}
