//! The public key in a certificate request (PKCS #10, RFC 2986), as far into its DER as that takes.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The contents of SubjectPublicKeyInfo; `None` if this is no PEM of a request.
pub(super) fn request_key(pem: &str) -> Option<Vec<u8>> {
    let lines = pem.lines().map(str::trim);
    let base64: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(base64).ok()?;
    let (request, _) = contents(&der)?;
    let (info, _) = contents(request)?;
    let (_version, rest) = contents(info)?;
    let (_subject, rest) = contents(rest)?;
    let (key, _) = contents(rest)?;
    Some(key.to_vec())
}

/// The contents of the first element, and what follows it.
fn contents(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match length {
        0..=127 => (usize::from(length), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = bytes.iter().try_fold(0_usize, |sum, byte| {
                sum.checked_mul(256)?.checked_add(usize::from(*byte))
            })?;
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}
