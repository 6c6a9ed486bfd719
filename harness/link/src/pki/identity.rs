//! A party's certificates and key, and what a certificate says of its holder.

use super::PkiError;
use hil_trace::CertificateFacts;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::fmt;

/// Certificates of one party, PEM.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Certificate chain, leaf first.
    pub certificate_chain: String,
    /// Private key, PKCS#8.
    pub private_key: String,
}

impl Identity {
    /// What the leaf certificate says.
    pub fn facts(&self) -> Result<CertificateFacts, PkiError> {
        let leaf = CertificateDer::from_pem_slice(self.certificate_chain.as_bytes());
        certificate_facts(&leaf.map_err(|_| PkiError::NotACertificate)?)
    }
}

/// Keys are not shown.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("certificate_chain", &self.certificate_chain)
            .finish_non_exhaustive()
    }
}

/// What a certificate (DER) says of its holder.
pub fn certificate_facts(der: &[u8]) -> Result<CertificateFacts, PkiError> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| PkiError::NotACertificate)?;
    let subject = certificate.subject();
    let common_name = subject
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok());
    let serial = certificate.raw_serial();
    let significant = serial.iter().position(|byte| *byte != 0).unwrap_or(serial.len());
    Ok(CertificateFacts {
        common_name: common_name.unwrap_or_default().to_owned(),
        subject: subject.to_string(),
        serial: hex::encode(&serial[significant..]),
    })
}
