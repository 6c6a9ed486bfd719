//! The signed envelope: DSSE v1.0 with one signature, in one accepted form of bytes.

use crate::{
    CertificateChain, PrivateKey, PublicKey, SignatureError,
    canonical::{canonical, parse_canonical},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// The payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A payload and its one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The statement's bytes.
    pub payload: Vec<u8>,
    /// Name of the key: hex SHA-256 of its SubjectPublicKeyInfo.
    pub key_id: String,
    signature: Vec<u8>,
    /// X.509 certificates of the key, if they are attached.
    pub chain: Option<CertificateChain>,
}

/// Why bytes are no envelope, or not a good one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Other bytes than the one accepted form.
    #[error("its bytes are not the one accepted form: {0}")]
    NotCanonical(String),
    /// JSON of another shape.
    #[error("it is no DSSE envelope with one signature: {0}")]
    Shape(String),
    /// Another type of payload.
    #[error("its payload is `{0}`; expected `{PAYLOAD_TYPE}`")]
    PayloadType(String),
    /// Another key.
    #[error("it was signed by key {found}, and this is key {expected}")]
    OtherKey {
        /// Name in the envelope.
        found: String,
        /// Name of the key at hand.
        expected: String,
    },
    /// The signature is not good.
    #[error("its signature is not good: {0}")]
    Signature(SignatureError),
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(
        payload: Vec<u8>,
        key: &PrivateKey,
        public: &PublicKey,
        chain: Option<CertificateChain>,
    ) -> Envelope {
        Envelope {
            signature: key.sign(&pre_authentication_encoding(&payload)),
            key_id: public.id(),
            payload,
            chain,
        }
    }

    /// The accepted form: canonical JSON, standard base64, one newline at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let chain = self
            .chain
            .as_ref()
            .map(CertificateChain::to_pems)
            .unwrap_or_default();
        let mut pems = chain.iter().map(|pem| STANDARD.encode(pem));
        let written = Written {
            payload: STANDARD.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![WrittenSignature {
                keyid: self.key_id.clone(),
                sig: STANDARD.encode(&self.signature),
                certificate: pems.next(),
                intermediates: pems.collect(),
            }],
        };
        let mut bytes = canonical(&written);
        bytes.push(b'\n');
        bytes
    }

    /// Reads an envelope in its accepted form; nothing is verified yet.
    pub fn from_bytes(bytes: &[u8]) -> Result<Envelope, EnvelopeError> {
        let Some(json) = bytes.strip_suffix(b"\n") else {
            let why = "it does not end with one newline".to_owned();
            return Err(EnvelopeError::NotCanonical(why));
        };
        let value = parse_canonical(json).map_err(EnvelopeError::NotCanonical)?;
        let shape = |error: String| EnvelopeError::Shape(error);
        let written: Written = serde_json::from_value(value).map_err(|error| shape(error.to_string()))?;
        let [signature] = &written.signatures[..] else {
            return Err(shape(format!("it has {} signatures", written.signatures.len())));
        };
        if written.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType(written.payload_type));
        }
        let decode = |name: &str, text: &str| {
            let decoded = STANDARD.decode(text);
            decoded.map_err(|error| EnvelopeError::NotCanonical(format!("`{name}` is no base64: {error}")))
        };
        let pems = signature.certificate.iter().chain(&signature.intermediates);
        let pems: Vec<Vec<u8>> = pems
            .map(|pem| decode("certificate", pem))
            .collect::<Result<_, _>>()?;
        let chain = match pems.is_empty() {
            true => None,
            false => Some(CertificateChain::from_pems(&pems).map_err(|error| shape(error.to_string()))?),
        };
        let envelope = Envelope {
            payload: decode("payload", &written.payload)?,
            key_id: signature.keyid.clone(),
            signature: decode("sig", &signature.sig)?,
            chain,
        };
        if envelope.to_bytes() == bytes {
            Ok(envelope)
        } else {
            let why = "written anew it has other bytes".to_owned();
            Err(EnvelopeError::NotCanonical(why))
        }
    }

    /// Verifies the signature and the name of the key.
    pub fn verify(&self, key: &PublicKey) -> Result<(), EnvelopeError> {
        if self.key_id != key.id() {
            return Err(EnvelopeError::OtherKey {
                found: self.key_id.clone(),
                expected: key.id(),
            });
        }
        key.verify(&pre_authentication_encoding(&self.payload), &self.signature)
            .map_err(EnvelopeError::Signature)
    }
}

/// What is signed: `DSSEv1`, type and payload, each after its length.
fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    payload: String,
    payload_type: String,
    signatures: Vec<WrittenSignature>,
}

/// DSSE lets signatures have more members; those for certificates are named as in-toto's witness names them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    keyid: String,
    sig: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    intermediates: Vec<String>,
}
