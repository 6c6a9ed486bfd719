//! Connections of a call, with TLS where its URL asks for it.

use super::CallError;
use crate::args::CallArguments;
use hil_link::{
    Address, Clock, Network, Stream,
    pki::Identity,
    tls::{Connector, SetupError},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Whom a caller believes, and who it is.
#[derive(Default)]
pub(super) struct Trust {
    authority: Option<PathBuf>,
    identity: Option<Identity>,
    anybody: bool,
}

impl Trust {
    /// Reads the client's certificate and key.
    pub(super) fn of(arguments: &CallArguments) -> Result<Trust, CallError> {
        let identity = match (&arguments.cert, &arguments.key) {
            (Some(certificate), Some(key)) => Some(Identity {
                certificate_chain: read(certificate)?,
                private_key: read(key)?,
            }),
            _ => None,
        };
        Ok(Trust {
            authority: arguments.ca.clone(),
            identity,
            anybody: arguments.insecure,
        })
    }

    /// A connection to `HOST:PORT`.
    pub(super) async fn connect(&self, authority: &str, secure: bool) -> Result<Stream, CallError> {
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
        let host = host.trim_matches(['[', ']']);
        // The target was read with a port that is a number.
        let address = Address::Host(host.to_owned(), port.parse().unwrap_or(80));
        let stream = Network::Tcp.connect(&address).await;
        let stream = stream.map_err(|source| CallError::Connect {
            target: authority.to_owned(),
            source,
        })?;
        if !secure {
            return Ok(stream);
        }
        let connected = self.connector()?.connect(stream, host).await;
        let (stream, _) = connected.map_err(|source| CallError::Tls {
            target: authority.to_owned(),
            source,
        })?;
        Ok(stream)
    }

    fn connector(&self) -> Result<Connector, CallError> {
        let (identity, clock) = (self.identity.as_ref(), Clock::new_real());
        if self.anybody {
            return Ok(Connector::unverified(identity, &clock)?);
        }
        if let Some(path) = &self.authority {
            return Ok(Connector::new(&read(path)?, identity, &clock)?);
        }
        let system = SYSTEM_AUTHORITIES
            .iter()
            .map(Path::new)
            .find(|path| path.exists());
        let path = system.ok_or(CallError::NoAuthority)?;
        Connector::new(&read(path)?, identity, &clock).map_err(|error| match error {
            SetupError::Authority => CallError::NoAuthority,
            other => other.into(),
        })
    }
}

/// The host as requests name it: without the port everybody assumes.
pub(super) fn own_host(authority: &str, secure: bool) -> &str {
    let usual = if secure { ":443" } else { ":80" };
    authority.strip_suffix(usual).unwrap_or(authority)
}

fn read(path: &Path) -> Result<String, CallError> {
    fs::read_to_string(path).map_err(|error| CallError::File {
        path: path.to_owned(),
        error,
    })
}

/// Where systems keep the authorities they trust.
const SYSTEM_AUTHORITIES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];
