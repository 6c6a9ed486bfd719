//! The authority of a cloud, the identities it issues, and the TLS of its faces.

use crate::{CloudSettings, core::Security};
use hil_link::{
    Clock,
    pki::{self, Authority, Identity, PkiError, Subject, Validity},
    tls::{Acceptor, KeyLog, SetupError, TlsSettings},
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
    ) -> Result<BTreeMap<String, Identity>, PkiProblem> {
        let mut identities = BTreeMap::new();
        for (name, common_name) in wanted {
            let subject = Subject::named(common_name);
            let identity = self.authority.issue_client(&subject, self.validity(), None)?;
            identities.insert(name, identity);
        }
        Ok(identities)
    }

    /// What accepts connections of a face; `None` for plain ones. The certificate names the advertised host, the bind
    /// address, and this machine.
    pub(crate) fn acceptor(
        &self,
        security: Security,
        settings: &CloudSettings,
    ) -> Result<Option<Acceptor>, PkiProblem> {
        let authority = match security {
            Security::Plain => return Ok(None),
            Security::Tls => None,
            Security::MutualTls => Some(self.authority.authority_pem()),
        };
        let mut names = vec![settings.advertised_host.as_str()];
        for name in [settings.bind.as_str(), "localhost", "127.0.0.1"] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let identity = self.authority.issue_server(&names, self.validity())?;
        let tls = TlsSettings {
            key_log: self.key_log.clone(),
            ..TlsSettings::default()
        };
        let required = authority.is_some();
        let acceptor = Acceptor::with(&identity, authority, required, &self.clock, &tls)?;
        Ok(Some(acceptor))
    }

    fn validity(&self) -> Validity {
        Validity::usual(self.clock.unix_us(self.clock.now()))
    }
}

const NAME: &str = "mock cloud";
