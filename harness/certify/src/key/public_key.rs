//! The half of a key that verifies.

use super::{Algorithm, KeyError};
use ed25519::{
    PublicKeyBytes,
    pkcs8::{DecodePublicKey, EncodePublicKey},
};
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::{
        AlgorithmIdentifierRef, ObjectIdentifier,
        spki::{SubjectPublicKeyInfoRef, der::pem::LineEnding},
    },
};
use ring::{digest, signature};
use rustls_pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    verifier: VerifierOf,
    /// SubjectPublicKeyInfo in its usual form.
    spki: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum VerifierOf {
    EcdsaP256(VerifyingKey),
    Ed25519([u8; 32]),
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not what the algorithm writes.
    #[error("it is no {0} signature in its one accepted form")]
    Malformed(Algorithm),
    /// Another key made it, or it is of other bytes.
    #[error("it was not made by this key over these bytes")]
    Mismatch,
}

impl PublicKey {
    /// A key from SubjectPublicKeyInfo in PEM; text around it is passed over.
    pub fn from_pem(text: &str) -> Result<PublicKey, KeyError> {
        match SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()) {
            Ok(spki) => PublicKey::from_spki(spki.as_ref()),
            Err(_) if text.contains("PRIVATE KEY-----") => Err(KeyError::Private),
            Err(rustls_pki_types::pem::Error::NoItemsFound) => Err(KeyError::Missing("PUBLIC KEY")),
            Err(error) => Err(KeyError::Broken(error.to_string())),
        }
    }

    /// A key from SubjectPublicKeyInfo in DER.
    pub fn from_spki(der: &[u8]) -> Result<PublicKey, KeyError> {
        let broken = |error: p256::pkcs8::spki::Error| KeyError::Broken(error.to_string());
        let info =
            SubjectPublicKeyInfoRef::try_from(der).map_err(|error| KeyError::Broken(error.to_string()))?;
        match Algorithm::of(&info.algorithm)? {
            Algorithm::EcdsaP256 => {
                PublicKey::ecdsa_p256(VerifyingKey::from_public_key_der(der).map_err(broken)?)
            }
            Algorithm::Ed25519 => {
                let key = PublicKeyBytes::from_public_key_der(der).map_err(broken)?;
                PublicKey::ed25519(&key.0)
            }
        }
    }

    pub(super) fn ecdsa_p256(key: VerifyingKey) -> Result<PublicKey, KeyError> {
        let spki = key
            .to_public_key_der()
            .map_err(|error| KeyError::Broken(error.to_string()))?;
        Ok(PublicKey {
            verifier: VerifierOf::EcdsaP256(key),
            spki: spki.as_bytes().to_vec(),
        })
    }

    pub(super) fn ed25519(bytes: &[u8]) -> Result<PublicKey, KeyError> {
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|_| KeyError::Broken("an Ed25519 key has 32 bytes".to_owned()))?;
        let spki = PublicKeyBytes(bytes)
            .to_public_key_der()
            .map_err(|error| KeyError::Broken(error.to_string()))?;
        Ok(PublicKey {
            verifier: VerifierOf::Ed25519(bytes),
            spki: spki.as_bytes().to_vec(),
        })
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match self.verifier {
            VerifierOf::EcdsaP256(_) => Algorithm::EcdsaP256,
            VerifierOf::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Its name in envelopes: hex SHA-256 of its SubjectPublicKeyInfo.
    pub fn id(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, &self.spki))
    }

    /// SubjectPublicKeyInfo in PEM.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let broken = |error: p256::pkcs8::spki::Error| KeyError::Broken(error.to_string());
        match &self.verifier {
            VerifierOf::EcdsaP256(key) => key.to_public_key_pem(LineEnding::LF).map_err(broken),
            VerifierOf::Ed25519(bytes) => PublicKeyBytes(*bytes)
                .to_public_key_pem(LineEnding::LF)
                .map_err(broken),
        }
    }

    /// Whether this key signed these bytes. Every message has one accepted signature of each kind and key: of ECDSA the one
    /// with the small second number, in DER.
    pub fn verify(&self, message: &[u8], bytes: &[u8]) -> Result<(), SignatureError> {
        match &self.verifier {
            VerifierOf::EcdsaP256(key) => {
                let malformed = SignatureError::Malformed(Algorithm::EcdsaP256);
                let signature = Signature::from_der(bytes).map_err(|_| malformed)?;
                let is_one_form = signature.normalize_s().is_none() && signature.to_der().as_bytes() == bytes;
                if !is_one_form {
                    return Err(malformed);
                }
                key.verify(message, &signature)
                    .map_err(|_| SignatureError::Mismatch)
            }
            VerifierOf::Ed25519(key) => signature::UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(message, bytes)
                .map_err(|_| match bytes.len() {
                    64 => SignatureError::Mismatch,
                    _ => SignatureError::Malformed(Algorithm::Ed25519),
                }),
        }
    }
}

impl Algorithm {
    pub(super) fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Algorithm, KeyError> {
        if identifier.oid == ED25519 {
            return Ok(Algorithm::Ed25519);
        }
        if identifier.oid != EC {
            return Err(KeyError::Algorithm(named(identifier.oid)));
        }
        match identifier.parameters_oid() {
            Ok(P256) => Ok(Algorithm::EcdsaP256),
            Ok(curve) => Err(KeyError::Algorithm(format!("ECDSA on {}", named(curve)))),
            Err(_) => Err(KeyError::Algorithm("ECDSA on an unnamed curve".to_owned())),
        }
    }
}

/// A word for what people have by mistake, else the number.
fn named(oid: ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => "RSA".to_owned(),
        "1.3.132.0.34" => "P-384".to_owned(),
        "1.3.132.0.35" => "P-521".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        number => number.to_owned(),
    }
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
