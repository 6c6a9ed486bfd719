//! The side that is connected to.

use super::{
    PeerFacts, SetupError, TlsError, TlsSettings,
    refusal::RefusesEvery,
    settings::{credentials, provider, time_of, trust},
};
use crate::{Clock, Stream, StreamHandle, pki::Identity};
use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use rustls_pki_types::CertificateRevocationListDer;
use std::sync::Arc;
use tokio_rustls::{LazyConfigAcceptor, server::StartHandshake};

/// Accepts TLS connections as one identity; clones share everything.
#[derive(Clone)]
pub struct Acceptor {
    inner: Arc<ServerConfig>,
}

impl Acceptor {
    /// TLS 1.2 and 1.3 without ALPN. With an authority, client certificates are asked for and must come from it;
    /// `required` refuses clients that present none.
    pub fn new(
        identity: &Identity,
        client_authority: Option<&str>,
        required: bool,
        clock: &Clock,
    ) -> Result<Self, SetupError> {
        Self::with(
            identity,
            client_authority,
            required,
            clock,
            &TlsSettings::default(),
        )
    }

    /// The same with settings.
    pub fn with(
        identity: &Identity,
        client_authority: Option<&str>,
        required: bool,
        clock: &Clock,
        settings: &TlsSettings,
    ) -> Result<Self, SetupError> {
        let provider = provider();
        let verifier = match client_authority {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(authority) => {
                let roots = trust(authority)?;
                let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
                if let Some(list) = &settings.revocation_list {
                    builder = builder
                        .with_crls([CertificateRevocationListDer::from(list.clone())])
                        .only_check_end_entity_revocation()
                        .allow_unknown_revocation_status();
                }
                let verifier = match required {
                    true => builder.build()?,
                    false => builder.allow_unauthenticated().build()?,
                };
                match settings.refuses_clients {
                    Some(refusal) => Arc::new(RefusesEvery {
                        inner: verifier,
                        refusal,
                    }),
                    None => verifier,
                }
            }
        };
        let (chain, key) = credentials(identity)?;
        let mut config = ServerConfig::builder_with_details(provider, time_of(clock))
            .with_protocol_versions(settings.versions())?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = settings.protocols();
        config.key_log = settings.key_log();
        Ok(Acceptor {
            inner: Arc::new(config),
        })
    }

    /// The handshake; the stream it returns keeps the handle of the one below. A client that is refused has been
    /// sent its alert. There is no time limit here.
    pub async fn accept(&self, stream: Stream) -> Result<(Stream, PeerFacts), TlsError> {
        Hello::read(stream).await?.accepted_by(self).await
    }
}

/// A client has said hello, and nothing was answered yet.
pub struct Hello {
    start: StartHandshake<Stream>,
    handle: StreamHandle,
}

impl Hello {
    /// Waits for the hello. A client that says something else has been sent its alert. There is no time limit here.
    pub async fn read(stream: Stream) -> Result<Hello, TlsError> {
        let handle = stream.handle();
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        Ok(Hello { start, handle })
    }

    /// The rest of the handshake, as [`Acceptor::accept`].
    pub async fn accepted_by(self, acceptor: &Acceptor) -> Result<(Stream, PeerFacts), TlsError> {
        let stream = self.start.into_stream(acceptor.inner.clone()).await?;
        let (_, connection) = stream.get_ref();
        let facts = PeerFacts::read(connection, connection.server_name());
        Ok((Stream::layered(stream, self.handle), facts))
    }

    /// The stream behind the hello, for an answer that is none of the library's.
    pub fn into_stream(self) -> Stream {
        self.start.io
    }
}
