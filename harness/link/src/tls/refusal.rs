//! Client certificates that are good and refused all the same.

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;

/// Why an acceptor refuses the certificate of a client, whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRefusal {
    /// It is on the revocation list: alert `certificate_revoked`.
    Revoked,
    /// It is that of another client: alert `access_denied`.
    OfAnother,
    /// It counts as not presented: alert `handshake_failure`, as servers of TLS 1.2 send it.
    Missing,
}

impl ClientRefusal {
    fn error(self) -> Error {
        match self {
            ClientRefusal::Revoked => Error::InvalidCertificate(CertificateError::Revoked),
            ClientRefusal::OfAnother => {
                Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
            }
            ClientRefusal::Missing => Error::NoCertificatesPresented,
        }
    }
}

/// Verifies as the one inside does, and refuses what is good there.
#[derive(Debug)]
pub(super) struct RefusesEvery {
    pub(super) inner: Arc<dyn ClientCertVerifier>,
    pub(super) refusal: ClientRefusal,
}

impl ClientCertVerifier for RefusesEvery {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.inner.verify_client_cert(end_entity, intermediates, now)?;
        Err(self.refusal.error())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
