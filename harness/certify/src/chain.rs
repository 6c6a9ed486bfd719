//! X.509 certificates of a key, from its own up to, but without, the authority everybody knows.

use crate::{KeyError, PublicKey};
use rustls_pki_types::{
    CertificateDer, UnixTime,
    pem::{self, PemObject},
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// Certificates, the key's own first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateChain(Vec<CertificateDer<'static>>);

/// Why certificates cannot be used, or do not lead to an authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No PEM block of a certificate.
    #[error("there is no certificate in it; expected PEM that begins with `-----BEGIN CERTIFICATE-----`")]
    Missing,
    /// Broken PEM or DER.
    #[error("a certificate is broken: {0}")]
    Broken(String),
    /// The key in the first certificate cannot be used.
    #[error("the key of the first certificate cannot be used: {0}")]
    Key(KeyError),
    /// The certificate is not for signing.
    #[error("the certificate `{0}` is not for signing: its key usage has no digitalSignature")]
    KeyUsage(String),
    /// No path from the certificate to an authority.
    #[error("the certificate `{subject}` is not good under these authorities: {reason}")]
    NotTrusted {
        /// Who the certificate is for.
        subject: String,
        /// What is wrong.
        reason: String,
    },
}

impl CertificateChain {
    /// Certificates of a PEM file, the key's own first.
    pub fn from_pem(text: &[u8]) -> Result<CertificateChain, ChainError> {
        let found: Result<Vec<CertificateDer<'static>>, pem::Error> =
            CertificateDer::pem_slice_iter(text).collect();
        let chain = CertificateChain(found.map_err(|error| ChainError::Broken(error.to_string()))?);
        if chain.0.is_empty() {
            return Err(ChainError::Missing);
        }
        for certificate in &chain.0 {
            parsed(certificate)?;
        }
        Ok(chain)
    }

    /// The same from one PEM text each.
    pub(crate) fn from_pems(pems: &[Vec<u8>]) -> Result<CertificateChain, ChainError> {
        CertificateChain::from_pem(&pems.join(&b'\n'))
    }

    /// One PEM text each, always of the same form.
    pub fn to_pems(&self) -> Vec<String> {
        let encode = |certificate: &CertificateDer<'static>| {
            use base64::{Engine, engine::general_purpose::STANDARD};
            let body = STANDARD.encode(certificate);
            let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
            for line in body.as_bytes().chunks(64) {
                pem.push_str(&String::from_utf8_lossy(line));
                pem.push('\n');
            }
            pem + "-----END CERTIFICATE-----\n"
        };
        self.0.iter().map(encode).collect()
    }

    /// Who the key belongs to, as its certificate says.
    pub fn subject(&self) -> String {
        let leaf = self.0.first();
        let parsed = leaf.and_then(|leaf| parsed(leaf).ok());
        parsed.map_or_else(String::new, |certificate| certificate.subject().to_string())
    }

    /// The key of the first certificate; nothing is verified.
    pub fn key(&self) -> Result<PublicKey, ChainError> {
        let leaf = self.0.first().ok_or(ChainError::Missing)?;
        PublicKey::from_spki(parsed(leaf)?.public_key().raw).map_err(ChainError::Key)
    }

    /// The key, if there is a path from its certificate to one of the authorities at that time (seconds since 1970), and
    /// the certificate is for signing: `digitalSignature` if it has a key usage, code signing if it has an extended one.
    pub fn verify(&self, authorities: &CertificateChain, at: u64) -> Result<PublicKey, ChainError> {
        let leaf = self.0.first().ok_or(ChainError::Missing)?;
        let subject = self.subject();
        let not_trusted = |reason: String| ChainError::NotTrusted {
            subject: subject.clone(),
            reason,
        };
        let usage = parsed(leaf)?
            .key_usage()
            .map_err(|error| ChainError::Broken(error.to_string()))?
            .map(|usage| usage.value.digital_signature());
        if usage == Some(false) {
            return Err(ChainError::KeyUsage(subject.clone()));
        }
        let mut anchors = Vec::new();
        for authority in &authorities.0 {
            let anchor = anchor_from_trusted_cert(authority);
            anchors.push(anchor.map_err(|error| ChainError::Broken(error.to_string()))?);
        }
        let end = EndEntityCert::try_from(leaf).map_err(|error| not_trusted(error.to_string()))?;
        end.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &self.0[1..],
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(at)),
            KeyUsage::required_if_present(CODE_SIGNING),
            None,
            None,
        )
        .map_err(|error| not_trusted(error.to_string()))?;
        self.key()
    }
}

fn parsed<'c>(certificate: &'c CertificateDer<'_>) -> Result<X509Certificate<'c>, ChainError> {
    match X509Certificate::from_der(certificate) {
        Ok(([], parsed)) => Ok(parsed),
        Ok(_) => Err(ChainError::Broken("bytes follow it".to_owned())),
        Err(error) => Err(ChainError::Broken(error.to_string())),
    }
}

/// `id-kp-codeSigning`, 1.3.6.1.5.5.7.3.3.
const CODE_SIGNING: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 3];
