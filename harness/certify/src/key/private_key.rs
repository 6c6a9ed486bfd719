//! The half of a key that signs.

use super::{Algorithm, KeyError, PublicKey};
use ed25519::{
    KeypairBytes,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, spki::der::pem::LineEnding},
};
use p256::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::PrivateKeyInfo,
};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};

/// A private key.
pub struct PrivateKey(Secret);

enum Secret {
    EcdsaP256(SigningKey),
    Ed25519 {
        seed: [u8; 32],
        pair: Box<Ed25519KeyPair>,
    },
}

impl PrivateKey {
    /// A new key from the system's random numbers; none if it has none.
    pub fn generate(algorithm: Algorithm) -> Option<PrivateKey> {
        let random = SystemRandom::new();
        // Nearly every 32 bytes are a key.
        for _ in 0..ATTEMPTS {
            let mut bytes = [0; 32];
            random.fill(&mut bytes).ok()?;
            let key = match algorithm {
                Algorithm::EcdsaP256 => SigningKey::from_slice(&bytes).ok().map(Secret::EcdsaP256),
                Algorithm::Ed25519 => ed25519(bytes, None).ok(),
            };
            if let Some(key) = key {
                return Some(PrivateKey(key));
            }
        }
        None
    }

    /// A key from PKCS#8 in PEM; text around it is passed over.
    pub fn from_pem(text: &str) -> Result<PrivateKey, KeyError> {
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(KeyError::Encrypted);
        }
        match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(key)) => PrivateKey::from_pkcs8(key.secret_pkcs8_der()),
            Ok(_) => Err(KeyError::OtherFormat),
            Err(_) if text.contains("BEGIN PUBLIC KEY") => Err(KeyError::Public),
            Err(rustls_pki_types::pem::Error::NoItemsFound) => Err(KeyError::Missing("PRIVATE KEY")),
            Err(error) => Err(KeyError::Broken(error.to_string())),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
        let broken = |error: p256::pkcs8::Error| KeyError::Broken(error.to_string());
        let info = PrivateKeyInfo::try_from(der).map_err(broken)?;
        let secret = match Algorithm::of(&info.algorithm)? {
            Algorithm::EcdsaP256 => Secret::EcdsaP256(SigningKey::from_pkcs8_der(der).map_err(broken)?),
            Algorithm::Ed25519 => {
                let pair = KeypairBytes::from_pkcs8_der(der).map_err(broken)?;
                ed25519(pair.secret_key, pair.public_key.map(|key| key.0))?
            }
        };
        Ok(PrivateKey(secret))
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Secret::EcdsaP256(_) => Algorithm::EcdsaP256,
            Secret::Ed25519 { .. } => Algorithm::Ed25519,
        }
    }

    /// PKCS#8 in PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let broken = |error: p256::pkcs8::Error| KeyError::Broken(error.to_string());
        let pem = match &self.0 {
            Secret::EcdsaP256(key) => key.to_pkcs8_pem(LineEnding::LF).map_err(broken)?,
            // Without the public key: version 1, which everybody reads.
            Secret::Ed25519 { seed, .. } => KeypairBytes {
                secret_key: *seed,
                public_key: None,
            }
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(broken)?,
        };
        Ok(pem.to_string())
    }

    /// The half that verifies.
    pub fn public(&self) -> Result<PublicKey, KeyError> {
        match &self.0 {
            Secret::EcdsaP256(key) => PublicKey::ecdsa_p256(*key.verifying_key()),
            Secret::Ed25519 { pair, .. } => PublicKey::ed25519(pair.public_key().as_ref()),
        }
    }

    /// The signature of a message; the same message has the same signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::EcdsaP256(key) => {
                let signature: Signature = key.sign(message);
                // Of the two that are valid, the one with the small number is the only one taken.
                let signature = signature.normalize_s().unwrap_or(signature);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::Ed25519 { pair, .. } => pair.sign(message).as_ref().to_vec(),
        }
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm())
    }
}

fn ed25519(seed: [u8; 32], public: Option<[u8; 32]>) -> Result<Secret, KeyError> {
    let pair = match public {
        Some(public) => Ed25519KeyPair::from_seed_and_public_key(&seed, &public),
        None => Ed25519KeyPair::from_seed_unchecked(&seed),
    };
    let pair = pair.map_err(|error| KeyError::Broken(error.to_string()))?;
    let pair = Box::new(pair);
    Ok(Secret::Ed25519 { seed, pair })
}

const ATTEMPTS: u32 = 8;
