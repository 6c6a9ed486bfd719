//! The answer of the authentication server (reference section 4.3).

use super::{call::Scope, uploads::decode};
use crate::{
    oddity::Decoded,
    sota::members::{Context, Members, Read},
};
use serde_json::{Value, json};

/// A token; all four members are required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAnswer {
    /// The token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds; the client does not act upon it.
    pub expires_in: i32,
    /// Scopes between blanks.
    pub scope: String,
}

impl TokenAnswer {
    /// A bearer token for one device, with both scopes.
    pub fn for_device(access_token: impl Into<String>, device: &str, expires_in: i32) -> Self {
        TokenAnswer {
            access_token: access_token.into(),
            token_type: "Bearer".to_owned(),
            expires_in,
            scope: format!("{} {}", Scope::Read.name(device), Scope::Write.name(device)),
        }
    }

    /// True if the token allows `scope` for that device.
    pub fn allows(&self, scope: Scope, device: &str) -> bool {
        let name = scope.name(device);
        self.scope.split(' ').any(|s| s == name)
    }

    /// Decodes an answer.
    pub fn decode(bytes: &[u8]) -> Decoded<TokenAnswer> {
        decode(bytes)
    }

    /// The answer as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.expires_in,
            "scope": self.scope,
        })
    }
}

impl Read for TokenAnswer {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let access_token = members.get("access_token", context);
        let token_type = members.get("token_type", context);
        let expires_in = members.get("expires_in", context);
        let scope = members.get("scope", context);
        members.note_unknown(context);
        Some(TokenAnswer {
            access_token: access_token?,
            token_type: token_type?,
            expires_in: expires_in?,
            scope: scope?,
        })
    }
}
