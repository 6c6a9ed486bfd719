//! TLS on a face: the handshake, and what the trace says of it.

use super::{Host, old_tls};
use hil_link::{Stream, tls::Acceptor};
use hil_trace::{CertificateFacts, Ending, Party};
use std::{cell::RefCell, rc::Rc, time::Duration};

/// Protects the connections of one face; clones share what they present.
#[derive(Clone)]
pub(crate) struct FaceSecurity {
    presented: Rc<RefCell<Presented>>,
}

/// What a face presents to those that connect.
#[derive(Clone)]
pub(crate) enum Presented {
    /// A handshake.
    Tls(Acceptor),
    /// Only an old version: 1 for TLS 1.0, 2 for TLS 1.1.
    OldTls(u8),
}

impl FaceSecurity {
    pub(crate) fn new(presented: Presented) -> Self {
        FaceSecurity {
            presented: Rc::new(RefCell::new(presented)),
        }
    }

    /// Presents something else from the next connection on.
    pub(crate) fn present(&self, presented: Presented) {
        self.presented.replace(presented);
    }

    /// The handshake; `None` if it failed, which is recorded.
    pub(super) async fn accept(
        &self,
        host: &Host,
        connection: u32,
        mut stream: Stream,
    ) -> Option<(Stream, Option<CertificateFacts>)> {
        let presented = self.presented.borrow().clone();
        let handshake = match presented {
            Presented::OldTls(minor) => Err(old_tls::play(&host.edge.clock, &mut stream, minor).await),
            Presented::Tls(acceptor) => tokio::select! {
                biased;
                handshake = acceptor.accept(stream) => handshake.map_err(|error| error.to_string()),
                () = host.edge.clock.sleep(HANDSHAKE_LIMIT) => Err("the handshake takes too long".to_owned()),
            },
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
