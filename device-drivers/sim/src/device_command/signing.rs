//! The keys a unit checks signatures of commands with (reference section 6).

use base64::{Engine, engine::general_purpose::STANDARD};
use hil_unit::Endpoints;
use hil_wire::device_command::Signature;
use ring::signature::{ED25519, UnparsedPublicKey};

/// A key shared with the issuers, and their public key; a missing one fits nothing.
#[derive(Clone, Debug)]
pub(super) struct SigningKeys {
    hmac: String,
    issuer: Option<Vec<u8>>,
}

impl SigningKeys {
    /// The settings `hmac_key` and `ed25519_public_key` (base64).
    pub(super) fn new(endpoints: &Endpoints) -> Self {
        let issuer = endpoints.get("ed25519_public_key");
        SigningKeys {
            hmac: endpoints.get("hmac_key").to_owned(),
            issuer: STANDARD.decode(issuer).ok().filter(|key| !key.is_empty()),
        }
    }

    /// True if a signature fits what it should cover.
    pub(super) fn fit(&self, signature: &Signature, input: &[u8]) -> bool {
        match (signature, &self.issuer) {
            (Signature::HmacSha256(_), _) => {
                !self.hmac.is_empty() && signature.verify_hmac(self.hmac.as_bytes(), input)
            }
            (Signature::Ed25519(bytes), Some(issuer)) => UnparsedPublicKey::new(&ED25519, issuer)
                .verify(input, bytes)
                .is_ok(),
            (Signature::Ed25519(_), None) => false,
        }
    }
}
