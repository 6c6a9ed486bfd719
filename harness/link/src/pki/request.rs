//! Certificate signing requests (PKCS#10): made by simulated units, checked and signed by the authority.

use super::{Authority, PkiError, Subject, Validity, authority::client_parameters};
use rcgen::{CertificateParams, DistinguishedName, DnType, SubjectPublicKeyInfo};
use x509_parser::{
    certification_request::X509CertificationRequest, error::X509Error, prelude::FromDer, x509::X509Name,
};

/// A request and the fresh ECDSA P-256 key it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    /// The request, PEM.
    pub request: String,
    /// The private key, PKCS#8 PEM; stays with its owner.
    pub private_key: String,
}

impl CertificateRequest {
    /// A request for a subject, signed with its own new key.
    pub fn new(subject: &Subject) -> Result<Self, PkiError> {
        let key = super::authority::new_key()?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = subject.distinguished_name();
        let request = parameters.serialize_request(&key).map_err(PkiError::Signing)?;
        Ok(CertificateRequest {
            request: request.pem().map_err(PkiError::Signing)?,
            private_key: key.serialize_pem(),
        })
    }
}

/// Which subject a signed request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectPolicy {
    /// The one it asks for.
    AsRequested,
    /// The one it asks for, if its common name is this one.
    CommonName(String),
    /// This one, whatever it asks for.
    Replace(Subject),
}

/// A certificate made from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// Chain, leaf first, PEM.
    pub chain_pem: String,
    /// Serial number, lower-case hex.
    pub serial_hex: String,
}

/// Why a request was not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Not PEM with the label of a certificate request.
    #[error("not a certificate request in PEM: {0}")]
    NotPem(&'static str),
    /// The PEM block does not hold a PKCS#10 structure.
    #[error("not a PKCS#10 certificate request")]
    Malformed,
    /// It is not signed with the key it is for, or was changed after.
    #[error("the signature of the certificate request does not verify")]
    Signature,
    /// Its signature or key algorithm is not supported: known are ECDSA P-256 and P-384, Ed25519, RSA.
    #[error("the certificate request uses an algorithm that is not supported")]
    Algorithm,
    /// Its subject holds something that is not text.
    #[error("the subject of the certificate request is not text")]
    SubjectNotText,
    /// Its common name is not the one it must have.
    #[error("the certificate request is for common name `{found}`, not `{expected}`")]
    CommonName {
        /// The one it must have.
        expected: String,
        /// The one it has; empty if none.
        found: String,
    },
    /// The certificate could not be made.
    #[error(transparent)]
    Issue(#[from] PkiError),
}

impl Authority {
    /// Signs a request for a client certificate after verifying that it is signed with its own key. Extensions it
    /// asks for are not granted.
    pub fn sign_csr(
        &self,
        pem: &str,
        policy: &SubjectPolicy,
        validity: Validity,
    ) -> Result<IssuedCertificate, CsrError> {
        let der = request_der(pem)?;
        let (rest, request) = X509CertificationRequest::from_der(&der).map_err(|_| CsrError::Malformed)?;
        if !rest.is_empty() {
            return Err(CsrError::Malformed);
        }
        request.verify_signature().map_err(|error| match error {
            X509Error::SignatureUnsupportedAlgorithm => CsrError::Algorithm,
            _ => CsrError::Signature,
        })?;
        let information = &request.certification_request_info;
        let key =
            SubjectPublicKeyInfo::from_der(information.subject_pki.raw).map_err(|_| CsrError::Algorithm)?;
        let mut parameters = client_parameters(validity)?;
        parameters.distinguished_name = subject(&information.subject, policy)?;
        let serial = self.serials.next();
        parameters.serial_number = Some(serial.number());
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .map_err(PkiError::Signing)?;
        Ok(IssuedCertificate {
            chain_pem: certificate.pem(),
            serial_hex: serial.to_string(),
        })
    }
}

fn request_der(pem: &str) -> Result<Vec<u8>, CsrError> {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes())
        .map_err(|_| CsrError::NotPem("no complete PEM block"))?;
    match block.label.as_str() {
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Ok(block.contents),
        _ => Err(CsrError::NotPem("the block is labelled as something else")),
    }
}

fn subject(requested: &X509Name<'_>, policy: &SubjectPolicy) -> Result<DistinguishedName, CsrError> {
    match policy {
        SubjectPolicy::Replace(subject) => return Ok(subject.distinguished_name()),
        SubjectPolicy::AsRequested => {}
        SubjectPolicy::CommonName(expected) => {
            let found = requested
                .iter_common_name()
                .next()
                .and_then(|name| name.as_str().ok());
            if found != Some(expected) {
                return Err(CsrError::CommonName {
                    expected: expected.clone(),
                    found: found.unwrap_or_default().to_owned(),
                });
            }
        }
    }
    let mut name = DistinguishedName::new();
    for attribute in requested.iter_attributes() {
        let identifier = attribute.attr_type().iter().ok_or(CsrError::Malformed)?;
        let text = attribute.as_str().map_err(|_| CsrError::SubjectNotText)?;
        name.push(DnType::from_oid(&identifier.collect::<Vec<u64>>()), text);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, pki::Identity};
    use base64::Engine;

    const NOW: i64 = Clock::VIRTUAL_EPOCH_US;

    #[test]
    fn requests_are_signed_and_named_as_asked() {
        let authority = Authority::new("unit", NOW, 3).unwrap();
        let request = CertificateRequest::new(&Subject::named("unit-1").of("cloud.example")).unwrap();
        let policy = SubjectPolicy::CommonName("unit-1".to_owned());
        let issued = authority
            .sign_csr(&request.request, &policy, Validity::usual(NOW))
            .unwrap();
        let identity = Identity {
            certificate_chain: issued.chain_pem,
            private_key: request.private_key,
        };
        let facts = identity.facts().unwrap();
        assert_eq!(facts.common_name, "unit-1");
        assert_eq!(facts.subject, "O=cloud.example, CN=unit-1");
        assert_eq!(facts.serial, issued.serial_hex);
    }

    #[test]
    fn the_subject_can_be_replaced_or_demanded() {
        let authority = Authority::new("unit", NOW, 3).unwrap();
        let request = CertificateRequest::new(&"somebody".into()).unwrap().request;
        let validity = Validity::usual(NOW);
        let replace = SubjectPolicy::Replace("unit-1".into());
        let issued = authority.sign_csr(&request, &replace, validity).unwrap();
        let identity = Identity {
            certificate_chain: issued.chain_pem,
            private_key: String::new(),
        };
        assert_eq!(identity.facts().unwrap().common_name, "unit-1");
        let demand = SubjectPolicy::CommonName("unit-1".to_owned());
        let refused = authority.sign_csr(&request, &demand, validity).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the certificate request is for common name `somebody`, not `unit-1`"
        );
    }

    #[test]
    fn a_changed_request_is_refused() {
        let authority = Authority::new("unit", NOW, 3).unwrap();
        let request = CertificateRequest::new(&"unit-1".into()).unwrap().request;
        let (_, block) = x509_parser::pem::parse_x509_pem(request.as_bytes()).unwrap();
        let mut der = block.contents;
        let at = der.windows(6).position(|part| part == b"unit-1").unwrap();
        der[at + 5] = b'2';
        let changed = pem_block("CERTIFICATE REQUEST", &der);
        let sign = |pem: &str| authority.sign_csr(pem, &SubjectPolicy::AsRequested, Validity::usual(NOW));
        assert_eq!(sign(&changed), Err(CsrError::Signature));
        let cut = pem_block("CERTIFICATE REQUEST", &der[..der.len() - 9]);
        assert_eq!(sign(&cut), Err(CsrError::Malformed));
        assert!(matches!(sign("nonsense"), Err(CsrError::NotPem(_))));
        assert!(matches!(sign(""), Err(CsrError::NotPem(_))));
        assert!(matches!(
            sign(authority.authority_pem()),
            Err(CsrError::NotPem(_))
        ));
    }

    #[test]
    fn requests_made_by_openssl_are_signed() {
        let authority = Authority::new("unit", NOW, 3).unwrap();
        for request in [
            include_str!("../../testdata/rsa-2048.csr"),
            include_str!("../../testdata/p384-with-extensions.csr"),
        ] {
            let issued = authority
                .sign_csr(request, &SubjectPolicy::AsRequested, Validity::usual(NOW))
                .unwrap();
            assert!(issued.chain_pem.contains("BEGIN CERTIFICATE"));
        }
    }

    fn pem_block(label: &str, der: &[u8]) -> String {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }
}
