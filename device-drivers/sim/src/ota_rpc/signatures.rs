//! Which signatures an archive needs, and which of those it has are good (reference section 5).

use super::intake::Refusal;
use crate::{Flash, Setup};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_unit::UnitError;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Map, Value, json};
use x509_parser::{prelude::FromDer, x509::SubjectPublicKeyInfo};

/// The signatures a board demands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SignaturePolicy {
    /// One bit for each key whose signature has to be good; with none nothing is taken, `None` asks for nothing.
    mask: Option<u8>,
    /// Keys by place, each the DER of a public key; empty = no key.
    keys: Vec<Vec<u8>>,
}

/// Puts the declared mask and the keys of the cloud into flash.
pub(super) fn provision(
    state: &Map<String, Value>,
    setup: &Setup,
    flash: &mut Flash,
) -> Result<(), UnitError> {
    let mask = match state.get("sig_req_mask") {
        None | Some(Value::Null) => return Ok(()),
        Some(value) => value.as_i64().filter(|mask| (-1..=0xff).contains(mask)),
    };
    let mask = mask.ok_or_else(|| UnitError::BadArgument {
        name: "sig_req_mask".into(),
        problem: "must be -1, or up to 255 with one bit for each key".into(),
    })?;
    let keys: Vec<&str> = (0..KEYS)
        .map(|index| setup.endpoints.get(&format!("update_key{index}")))
        .collect();
    flash
        .write(FILE, json!({"sig_req_mask": mask, "keys": keys}).to_string())
        .map_err(|error| UnitError::Lab(error.to_string()))
}

impl SignaturePolicy {
    /// The settings in flash, for a board that says this of itself; one that checks no signatures asks for none.
    pub(super) fn load(flash: &Flash, said: &Map<String, Value>) -> SignaturePolicy {
        let settings: Option<Value> = flash
            .read(FILE)
            .and_then(|bytes| serde_json::from_slice(bytes).ok());
        let (Some(settings), true) = (settings, said.get("signatures") != Some(&Value::Bool(false))) else {
            return SignaturePolicy::default();
        };
        let keys = settings["keys"].as_array().into_iter().flatten();
        let key = |key: &Value| STANDARD.decode(key.as_str()?).ok();
        SignaturePolicy {
            // Negative: nothing is required.
            mask: settings["sig_req_mask"]
                .as_i64()
                .and_then(|mask| u8::try_from(mask).ok()),
            keys: keys.map(|text| key(text).unwrap_or_default()).collect(),
        }
    }

    /// Checks the signatures of a manifest with these bytes.
    pub(super) fn check(
        &self,
        manifest: &[u8],
        signatures: Option<&Map<String, Value>>,
    ) -> Result<(), Refusal> {
        let Some(required) = self.mask else {
            return Ok(());
        };
        if required == 0 {
            return Err(Refusal::NoUpdates);
        }
        let is_good = |index: &usize| {
            let text = signatures.and_then(|signatures| signatures.get(&format!("sig{index}")));
            let signature = text.and_then(|text| STANDARD.decode(text.as_str()?).ok());
            let key = self.keys.get(*index);
            signature
                .zip(key)
                .is_some_and(|(signature, key)| verifies(key, manifest, &signature))
        };
        let good = (0..KEYS)
            .filter(is_good)
            .fold(0u8, |good, index| good | 1 << index);
        match good & required == required {
            true => Ok(()),
            false => Err(Refusal::Signature { required, good }),
        }
    }
}

/// Whether a signature, ECDSA P-256 over SHA-256 in DER, was made by the key with this DER.
fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    SubjectPublicKeyInfo::from_der(key).is_ok_and(|(_, key)| {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.subject_public_key.data)
            .verify(message, signature)
            .is_ok()
    })
}

const FILE: &str = "state/signatures";
/// Places for keys.
const KEYS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
    };

    fn key_pair() -> EcdsaKeyPair {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
    }

    fn policy(mask: i64, keys: [&EcdsaKeyPair; 2]) -> SignaturePolicy {
        let mut setup = Setup::default();
        for (index, key) in keys.into_iter().enumerate() {
            // Algorithm and curve in DER (RFC 5480), then the point.
            let head = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
            let der = [&head[..], key.public_key().as_ref()].concat();
            let name = format!("update_key{index}");
            setup.endpoints.set(&name, STANDARD.encode(der));
        }
        let mut flash = Flash::default();
        let state = json!({"sig_req_mask": mask});
        provision(state.as_object().unwrap(), &setup, &mut flash).unwrap();
        SignaturePolicy::load(&flash, &Map::new())
    }

    #[test]
    fn every_bit_of_the_mask_has_to_verify_and_none_means_no_updates() {
        let (first, second, stranger) = (key_pair(), key_pair(), key_pair());
        let sign = |key: &EcdsaKeyPair, text: &[u8]| {
            let signature = key.sign(&SystemRandom::new(), text).unwrap();
            Value::from(STANDARD.encode(signature.as_ref()))
        };
        let text = b"manifest";
        let (one, two) = (sign(&first, text), sign(&second, text));
        let both = json!({"sig0": one, "sig1": two});
        for (mask, signatures, accepted) in [
            (-1, json!({}), true),
            (0, both.clone(), false),
            (1, both.clone(), true),
            (2, both.clone(), true),
            (3, both.clone(), true),
            (7, both, false),
            (1, json!({}), false),
            (1, json!({"sig1": two}), false),
            (3, json!({"sig0": one}), false),
            (1, json!({"sig0": two}), false),
            (1, json!({"sig0": sign(&stranger, text)}), false),
            (1, json!({"sig0": sign(&first, b"other")}), false),
            (1, json!({"sig0": "no base64"}), false),
        ] {
            let checked = policy(mask, [&first, &second]).check(text, signatures.as_object());
            assert_eq!(checked.is_ok(), accepted, "{mask} {signatures}: {checked:?}");
        }
        assert!(policy(1, [&first, &second]).check(text, None).is_err());
    }

    #[test]
    fn a_board_without_the_feature_asks_for_nothing() {
        let mut flash = Flash::default();
        let state = json!({"sig_req_mask": 0});
        provision(state.as_object().unwrap(), &Setup::default(), &mut flash).unwrap();
        let said = json!({"signatures": false});
        let policy = SignaturePolicy::load(&flash, said.as_object().unwrap());
        assert_eq!(policy, SignaturePolicy::default());
        let wrong = json!({"sig_req_mask": 256});
        assert!(provision(wrong.as_object().unwrap(), &Setup::default(), &mut flash).is_err());
    }
}
