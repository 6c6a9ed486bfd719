//! TLS on a face: the handshake, and what the trace says of it.

use super::Host;
use hil_link::{Stream, tls::Acceptor};
use hil_trace::{CertificateFacts, Ending, Party};
use std::time::Duration;

/// Protects the connections of one face.
#[derive(Clone)]
pub(crate) struct FaceSecurity {
    acceptor: Acceptor,
}

impl FaceSecurity {
    /// Accepts as the acceptor says.
    pub(crate) fn new(acceptor: Acceptor) -> Self {
        FaceSecurity { acceptor }
    }

    /// The handshake; `None` if it failed, which is recorded.
    pub(super) async fn accept(
        &self,
        host: &Host,
        connection: u32,
        stream: Stream,
    ) -> Option<(Stream, Option<CertificateFacts>)> {
        let handshake = tokio::select! {
            biased;
            handshake = self.acceptor.accept(stream) => handshake.map_err(|error| error.to_string()),
            () = host.edge.clock.sleep(HANDSHAKE_LIMIT) => Err("the handshake takes too long".to_owned()),
        };
        match handshake {
            Ok((stream, facts)) => {
                host.edge
                    .secured(connection, facts.version, facts.certificate.clone());
                Some((stream, facts.certificate))
            }
            Err(reason) => {
                host.edge.refused(connection, reason);
                host.edge.closed(connection, Ending::Broken, Party::Cloud);
                None
            }
        }
    }
}

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
