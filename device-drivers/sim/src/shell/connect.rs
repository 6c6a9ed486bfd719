//! Opens connections to what a URL names, with TLS where it asks for it.

use super::{environment::Environment, names, old_tls::OldTls, registry::TaskGuard};
use crate::{HttpCall, HttpError, Url, defect::ANY_TLS_VERSION};
use hil_link::{Address, Stream, tls};

/// Connects, and presents the TLS client identity the call asks for.
pub(crate) async fn connect(
    environment: &Environment,
    url: &Url,
    call: &HttpCall,
    guard: &TaskGuard,
) -> Result<Stream, HttpError> {
    names::resolve(environment, &url.host).await?;
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
    let named = call
        .identity
        .as_ref()
        .and_then(|name| endpoints.identities.get(name));
    let identity = call.credentials.as_deref().or(named);
    let connector = match call.unverified {
        true => tls::Connector::unverified(identity, &environment.clock),
        false => tls::Connector::new(&endpoints.authority, identity, &environment.clock),
    };
    let connector = connector.map_err(|error| HttpError::Tls(error.to_string()))?;
    let stream = match environment.setup.has(ANY_TLS_VERSION) {
        true => OldTls::over(stream),
        false => stream,
    };
    let (stream, _) = connector
        .connect(stream, &url.host)
        .await
        .map_err(|error| HttpError::Tls(error.to_string()))?;
    Ok(stream)
}
