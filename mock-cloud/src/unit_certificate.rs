//! The certificate a unit is given for TLS: its own, or one that a cloud has to refuse.

use hil_link::pki::{Authority, Identity, PkiError, Serial, Subject, Validity};
use serde_json::Value;

/// What a unit has to show who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnitCertificate {
    /// Its own, which is good.
    #[default]
    Own,
    /// A good one that names another unit.
    OfAnotherUnit,
    /// None at all.
    Missing,
    /// Its own, which ended an hour ago.
    Expired,
    /// Its own, which begins in a day.
    NotYet,
    /// One with its name, of an authority the cloud does not know.
    OtherAuthority,
    /// Its own, which is on the revocation list.
    Revoked,
}

impl UnitCertificate {
    /// The option `unit_certificate` of a cloud; a unit's own if it is not said. `None`: there is no such kind.
    pub(crate) fn read(option: Option<&Value>) -> Option<Self> {
        let Some(option) = option else {
            return Some(UnitCertificate::Own);
        };
        Some(match option.as_str()? {
            "own" => UnitCertificate::Own,
            "another_unit" => UnitCertificate::OfAnotherUnit,
            "none" => UnitCertificate::Missing,
            "expired" => UnitCertificate::Expired,
            "not_yet" => UnitCertificate::NotYet,
            "other_authority" => UnitCertificate::OtherAuthority,
            "revoked" => UnitCertificate::Revoked,
            _ => return None,
        })
    }

    /// The certificate for a unit of this name; `None` if it gets none. `stranger`: an authority nobody trusts.
    pub(crate) fn issue(
        self,
        common_name: &str,
        now_unix_us: i64,
        authority: &Authority,
        stranger: impl FnOnce() -> Result<Authority, PkiError>,
    ) -> Result<Option<Identity>, PkiError> {
        let own = Subject::named(common_name.to_owned());
        let usual = Validity::usual(now_unix_us);
        let identity = match self {
            UnitCertificate::Missing => return Ok(None),
            UnitCertificate::Own => authority.issue_client(&own, usual, None),
            UnitCertificate::OfAnotherUnit => {
                let other = Subject::named(format!("another-{common_name}"));
                authority.issue_client(&other, usual, None)
            }
            UnitCertificate::Expired => authority.issue_client(&own, Validity::expired(now_unix_us), None),
            UnitCertificate::NotYet => authority.issue_client(&own, Validity::not_yet(now_unix_us), None),
            UnitCertificate::OtherAuthority => stranger()?.issue_client(&own, usual, None),
            UnitCertificate::Revoked => {
                authority.issue_client(&own, usual, Serial::from_bytes(REVOKED).as_ref())
            }
        };
        identity.map(Some)
    }

    /// The revocation list the cloud goes by, DER; `None` without one.
    pub(crate) fn revocation_list(
        self,
        now_unix_us: i64,
        authority: &Authority,
    ) -> Result<Option<Vec<u8>>, PkiError> {
        match (self, Serial::from_bytes(REVOKED)) {
            (UnitCertificate::Revoked, Some(serial)) => authority
                .revoke(&[serial], Validity::usual(now_unix_us))
                .map(Some),
            _ => Ok(None),
        }
    }
}

/// Serial number of the certificate that is revoked.
const REVOKED: &[u8] = &[0x52, 0x65, 0x76, 0x6f, 0x6b, 0x65, 0x64, 0x21];
