//! Opens connections to what a URL names, with TLS where it asks for it.

use super::{environment::Environment, registry::TaskGuard};
use crate::{HttpError, Url};
use hil_link::{Address, Stream, pki, tls};

/// Connects; `identity` names the TLS client identity to present.
pub(crate) async fn connect(
    environment: &Environment,
    url: &Url,
    identity: Option<&str>,
    guard: &TaskGuard,
) -> Result<Stream, HttpError> {
    let address = Address::Host(url.host.clone(), url.port);
    let stream = environment
        .network
        .connect(&address)
        .await
        .map_err(|error| HttpError::Connect(error.to_string()))?;
    guard.attach(stream.handle());
    if !url.secure {
        return Ok(stream);
    }
    let endpoints = &environment.setup.endpoints;
    let identity = identity
        .and_then(|name| endpoints.identities.get(name))
        .map(|own| pki::Identity {
            certificate_chain: own.certificate_chain.clone(),
            private_key: own.private_key.clone(),
        });
    let connector = tls::Connector::new(&endpoints.authority, identity.as_ref(), &environment.clock)
        .map_err(|error| HttpError::Tls(error.to_string()))?;
    let (stream, _) = connector
        .connect(stream, &url.host)
        .await
        .map_err(|error| HttpError::Tls(error.to_string()))?;
    Ok(stream)
}
