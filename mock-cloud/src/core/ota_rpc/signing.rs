//! Signatures of firmware archives (reference section 5): keys chosen by the seed of a run, good signatures, and wrong
//! ones.

use super::variant::{VariantError, take_apart};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::ota_rpc::archive::ArchiveBuilder;
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer},
    pkcs8::EncodePublicKey,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{fmt, sync::OnceLock};

/// Keys of one run: the unit is told the public halves of the first ones, and nobody knows the last.
pub(super) struct SigningKeys {
    known: [SigningKey; KNOWN],
    stranger: SigningKey,
    /// The public halves of those known, in DER, in Base64.
    told: [String; KNOWN],
}

/// How an archive is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    /// By every key the unit knows; one that came signed stays as it is.
    Good,
    /// Not at all.
    Not,
    /// By keys the unit does not know.
    ByOthers,
    /// Well, and its manifest was changed afterwards.
    ThenChanged,
    /// By the right keys, but what they signed is the first part.
    ForMember,
    /// Well, but for one signature, from 0, that is not there.
    Without(usize),
}

impl Signed {
    /// The word of the vocabulary.
    pub(super) fn parse(word: &str) -> Option<Signed> {
        Some(match word {
            "good" => Signed::Good,
            "none" => Signed::Not,
            "other_key" => Signed::ByOthers,
            "changed_since" => Signed::ThenChanged,
            "of_member" => Signed::ForMember,
            "without_sig0" => Signed::Without(0),
            "without_sig1" => Signed::Without(1),
            _ => return None,
        })
    }
}

impl SigningKeys {
    /// The keys of a run. There are only a few sets, each made once: thousands of repeats need theirs at once, and making
    /// keys takes longer than everything else in them.
    pub(super) fn of(seed: u64) -> &'static Self {
        static SETS: [OnceLock<SigningKeys>; 4] = [const { OnceLock::new() }; 4];
        let number = seed % SETS.len() as u64;
        SETS[number as usize].get_or_init(|| SigningKeys::drawn(number))
    }

    fn drawn(number: u64) -> Self {
        let known = std::array::from_fn(|index| key(number, index));
        let told = |key: &SigningKey| {
            let der = key.verifying_key().to_public_key_der();
            der.map_or_else(|_| String::new(), |der| STANDARD.encode(der.as_bytes()))
        };
        SigningKeys {
            told: known.each_ref().map(told),
            known,
            stranger: key(number, KNOWN),
        }
    }

    /// What a unit has to know, by setting: `update_key0` and so on, each a public key in DER, in Base64.
    pub(super) fn settings(&self) -> impl Iterator<Item = (String, String)> {
        let told = self.told.iter().enumerate();
        told.map(|(index, text)| (format!("update_key{index}"), text.clone()))
    }

    /// The archive, signed so; `was_told`: the unit knows the keys. What came signed is left alone or spoilt.
    pub(super) fn sign(
        &self,
        archive: &[u8],
        signed: Signed,
        was_told: bool,
    ) -> Result<Vec<u8>, VariantError> {
        let mut builder = take_apart(archive).ok_or(VariantError::NoArchive)?;
        let came_signed = is_signed(&builder);
        if signed == Signed::Good && came_signed {
            return Ok(archive.to_vec());
        }
        if signed == Signed::Good && !was_told {
            return Err(VariantError::NoKey);
        }
        let manifest = builder.manifest.to_value().to_string();
        if !came_signed || matches!(signed, Signed::ByOthers | Signed::ForMember) {
            let subject = match signed {
                Signed::ForMember => builder.data.values().next().map_or(&[][..], Vec::as_slice),
                _ => manifest.as_bytes(),
            };
            let signatures = match signed {
                Signed::ByOthers => signatures([&self.stranger; KNOWN], subject),
                _ => signatures(self.known.each_ref(), subject),
            };
            builder.signatures = Some(signatures);
        }
        match signed {
            Signed::Not => builder.signatures = None,
            Signed::ThenChanged => builder.manifest.build_id.push_str(CHANGED),
            Signed::Without(index) => {
                let signatures = builder.signatures.as_mut();
                signatures.and_then(|signatures| signatures.shift_remove(&name(index)));
            }
            Signed::Good | Signed::ByOthers | Signed::ForMember => {}
        }
        Ok(builder.build())
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKeys")
    }
}

/// `sig0` and so on, one by each key.
fn signatures(keys: [&SigningKey; KNOWN], subject: &[u8]) -> Map<String, Value> {
    let of = |(index, key): (usize, &SigningKey)| {
        let signature: DerSignature = key.sign(subject);
        (name(index), STANDARD.encode(signature.as_bytes()).into())
    };
    keys.into_iter().enumerate().map(of).collect()
}

fn name(index: usize) -> String {
    format!("sig{index}")
}

fn is_signed(builder: &ArchiveBuilder) -> bool {
    let signatures = builder.signatures.as_ref();
    signatures.is_some_and(|signatures| (0..SLOTS).any(|index| signatures.contains_key(&name(index))))
}

/// One key; nearly every 32 bytes are one.
fn key(set: u64, index: usize) -> SigningKey {
    let mut secret = Sha256::digest(format!("update key {index} of {set}"));
    loop {
        match SigningKey::from_slice(&secret) {
            Ok(key) => return key,
            Err(_) => secret = Sha256::digest(secret),
        }
    }
}

/// Keys a unit is told.
const KNOWN: usize = 2;
/// Signatures an archive can have.
const SLOTS: usize = 8;
const CHANGED: &str = "-changed";

#[cfg(test)]
mod tests {
    use super::*;
    use hil_wire::ota_rpc::archive::{ArchiveEvent, ArchiveReader, Checks};
    use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

    fn archive() -> Vec<u8> {
        ArchiveBuilder::new("esp32", "2.0", "b/2")
            .part("app", "app", "app.bin", vec![7; 300])
            .build()
    }

    /// The signatures of the archive that another implementation finds good, by the keys of their places.
    fn verified(archive: &[u8], keys: &SigningKeys) -> Vec<usize> {
        let events = ArchiveReader::new(Checks::default()).push(archive).unwrap();
        let [
            ArchiveEvent::Manifest {
                bytes, signatures, ..
            },
            ..,
        ] = &events[..]
        else {
            panic!("no manifest: {events:?}");
        };
        let signatures = signatures.clone().unwrap_or_default();
        let good = |(index, (_, key)): (usize, (String, String))| {
            let der = STANDARD.decode(key).unwrap();
            // The point ends the DER of a key of this curve.
            let point = &der[der.len() - 65..];
            let signature = STANDARD.decode(signatures.get(&name(index))?.as_str()?).ok()?;
            let verified = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(bytes, &signature);
            verified.is_ok().then_some(index)
        };
        keys.settings().enumerate().filter_map(good).collect()
    }

    #[test]
    fn only_a_good_archive_has_every_signature() {
        let keys = SigningKeys::drawn(7);
        for (signed, good) in [
            (Signed::Good, vec![0, 1]),
            (Signed::Not, vec![]),
            (Signed::ByOthers, vec![]),
            (Signed::ThenChanged, vec![]),
            (Signed::ForMember, vec![]),
            (Signed::Without(0), vec![1]),
            (Signed::Without(1), vec![0]),
        ] {
            let made = keys.sign(&archive(), signed, true).unwrap();
            assert_eq!(verified(&made, &keys), good, "{signed:?}");
        }
        assert_eq!(
            keys.sign(b"text", Signed::Good, true),
            Err(VariantError::NoArchive)
        );
    }

    #[test]
    fn keys_are_those_of_the_seed() {
        let keys = |seed| SigningKeys::drawn(seed).settings().collect::<Vec<_>>();
        assert_eq!(keys(7), keys(7));
        assert_ne!(keys(7), keys(8));
        assert!(keys(7)[0].1.starts_with("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"));
    }

    #[test]
    fn what_came_signed_is_left_alone_or_spoilt() {
        let (vendor, ours) = (SigningKeys::drawn(1), SigningKeys::drawn(2));
        let came = vendor.sign(&archive(), Signed::Good, true).unwrap();
        assert_eq!(ours.sign(&came, Signed::Good, false), Ok(came.clone()));
        assert_eq!(
            ours.sign(&archive(), Signed::Good, false),
            Err(VariantError::NoKey)
        );
        for (signed, good) in [
            (Signed::Not, vec![]),
            (Signed::ByOthers, vec![]),
            (Signed::ThenChanged, vec![]),
            (Signed::ForMember, vec![]),
            (Signed::Without(0), vec![1]),
        ] {
            let made = ours.sign(&came, signed, false).unwrap();
            assert_eq!(verified(&made, &vendor), good, "{signed:?}");
        }
    }
}
