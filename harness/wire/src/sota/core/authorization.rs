//! The `Authorization` header: Basic for the token call, Bearer for all others. Bearer tokens are read by
//! [`crate::http::Headers::bearer_token`].

use crate::sota::credentials::ClientCredentials;
use base64::{Engine, engine::general_purpose::STANDARD};

/// The header value with a client's id and secret.
pub fn basic(credentials: &ClientCredentials) -> String {
    let pair = format!("{}:{}", credentials.client_id, credentials.client_secret);
    format!("Basic {}", STANDARD.encode(pair))
}

/// The header value with a token.
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Id and secret of a header value.
pub fn read_basic(value: &str) -> Option<ClientCredentials> {
    let decoded = STANDARD.decode(after_scheme(value, "Basic")?).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (client_id, client_secret) = pair.split_once(':')?;
    Some(ClientCredentials {
        client_id: client_id.to_owned(),
        client_secret: client_secret.to_owned(),
    })
}

fn after_scheme<'a>(value: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = value.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
