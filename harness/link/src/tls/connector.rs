//! The side that connects.

use super::{
    PeerFacts, SetupError, TlsError, TlsSettings,
    settings::{credentials, provider, time_of, trust},
};
use crate::{Clock, Stream, pki::Identity};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, SignatureScheme,
    client::{
        Resumption, WantsClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// Makes TLS connections as one identity or none; clones share everything.
#[derive(Clone)]
pub struct Connector {
    inner: TlsConnector,
}

impl Connector {
    /// TLS 1.2 and 1.3 without ALPN; the server must present a certificate of this authority (PEM, one or more).
    pub fn new(authority: &str, identity: Option<&Identity>, clock: &Clock) -> Result<Self, SetupError> {
        Self::with(authority, identity, clock, &TlsSettings::default())
    }

    /// The same with settings.
    pub fn with(
        authority: &str,
        identity: Option<&Identity>,
        clock: &Clock,
        settings: &TlsSettings,
    ) -> Result<Self, SetupError> {
        let builder = ClientConfig::builder_with_details(provider(), time_of(clock))
            .with_protocol_versions(settings.versions())?
            .with_root_certificates(trust(authority)?);
        let mut config = as_identity(builder, identity)?;
        config.resumption = Resumption::disabled();
        config.alpn_protocols = settings.protocols();
        config.key_log = settings.key_log();
        Ok(Connector {
            inner: TlsConnector::from(Arc::new(config)),
        })
    }

    /// The same for people who look at a unit whose certificate nobody they know has issued: any certificate will do.
    pub fn unverified(identity: Option<&Identity>, clock: &Clock) -> Result<Self, SetupError> {
        let provider = provider();
        let builder = ClientConfig::builder_with_details(provider.clone(), time_of(clock))
            .with_protocol_versions(TlsSettings::default().versions())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)));
        let config = as_identity(builder, identity)?;
        Ok(Connector {
            inner: TlsConnector::from(Arc::new(config)),
        })
    }

    /// The handshake with a host by this name or address; the stream it returns keeps the handle of the one below.
    ///
    /// Under TLS 1.3 a client is done before the server has judged its certificate: a refused client's `connect`
    /// returns `Ok`, and its first read fails. Judge such refusals on the accepting side.
    pub async fn connect(&self, stream: Stream, host: &str) -> Result<(Stream, PeerFacts), TlsError> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::BadHost(host.to_owned()))?;
        let handle = stream.handle();
        let stream = self.inner.connect(name, stream).await?;
        let facts = PeerFacts::read(stream.get_ref().1, None);
        Ok((Stream::layered(stream, handle), facts))
    }
}

fn as_identity(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, SetupError> {
    let Some(identity) = identity else {
        return Ok(builder.with_no_client_auth());
    };
    let (chain, key) = credentials(identity)?;
    Ok(builder.with_client_auth_cert(chain, key)?)
}

/// Takes every certificate whose key the peer really has.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
