//! TLS on a face: the handshake, what faults make of it, and what the trace says of it.

use super::{Host, old_tls};
use crate::{CloudSettings, core::Security, pki::Pki, pki::PkiProblem};
use hil_fault::{HandshakeEffect, ServerVersion};
use hil_link::{
    Stream,
    tls::{Acceptor, Hello, PeerFacts},
};
use hil_trace::{CertificateFacts, Ending, Party};
use std::{rc::Rc, time::Duration};

/// Protects the connections of one face; clones share everything.
#[derive(Clone)]
pub(crate) struct FaceSecurity {
    shared: Rc<Shared>,
}

struct Shared {
    face: &'static str,
    security: Security,
    pki: Rc<Pki>,
    settings: CloudSettings,
    /// What is presented while nothing is wrong.
    good: Acceptor,
}

impl FaceSecurity {
    /// The protection of a face; `None` for plain ones.
    pub(crate) fn new(
        face: &'static str,
        security: Security,
        pki: &Rc<Pki>,
        settings: &CloudSettings,
    ) -> Result<Option<FaceSecurity>, PkiProblem> {
        let good = pki.acceptor(security, None, settings)?;
        Ok(good.map(|good| FaceSecurity {
            shared: Rc::new(Shared {
                face,
                security,
                pki: pki.clone(),
                settings: settings.clone(),
                good,
            }),
        }))
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
            handshake = self.handshake(host, connection, stream) => handshake,
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

    /// Faults strike once the client has said hello.
    async fn handshake(
        &self,
        host: &Host,
        connection: u32,
        stream: Stream,
    ) -> Result<(Stream, PeerFacts), String> {
        let shared = &self.shared;
        let hello = Hello::read(stream).await.map_err(|error| error.to_string())?;
        let mutual = shared.security == Security::MutualTls;
        let effect = host.edge.strike_handshake(connection, shared.face, mutual);
        let old = match effect {
            Some(HandshakeEffect::Version(ServerVersion::Tls10)) => Some(1),
            Some(HandshakeEffect::Version(ServerVersion::Tls11)) => Some(2),
            _ => None,
        };
        if let Some(minor) = old {
            return Err(old_tls::play(&host.edge.clock, &mut hello.into_stream(), minor).await);
        }
        let disturbed;
        let acceptor = match effect {
            None => &shared.good,
            Some(_) => {
                let made = shared.pki.acceptor(shared.security, effect, &shared.settings);
                disturbed = made.map_err(|error| error.to_string())?;
                disturbed.as_ref().unwrap_or(&shared.good)
            }
        };
        let accepted = hello.accepted_by(acceptor).await;
        accepted.map_err(|error| error.to_string())
    }
}

const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);
