//! Opening a blob (reference section 5.3): checksum of the transfer, decryption, signature up to the unit's authority,
//! digest of the content.

use super::defects;
use crate::Setup;
use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7};
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_wire::{
    aos::{BlobInfo, DecryptInfo, DesiredStatus, SignInfo},
    digest::sha256_tagged,
    timestamp,
};
use ring::signature::{self, UnparsedPublicKey};
use sha3::{Digest, Sha3_256};
use x509_parser::{certificate::X509Certificate, prelude::FromDer, time::ASN1Time};

/// Why a blob is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// Size or checksum of what was transferred.
    #[error("the transferred bytes have another checksum")]
    Transfer,
    /// It cannot be decrypted.
    #[error("the blob cannot be decrypted")]
    Cipher,
    /// Chain unknown, not of the authority, or signature wrong.
    #[error("the signature of the blob is not valid")]
    Signature,
    /// The content has another digest.
    #[error("blob digest mismatch")]
    Digest,
}

/// The content of a blob, if everything about it is right.
pub(super) fn open(
    digest: &str,
    transferred: &[u8],
    info: &BlobInfo,
    desired: &DesiredStatus,
    setup: &Setup,
) -> Result<Vec<u8>, Refusal> {
    let verifies = !setup.has(defects::BLOBS_UNVERIFIED);
    let checksum = hex::encode(Sha3_256::digest(transferred));
    let differs = transferred.len() as u64 != info.size || !checksum.eq_ignore_ascii_case(&info.sha256);
    if differs && verifies {
        return Err(Refusal::Transfer);
    }
    let content = match &info.decrypt_info {
        Some(decrypt) => decrypted(transferred, decrypt).ok_or(Refusal::Cipher)?,
        None => transferred.to_vec(),
    };
    if let Some(sign) = &info.sign_info
        && !setup.has(defects::SIGNATURES_UNVERIFIED)
        && verifies
    {
        let authority = &setup.endpoints.authority;
        verify(&content, sign, desired, authority).ok_or(Refusal::Signature)?;
    }
    if sha256_tagged(&content) != digest.to_ascii_lowercase() && verifies {
        return Err(Refusal::Digest);
    }
    Ok(content)
}

fn decrypted(transferred: &[u8], info: &DecryptInfo) -> Option<Vec<u8>> {
    let key = STANDARD.decode(&info.block_key).ok()?;
    let iv = STANDARD.decode(&info.block_iv).ok()?;
    let unpadded = |result: Result<Vec<u8>, _>| result.ok();
    match key.len() {
        16 => unpadded(
            cbc::Decryptor::<aes::Aes128>::new_from_slices(&key, &iv)
                .ok()?
                .decrypt_padded_vec_mut::<Pkcs7>(transferred),
        ),
        24 => unpadded(
            cbc::Decryptor::<aes::Aes192>::new_from_slices(&key, &iv)
                .ok()?
                .decrypt_padded_vec_mut::<Pkcs7>(transferred),
        ),
        _ => unpadded(
            cbc::Decryptor::<aes::Aes256>::new_from_slices(&key, &iv)
                .ok()?
                .decrypt_padded_vec_mut::<Pkcs7>(transferred),
        ),
    }
}

fn verify(content: &[u8], info: &SignInfo, desired: &DesiredStatus, authority: &str) -> Option<()> {
    let chain = desired.certificate_chains.iter().flatten();
    let chain = chain.into_iter().find(|chain| chain.name == info.chain_name)?;
    let mut ders = Vec::new();
    for fingerprint in &chain.fingerprints {
        let known = desired.certificates.iter().flatten();
        let mut known = known.filter(|known| known.fingerprint.eq_ignore_ascii_case(fingerprint));
        ders.push(STANDARD.decode(&known.next()?.certificate).ok()?);
    }
    let certificates: Vec<X509Certificate<'_>> = ders
        .iter()
        .map(|der| {
            X509Certificate::from_der(der)
                .ok()
                .map(|(_, certificate)| certificate)
        })
        .collect::<Option<_>>()?;
    let (_, root) = x509_parser::pem::parse_x509_pem(authority.as_bytes()).ok()?;
    let root = root.parse_x509().ok()?;
    let at = timestamp::parse(&info.trusted_timestamp)?
        .unix_micros
        .div_euclid(1_000_000);
    let at = ASN1Time::from_timestamp(at).ok()?;
    // Each certificate is signed by the next one, or by the unit's authority, which ends the chain.
    let mut links = certificates.iter().peekable();
    while let Some(certificate) = links.next() {
        if !certificate.validity().is_valid_at(at) {
            return None;
        }
        if certificate.verify_signature(Some(root.public_key())).is_ok() {
            break;
        }
        certificate
            .verify_signature(Some(links.peek()?.public_key()))
            .ok()?;
    }
    let key = &certificates.first()?.public_key().subject_public_key.data;
    let value = STANDARD.decode(&info.value).ok()?;
    let mut parts = info.alg.split('/').map(str::to_ascii_uppercase);
    let (_, hash, padding) = (parts.next(), parts.next(), parts.next());
    let pss = padding.as_deref() == Some("PSS");
    let algorithm = match (hash.as_deref(), pss) {
        (Some("SHA256"), false) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (Some("SHA384"), false) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (Some("SHA512"), false) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (Some("SHA256"), true) => &signature::RSA_PSS_2048_8192_SHA256,
        (Some("SHA384"), true) => &signature::RSA_PSS_2048_8192_SHA384,
        (Some("SHA512"), true) => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    };
    UnparsedPublicKey::new(algorithm, key)
        .verify(content, &value)
        .ok()
}
