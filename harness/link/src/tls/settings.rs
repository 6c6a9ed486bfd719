//! What acceptors and connectors have in common.

use super::{ClientRefusal, KeyLog, SetupError};
use crate::{Clock, pki::Identity};
use rustls::{
    RootCertStore, SupportedProtocolVersion,
    crypto::CryptoProvider,
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject};
use std::{sync::Arc, time::Duration};

/// Choices that are the same for both ends.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// Offer or demand `http/1.1` by ALPN; otherwise ALPN is left out.
    pub http_1_1: bool,
    /// No TLS 1.3, for peers or faults that need 1.2.
    pub only_1_2: bool,
    /// Where session secrets go.
    pub key_log: Option<Arc<KeyLog>>,
    /// What an acceptor's authority has revoked, DER; a certificate that is not on it is not revoked.
    pub revocation_list: Option<Vec<u8>>,
    /// An acceptor refuses every certificate that clients present, good ones as well.
    pub refuses_clients: Option<ClientRefusal>,
}

impl TlsSettings {
    pub(super) fn versions(&self) -> &'static [&'static SupportedProtocolVersion] {
        static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
        if self.only_1_2 { &BOTH[1..] } else { &BOTH }
    }

    pub(super) fn protocols(&self) -> Vec<Vec<u8>> {
        if self.http_1_1 {
            vec![b"http/1.1".to_vec()]
        } else {
            Vec::new()
        }
    }

    pub(super) fn key_log(&self) -> Arc<dyn rustls::KeyLog> {
        match &self.key_log {
            Some(log) => log.clone(),
            None => Arc::new(rustls::NoKeyLog),
        }
    }
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(super) fn time_of(clock: &Clock) -> Arc<dyn TimeProvider> {
    Arc::new(BenchTime(*clock))
}

pub(super) fn trust(authority: &str) -> Result<Arc<RootCertStore>, SetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        let certificate = certificate.map_err(|_| SetupError::Authority)?;
        roots.add(certificate).map_err(|_| SetupError::Authority)?;
    }
    if roots.is_empty() {
        return Err(SetupError::Authority);
    }
    Ok(Arc::new(roots))
}

pub(super) type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

pub(super) fn credentials(identity: &Identity) -> Result<Credentials, SetupError> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(identity.certificate_chain.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let key = PrivateKeyDer::from_pem_slice(identity.private_key.as_bytes());
    Ok((
        chain.ok_or(SetupError::CertificateChain)?,
        key.map_err(|_| SetupError::PrivateKey)?,
    ))
}

/// Certificates are judged by the bench's clock.
#[derive(Debug)]
struct BenchTime(Clock);

impl TimeProvider for BenchTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.unix_us(self.0.now()).div_euclid(1_000_000);
        let seconds = u64::try_from(seconds).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
