//! The side that is connected to.

use super::{
    PeerFacts, SetupError, TlsError, TlsSettings,
    settings::{credentials, provider, time_of, trust},
};
use crate::{Clock, Stream, pki::Identity};
use rustls::{
    ServerConfig,
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Accepts TLS connections as one identity; clones share everything.
#[derive(Clone)]
pub struct Acceptor {
    inner: TlsAcceptor,
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
                let builder = WebPkiClientVerifier::builder_with_provider(roots, provider.clone());
                if required {
                    builder.build()?
                } else {
                    builder.allow_unauthenticated().build()?
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
            inner: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// The handshake; the stream it returns keeps the handle of the one below. A client that is refused has been
    /// sent its alert. There is no time limit here.
    pub async fn accept(&self, stream: Stream) -> Result<(Stream, PeerFacts), TlsError> {
        let handle = stream.handle();
        let stream = self.inner.accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let facts = PeerFacts::read(connection, connection.server_name());
        Ok((Stream::layered(stream, handle), facts))
    }
}
