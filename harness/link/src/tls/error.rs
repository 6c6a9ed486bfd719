//! Why TLS could not be set up, and why a handshake failed.

use hil_trace::PLAIN_INSTEAD_OF_TLS;
use rustls::{AlertDescription, InvalidMessage, server::VerifierBuilderError};
use std::io;

/// Why an acceptor or connector could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The authority to trust is not a certificate in PEM.
    #[error("the authority to trust is not a certificate in PEM")]
    Authority,
    /// The own certificate chain is empty or not PEM.
    #[error("the certificate chain is not certificates in PEM")]
    CertificateChain,
    /// The own private key is not PKCS#8 PEM.
    #[error("the private key is not a key in PEM")]
    PrivateKey,
    /// The TLS library refuses certificate or key, or they do not belong together.
    #[error("{0}")]
    Library(#[from] rustls::Error),
    /// The TLS library refuses the authority of client certificates.
    #[error("{0}")]
    ClientAuthority(#[from] VerifierBuilderError),
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The name to connect to is neither a host name nor an address.
    #[error("`{0}` is not a host name")]
    BadHost(String),
    /// The peer sent an alert: it refused us.
    #[error("the peer refused: {0:?}")]
    RefusedByPeer(AlertDescription),
    /// We refused the peer, or it does not speak TLS as it must.
    #[error("{0}")]
    Refused(rustls::Error),
    /// The peer sent something else than TLS, such as an HTTP request.
    #[error("{PLAIN_INSTEAD_OF_TLS}")]
    Plain,
    /// The connection broke or ended.
    #[error("{0}")]
    Transport(io::Error),
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(rustls::Error::AlertReceived(alert)) => TlsError::RefusedByPeer(*alert),
            Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => TlsError::Plain,
            Some(refusal) => TlsError::Refused(refusal.clone()),
            None => TlsError::Transport(error),
        }
    }
}
