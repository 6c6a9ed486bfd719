//! The authority of a cloud, the identities it issues, and the TLS of its faces.

use crate::{CloudSettings, core::Security, unit_certificate::UnitCertificate};
use hil_fault::{ClientRefusal, HandshakeEffect, ServerCertificate, ServerVersion};
use hil_link::{
    Clock,
    pki::{self, Authority, Identity, PkiError, Subject, Validity},
    tls::{self, Acceptor, KeyLog, SetupError, TlsSettings},
};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

/// Why certificates or TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum PkiProblem {
    /// A certificate could not be made.
    #[error(transparent)]
    Issue(#[from] PkiError),
    /// The kept authority could not be used.
    #[error(transparent)]
    Store(#[from] pki::StoreError),
    /// The unit cannot be given such a certificate.
    #[error("there is no unit certificate `{0}`")]
    UnitCertificate(String),
    /// The TLS library refuses the certificates.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The TLS key log cannot be written.
    #[error("TLS key log {}: {error}", path.display())]
    KeyLog {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What a cloud needs for certificates. Options: `authority_directory` keeps the authority there (files 0600) instead
/// of making one for the run; `tls_key_log` names a file for session secrets; `unit_certificate` gives the unit another
/// one than its own.
pub(crate) struct Pki {
    pub(crate) authority: Rc<Authority>,
    clock: Clock,
    key_log: Option<Arc<KeyLog>>,
    unit_certificate: UnitCertificate,
    /// DER.
    revocation_list: Option<Vec<u8>>,
}

impl Pki {
    pub(crate) fn new(settings: &CloudSettings, clock: Clock) -> Result<Self, PkiProblem> {
        let now = clock.unix_us(clock.now());
        let authority = match settings.text("authority_directory") {
            Some(directory) => Authority::load_or_create(Path::new(directory), NAME, now, settings.seed)?,
            None => Authority::new(NAME, now, settings.seed)?,
        };
        let key_log = match settings.text("tls_key_log") {
            Some(path) => {
                let log = KeyLog::append_to(Path::new(path));
                Some(Arc::new(log.map_err(|error| PkiProblem::KeyLog {
                    path: path.into(),
                    error,
                })?))
            }
            None => None,
        };
        let option = settings.options.get("unit_certificate");
        let unit_certificate = UnitCertificate::read(option).ok_or_else(|| {
            PkiProblem::UnitCertificate(option.map(ToString::to_string).unwrap_or_default())
        })?;
        Ok(Pki {
            revocation_list: unit_certificate.revocation_list(now, &authority)?,
            authority: Rc::new(authority),
            clock,
            key_log,
            unit_certificate,
        })
    }

    /// Client identities by name, for common names by name; the first is the one for TLS, which may be one that has to be
    /// refused, or missing.
    pub(crate) fn identities(
        &self,
        wanted: Vec<(String, String)>,
        key: impl Fn(&str) -> Option<&'static str>,
        settings: &CloudSettings,
    ) -> Result<BTreeMap<String, Option<Identity>>, PkiProblem> {
        let now = self.clock.unix_us(self.clock.now());
        let mut identities = BTreeMap::new();
        for (index, (name, common_name)) in wanted.into_iter().enumerate() {
            let identity = match key(&name) {
                Some(key) => {
                    let subject = Subject::named(common_name);
                    let usual = Validity::usual(now);
                    Some(self.authority.issue_client_for_key(&subject, usual, None, key)?)
                }
                None => {
                    let certificate = match index {
                        0 => self.unit_certificate,
                        _ => UnitCertificate::Own,
                    };
                    let stranger = || self.another_authority(settings);
                    certificate.issue(&common_name, now, &self.authority, stranger)?
                }
            };
            identities.insert(name, identity);
        }
        Ok(identities)
    }

    /// Accepts the connections of a face, disturbed by a fault or not; `None` for plain faces.
    pub(crate) fn acceptor(
        &self,
        security: Security,
        effect: Option<HandshakeEffect>,
        settings: &CloudSettings,
    ) -> Result<Option<Acceptor>, PkiProblem> {
        let unknown;
        let authority = match security {
            Security::Plain => return Ok(None),
            Security::Tls => None,
            Security::MutualTls
                if effect == Some(HandshakeEffect::Client(ClientRefusal::UnknownAuthority)) =>
            {
                unknown = self.another_authority(settings)?;
                Some(unknown.authority_pem())
            }
            Security::MutualTls => Some(self.authority.authority_pem()),
        };
        let identity = self.server_identity(effect, settings)?;
        let tls = TlsSettings {
            key_log: self.key_log.clone(),
            only_1_2: effect == Some(HandshakeEffect::Version(ServerVersion::Tls12)),
            refuses_clients: effect.and_then(refusal),
            revocation_list: self.revocation_list.clone(),
            ..TlsSettings::default()
        };
        let required = authority.is_some();
        let acceptor = Acceptor::with(&identity, authority, required, &self.clock, &tls)?;
        Ok(Some(acceptor))
    }

    /// A certificate that names the advertised host, the bind address, and this machine, unless it shall not.
    fn server_identity(
        &self,
        effect: Option<HandshakeEffect>,
        settings: &CloudSettings,
    ) -> Result<Identity, PkiError> {
        let mut names = vec![settings.advertised_host.as_str()];
        for name in [settings.bind.as_str(), "localhost", "127.0.0.1"] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let now = self.clock.unix_us(self.clock.now());
        let usual = Validity::usual(now);
        let Some(HandshakeEffect::Certificate(kind)) = effect else {
            return self.authority.issue_server(&names, usual);
        };
        match kind {
            ServerCertificate::Expired => self.authority.issue_server(&names, Validity::expired(now)),
            ServerCertificate::NotYet => self.authority.issue_server(&names, Validity::not_yet(now)),
            ServerCertificate::WrongName => self.authority.issue_server(&["elsewhere.invalid"], usual),
            ServerCertificate::SelfSigned => pki::self_signed(&names, usual),
            ServerCertificate::OtherAuthority => {
                self.another_authority(settings)?.issue_server(&names, usual)
            }
            ServerCertificate::Expiring(span) => {
                self.authority.issue_server(&names, Validity::for_span(now, span))
            }
        }
    }

    /// An authority nobody trusts.
    fn another_authority(&self, settings: &CloudSettings) -> Result<Authority, PkiError> {
        let now = self.clock.unix_us(self.clock.now());
        Authority::new("another", now, settings.seed)
    }
}

/// How the acceptor refuses good client certificates; nothing if it just does not know their authority.
fn refusal(effect: HandshakeEffect) -> Option<tls::ClientRefusal> {
    match effect {
        HandshakeEffect::Client(ClientRefusal::Revoked) => Some(tls::ClientRefusal::Revoked),
        HandshakeEffect::Client(ClientRefusal::AnotherUnit) => Some(tls::ClientRefusal::OfAnother),
        HandshakeEffect::Client(ClientRefusal::Missing) => Some(tls::ClientRefusal::Missing),
        _ => None,
    }
}

const NAME: &str = "mock cloud";
