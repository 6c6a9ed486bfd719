//! The authority of a cloud, the identities it issues, and the TLS of its faces.

use crate::{CloudSettings, core::Security, front::Presented};
use hil_link::{
    Clock,
    pki::{self, Authority, Identity, PkiError, Subject, Validity},
    tls::{Acceptor, KeyLog, SetupError, TlsSettings},
};
use serde::{Deserialize, Serialize};
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
/// of making one for the run; `tls_key_log` names a file for session secrets.
pub(crate) struct Pki {
    pub(crate) authority: Rc<Authority>,
    clock: Clock,
    key_log: Option<Arc<KeyLog>>,
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
        Ok(Pki {
            authority: Rc::new(authority),
            clock,
            key_log,
        })
    }

    /// Client identities by name, for common names by name.
    pub(crate) fn identities(
        &self,
        wanted: Vec<(String, String)>,
        key: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<BTreeMap<String, Identity>, PkiProblem> {
        let mut identities = BTreeMap::new();
        for (name, common_name) in wanted {
            let subject = Subject::named(common_name);
            let identity = match key(&name) {
                Some(key) => self
                    .authority
                    .issue_client_for_key(&subject, self.validity(), None, key)?,
                None => self.authority.issue_client(&subject, self.validity(), None)?,
            };
            identities.insert(name, identity);
        }
        Ok(identities)
    }

    /// What a face presents; `None` for plain ones.
    pub(crate) fn present(
        &self,
        security: Security,
        choice: &TlsChoice,
        settings: &CloudSettings,
    ) -> Result<Option<Presented>, PkiProblem> {
        let authority = match security {
            Security::Plain => return Ok(None),
            Security::Tls => None,
            Security::MutualTls => Some(self.authority.authority_pem()),
        };
        let only_1_2 = match choice.version {
            Version::Any => false,
            Version::Tls12 => true,
            Version::Tls11 => return Ok(Some(Presented::OldTls(2))),
            Version::Tls10 => return Ok(Some(Presented::OldTls(1))),
        };
        let identity = self.server_identity(choice.certificate, settings)?;
        let tls = TlsSettings {
            key_log: self.key_log.clone(),
            only_1_2,
            ..TlsSettings::default()
        };
        let required = authority.is_some();
        let acceptor = Acceptor::with(&identity, authority, required, &self.clock, &tls)?;
        Ok(Some(Presented::Tls(acceptor)))
    }

    /// A certificate that names the advertised host, the bind address, and this machine, unless it shall not.
    fn server_identity(&self, kind: Certificate, settings: &CloudSettings) -> Result<Identity, PkiError> {
        let mut names = vec![settings.advertised_host.as_str()];
        for name in [settings.bind.as_str(), "localhost", "127.0.0.1"] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let now = self.clock.unix_us(self.clock.now());
        let usual = Validity::usual(now);
        match kind {
            Certificate::Good => self.authority.issue_server(&names, usual),
            Certificate::Expired => self.authority.issue_server(&names, Validity::expired(now)),
            Certificate::NotYet => self.authority.issue_server(&names, Validity::not_yet(now)),
            Certificate::WrongName => self.authority.issue_server(&["elsewhere.invalid"], usual),
            Certificate::SelfSigned => pki::self_signed(&names, usual),
            Certificate::OtherAuthority => {
                Authority::new("another", now, settings.seed)?.issue_server(&names, usual)
            }
        }
    }

    fn validity(&self) -> Validity {
        Validity::usual(self.clock.unix_us(self.clock.now()))
    }
}

/// What TLS faces present, as a step asks for it; what is not given is good.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsChoice {
    /// Only this face.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) face: Option<String>,
    certificate: Certificate,
    version: Version,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Certificate {
    #[default]
    Good,
    Expired,
    NotYet,
    WrongName,
    SelfSigned,
    OtherAuthority,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
enum Version {
    /// TLS 1.2 and 1.3.
    #[default]
    #[serde(rename = "any")]
    Any,
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.1")]
    Tls11,
    #[serde(rename = "1.0")]
    Tls10,
}

const NAME: &str = "mock cloud";
