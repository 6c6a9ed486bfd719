//! Effects on one TLS handshake of a face of the cloud.

use crate::{FaultError, arguments::Arguments};
use std::time::Duration;

/// The effect of a fault on one handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeEffect {
    /// The face presents another certificate than its good one.
    Certificate(ServerCertificate),
    /// The face speaks one version only.
    Version(ServerVersion),
    /// The face refuses the unit's certificate, whichever it is.
    Client(ClientRefusal),
}

/// A certificate that is not good, or soon is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerCertificate {
    /// It ended an hour ago.
    Expired,
    /// It begins in a day.
    NotYet,
    /// It names somebody else.
    WrongName,
    /// It is signed with its own key.
    SelfSigned,
    /// It is signed by an authority nobody trusts.
    OtherAuthority,
    /// It is good, and ends after this time.
    Expiring(Duration),
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerVersion {
    /// 1.0, as canned bytes: it shows how the unit takes it.
    Tls10,
    /// 1.1, likewise.
    Tls11,
    /// 1.2, which is good.
    Tls12,
}

/// Why a face refuses a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRefusal {
    /// It is on the revocation list.
    Revoked,
    /// It comes from an authority the face does not know.
    UnknownAuthority,
    /// It counts as that of another unit.
    AnotherUnit,
    /// It counts as not presented.
    Missing,
}

impl HandshakeEffect {
    /// The effect of `tls.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<HandshakeEffect>, FaultError> {
        let needed = |name| read.text(name)?.ok_or(read.missing(name));
        Ok(Some(match kind {
            "certificate" => HandshakeEffect::Certificate(match needed("certificate")?.as_str() {
                "expired" => ServerCertificate::Expired,
                "not_yet" => ServerCertificate::NotYet,
                "wrong_name" => ServerCertificate::WrongName,
                "self_signed" => ServerCertificate::SelfSigned,
                "other_authority" => ServerCertificate::OtherAuthority,
                "expiring" => ServerCertificate::Expiring(read.span("for")?.unwrap_or(SOON)),
                _ => return Err(read.bad("certificate", "a kind of certificate")),
            }),
            "version" => HandshakeEffect::Version(match needed("version")?.as_str() {
                "1.0" => ServerVersion::Tls10,
                "1.1" => ServerVersion::Tls11,
                "1.2" => ServerVersion::Tls12,
                _ => return Err(read.bad("version", "1.0, 1.1 or 1.2")),
            }),
            "client" => HandshakeEffect::Client(match needed("refusal")?.as_str() {
                "revoked" => ClientRefusal::Revoked,
                "unknown_authority" => ClientRefusal::UnknownAuthority,
                "another_unit" => ClientRefusal::AnotherUnit,
                "missing" => ClientRefusal::Missing,
                _ => return Err(read.bad("refusal", "revoked, unknown_authority, another_unit or missing")),
            }),
            _ => return Ok(None),
        }))
    }

    /// The certificate presented, in the words of the vocabulary; nothing if it is good.
    pub fn certificate(self) -> Option<&'static str> {
        match self {
            HandshakeEffect::Certificate(certificate) => match certificate {
                ServerCertificate::Expired => Some("expired"),
                ServerCertificate::NotYet => Some("not_yet"),
                ServerCertificate::WrongName => Some("wrong_name"),
                ServerCertificate::SelfSigned => Some("self_signed"),
                ServerCertificate::OtherAuthority => Some("other_authority"),
                ServerCertificate::Expiring(_) => None,
            },
            _ => None,
        }
    }

    /// The only version spoken, in the words of the vocabulary.
    pub fn version(self) -> Option<&'static str> {
        match self {
            HandshakeEffect::Version(ServerVersion::Tls10) => Some("1.0"),
            HandshakeEffect::Version(ServerVersion::Tls11) => Some("1.1"),
            HandshakeEffect::Version(ServerVersion::Tls12) => Some("1.2"),
            _ => None,
        }
    }
}

/// How long a certificate about to end is good, unless said otherwise.
const SOON: Duration = Duration::from_secs(60);
