//! What a handshake showed of the peer.

use crate::pki;
use hil_trace::CertificateFacts;
use rustls::CommonState;

/// What is known of a peer after the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerFacts {
    /// Version, such as `TLSv1_3`.
    pub version: String,
    /// Its certificate, if it presented one.
    pub certificate: Option<CertificateFacts>,
    /// The protocol agreed on by ALPN.
    pub protocol: Option<String>,
    /// The name a client asked for (SNI); none on the connecting side.
    pub server_name: Option<String>,
}

impl PeerFacts {
    pub(super) fn read(connection: &CommonState, server_name: Option<&str>) -> Self {
        let leaf = connection.peer_certificates().and_then(<[_]>::first);
        PeerFacts {
            version: connection
                .protocol_version()
                .map_or_else(String::new, |version| format!("{version:?}")),
            certificate: leaf.and_then(|leaf| pki::certificate_facts(leaf).ok()),
            protocol: connection
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            server_name: server_name.map(str::to_owned),
        }
    }
}
