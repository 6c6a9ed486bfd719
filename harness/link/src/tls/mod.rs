//! TLS between unit and cloud: rustls on the bench's clock, so that expiry can be tested in virtual time. Sessions are
//! never resumed: each connection is a whole handshake that monitors can judge.

mod acceptor;
mod connector;
mod error;
mod key_log;
mod peer;
mod refusal;
mod settings;

pub use acceptor::{Acceptor, Hello};
pub use connector::Connector;
pub use error::{SetupError, TlsError};
pub use key_log::KeyLog;
pub use peer::PeerFacts;
pub use refusal::ClientRefusal;
pub use settings::TlsSettings;
