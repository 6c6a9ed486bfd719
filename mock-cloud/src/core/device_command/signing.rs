//! Signatures of commands (reference section 6): the keys of the unit, signing as its issuer, checking what issuers sign.

use crate::settings::CloudSettings;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::device_command::Signature;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// Keys that commands of one unit are signed with.
pub(super) struct SigningKeys {
    /// The key the unit shares with its issuers; its text is the key.
    pub(super) hmac: String,
    seed: [u8; 32],
    public: Vec<u8>,
}

impl SigningKeys {
    /// Keys of the options `hmac_key` and `ed25519_public_key` (base64, of an issuer that signs for itself), or made up.
    pub(super) fn new(settings: &CloudSettings) -> Self {
        let made = |what: &str| Sha256::digest(format!("{what} key {}", settings.seed));
        let seed: [u8; 32] = made("ed25519").into();
        let given = settings.text("ed25519_public_key");
        SigningKeys {
            hmac: settings
                .text("hmac_key")
                .map_or_else(|| format!("{:x}", made("hmac")), str::to_owned),
            public: given
                .and_then(|text| STANDARD.decode(text).ok())
                .or_else(|| Some(pair(&seed)?.public_key().as_ref().to_vec()))
                .unwrap_or_default(),
            seed,
        }
    }

    /// The public Ed25519 key in base64, 32 bytes.
    pub(super) fn ed25519_public(&self) -> String {
        STANDARD.encode(&self.public)
    }

    /// The private Ed25519 key in base64, 32 bytes.
    pub(super) fn ed25519_private(&self) -> String {
        STANDARD.encode(self.seed)
    }

    /// An HMAC of the input.
    pub(super) fn sign_hmac(&self, input: &[u8]) -> Signature {
        Signature::hmac(self.hmac.as_bytes(), input)
    }

    /// An HMAC of the input with the key of some other unit.
    pub(super) fn sign_as_other_unit(&self, input: &[u8]) -> Signature {
        Signature::hmac(format!("{}, of another unit", self.hmac).as_bytes(), input)
    }

    /// An Ed25519 signature of the input; zeros if the key cannot sign, which fit nothing.
    pub(super) fn sign_ed25519(&self, input: &[u8]) -> Signature {
        let signed = pair(&self.seed).map(|pair| pair.sign(input));
        let bytes = signed.and_then(|signature| signature.as_ref().try_into().ok());
        Signature::Ed25519(bytes.unwrap_or([0; 64]))
    }

    /// True if a signature fits the input, by whichever of the two keys its form names.
    pub(super) fn fits(&self, signature: &Signature, input: &[u8]) -> bool {
        match signature {
            Signature::HmacSha256(_) => signature.verify_hmac(self.hmac.as_bytes(), input),
            Signature::Ed25519(bytes) => UnparsedPublicKey::new(&ED25519, &self.public)
                .verify(input, bytes)
                .is_ok(),
        }
    }
}

impl fmt::Debug for SigningKeys {
    /// Shows no key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys")
    }
}

fn pair(seed: &[u8; 32]) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).ok()
}
