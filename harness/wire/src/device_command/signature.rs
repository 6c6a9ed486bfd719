//! Command signatures: their text form, what they cover, and when they are needed (reference section 6).

use super::{CommandObject, FetchedCommand, Parameters, ResetType, canonical_json};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use std::{fmt, str::FromStr};

/// A signature as text: `hmac-sha256:<64 hex>` or `ed25519:<base64 of 64 bytes>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// HMAC with the key of the device.
    HmacSha256([u8; 32]),
    /// Ed25519; this crate reads and writes it, checking needs a key library.
    Ed25519([u8; 64]),
}

impl Signature {
    /// Signs with a device key.
    pub fn hmac(key: &[u8], input: &[u8]) -> Signature {
        Signature::HmacSha256(mac(key, input).finalize().into_bytes().into())
    }

    /// True if it is an HMAC of the input with this key; takes the same time for every wrong signature.
    pub fn verify_hmac(&self, key: &[u8], input: &[u8]) -> bool {
        match self {
            Signature::HmacSha256(bytes) => mac(key, input).verify_slice(bytes).is_ok(),
            Signature::Ed25519(_) => false,
        }
    }
}

/// Why a text is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Empty text.
    #[error("the signature is empty")]
    Empty,
    /// Neither `hmac-sha256:` nor `ed25519:`.
    #[error("the signature has an unknown format")]
    UnknownFormat,
    /// Not 64 hex digits, or not 64 bytes in base64.
    #[error("the signature is malformed")]
    Malformed,
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        if text.is_empty() {
            return Err(SignatureError::Empty);
        }
        match text.split_once(':') {
            Some(("hmac-sha256", digits)) => {
                let mut bytes = [0; 32];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| SignatureError::Malformed)?;
                Ok(Signature::HmacSha256(bytes))
            }
            Some(("ed25519", encoded)) => {
                let bytes = STANDARD.decode(encoded).map_err(|_| SignatureError::Malformed)?;
                let bytes = bytes.try_into().map_err(|_| SignatureError::Malformed)?;
                Ok(Signature::Ed25519(bytes))
            }
            _ => Err(SignatureError::UnknownFormat),
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signature::HmacSha256(bytes) => write!(f, "hmac-sha256:{}", hex::encode(bytes)),
            Signature::Ed25519(bytes) => write!(f, "ed25519:{}", STANDARD.encode(bytes)),
        }
    }
}

/// What the signature of an issue request covers: canonical JSON of device, timestamp and the command without
/// its signature.
pub fn signing_input(device_id: &str, timestamp: &str, command: &CommandObject) -> Vec<u8> {
    let unsigned = CommandObject {
        signature: None,
        ..command.clone()
    };
    let covered = json!({"device_id": device_id, "timestamp": timestamp, "command": unsigned});
    canonical_json(&covered).into_bytes()
}

/// The same, rebuilt from a fetched command; the cloud's own members are not covered.
pub fn fetched_signing_input(device_id: &str, fetched: &FetchedCommand) -> Vec<u8> {
    signing_input(device_id, &fetched.issued_at, &fetched.command)
}

/// Which commands need a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SignaturePolicy {
    /// Every command.
    Required,
    /// Firmware updates, factory resets, and restarts that drop the configuration.
    #[default]
    Destructive,
    /// None, but one that is there has to fit.
    IfPresent,
    /// None, and none is checked.
    Off,
}

impl SignaturePolicy {
    /// True if a command with these parameters has to be signed.
    pub fn requires(self, parameters: &Parameters) -> bool {
        match self {
            SignaturePolicy::Required => true,
            SignaturePolicy::Destructive => is_destructive(parameters),
            SignaturePolicy::IfPresent | SignaturePolicy::Off => false,
        }
    }

    /// True if a signature that is there has to fit.
    pub fn checks(self) -> bool {
        self != SignaturePolicy::Off
    }
}

fn is_destructive(parameters: &Parameters) -> bool {
    match parameters {
        Parameters::FirmwareUpdate { .. } => true,
        Parameters::BcgmcuReset { reset_type, .. } => *reset_type == ResetType::Factory,
        Parameters::SystemRestart { preserve_config, .. } => !preserve_config,
        _ => false,
    }
}

fn mac(key: &[u8], input: &[u8]) -> Hmac<Sha256> {
    // a key of any length is legal for HMAC, so this never falls back
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(input);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_formats_and_no_other() {
        let hmac = format!("hmac-sha256:{}", "0a".repeat(32));
        let ed25519 = format!("ed25519:{}", STANDARD.encode([7; 64]));
        for text in [hmac, ed25519] {
            assert_eq!(text.parse::<Signature>().unwrap().to_string(), text);
        }
        for (text, error) in [
            ("", SignatureError::Empty),
            ("none:", SignatureError::UnknownFormat),
            ("HMAC-SHA256:00", SignatureError::UnknownFormat),
            ("hmac-sha256:00", SignatureError::Malformed),
            ("ed25519:AAAA", SignatureError::Malformed),
        ] {
            assert_eq!(text.parse::<Signature>(), Err(error), "{text}");
        }
    }

    #[test]
    fn verifies_what_it_signs() {
        let signature = Signature::hmac(b"key", b"input");
        assert!(signature.verify_hmac(b"key", b"input"));
        assert!(!signature.verify_hmac(b"key", b"inpuT") && !signature.verify_hmac(b"kez", b"input"));
        assert!(!Signature::Ed25519([0; 64]).verify_hmac(b"key", b"input"));
    }
}
