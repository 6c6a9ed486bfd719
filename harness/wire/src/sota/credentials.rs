//! What `Authenticate` carries.

use super::members::{Context, Members, Read};
use serde_json::{Value, json};

/// Id and secret of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
}

/// How to authenticate. The rustc dialect knows an optional pair of credentials only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// By what is configured.
    #[default]
    None,
    /// By a TLS device certificate; serde dialect only.
    Certificate,
    /// By these credentials; upstream uses the configured ones all the same.
    Credentials(ClientCredentials),
}

impl ClientCredentials {
    /// The credentials as JSON.
    pub fn to_value(&self) -> Value {
        json!({"client_id": self.client_id, "client_secret": self.client_secret})
    }
}

impl Read for ClientCredentials {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let client_id = members.get("client_id", context);
        let client_secret = members.get("client_secret", context);
        members.note_unknown(context);
        Some(ClientCredentials {
            client_id: client_id?,
            client_secret: client_secret?,
        })
    }
}
