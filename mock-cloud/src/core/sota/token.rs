//! Tokens: who gets one, what it allows, and how both can be taken away (reference sections 4.2 to 4.4).

use super::SotaCloud;
use crate::{core::Outputs, settings::CloudSettings, store::Change};
use hil_wire::{
    digest::sha256_hex,
    http::{Request, Response},
    sota::{
        ClientCredentials,
        core::{Call, CoreError, GRANT_BODY, Scope, TokenAnswer, read_basic},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Collection of tokens in the store.
pub(super) const COLLECTION: &str = "sota_tokens";

/// What the authentication server knows.
#[derive(Debug)]
pub(super) struct Tokens {
    /// Whether Core asks for tokens at all.
    pub(super) needed: bool,
    /// The client's credentials.
    pub(super) credentials: ClientCredentials,
    /// Status the client is refused with.
    pub(super) refused: Option<u16>,
    /// What every token allows now.
    pub(super) read: bool,
    /// As `read`.
    pub(super) write: bool,
    /// Tokens given, and whether they are still valid.
    given: BTreeMap<String, bool>,
    /// Tokens a cloud before this one gave to the same client are invalid too.
    revoked: bool,
    next: u64,
}

impl Tokens {
    /// No token given yet.
    pub(super) fn new(settings: &CloudSettings, device: &str) -> Self {
        Tokens {
            needed: settings.options.get("auth") != Some(&Value::Bool(false)),
            credentials: ClientCredentials {
                client_id: settings.text("client_id").unwrap_or(device).to_owned(),
                client_secret: settings.unit_key.clone(),
            },
            refused: None,
            read: true,
            write: true,
            given: BTreeMap::new(),
            revoked: false,
            next: 1,
        }
    }

    /// Takes a token back from the store.
    pub(super) fn load(&mut self, token: String, document: &Value) {
        self.given.insert(token, document == &json!({"valid": true}));
        self.next = self.given.len() as u64 + 1;
    }

    /// Every token given so far is invalid.
    pub(super) fn revoke(&mut self, out: &mut Outputs) {
        self.revoked = true;
        for (token, valid) in &mut self.given {
            *valid = false;
            out.changes.push(change(token, false));
        }
    }

    /// A new token.
    pub(super) fn give(&mut self, out: &mut Outputs) -> String {
        let token = self.numbered(&self.next.to_string());
        self.next += 1;
        self.given.insert(token.clone(), true);
        out.changes.push(change(&token, true));
        token
    }

    /// A token says which it is, and proves that it was given to this client.
    fn numbered(&self, number: &str) -> String {
        let text = format!("{}/{number}", self.credentials.client_secret);
        format!("tok-{number}-{}", &sha256_hex(text.as_bytes())[..32])
    }

    /// Whether a token was given and not revoked since; a unit that outlives this cloud may hold one of the cloud before.
    fn is_valid(&self, token: &str) -> bool {
        match self.given.get(token) {
            Some(valid) => *valid,
            None => {
                let number = token.split('-').nth(1).unwrap_or_default();
                !self.revoked && self.numbered(number) == token
            }
        }
    }

    /// Whether a request may do this; `Err` is the refusal.
    pub(super) fn check(&self, call: &Call, request: &Request) -> Result<(), Response> {
        if !self.needed {
            return Ok(());
        }
        let token = request.headers.bearer_token();
        if !token.is_some_and(|token| self.is_valid(token)) {
            let refusal = refusal(401, "invalid_token", "A valid token is needed.");
            return Err(refusal.header("WWW-Authenticate", "Bearer"));
        }
        let allowed = match call.scope() {
            Some(Scope::Read) => self.read,
            Some(Scope::Write) => self.write,
            None => true,
        };
        match allowed {
            true => Ok(()),
            false => Err(refusal(403, "missing_scope", "The token does not allow this.")),
        }
    }
}

impl SotaCloud {
    /// A1.
    pub(super) fn token(&mut self, request: &Request, out: &mut Outputs) -> Response {
        if let Some(status) = self.tokens.refused {
            return refusal(status, "access_denied", "The client is refused.");
        }
        let given = request.headers.get("Authorization").and_then(read_basic);
        if given.as_ref() != Some(&self.tokens.credentials) {
            let refusal = refusal(401, "invalid_client", "The client's credentials are wrong.");
            return refusal.header("WWW-Authenticate", "Basic realm=\"sota\"");
        }
        if request.body != GRANT_BODY.as_bytes() {
            return refusal(400, "unsupported_grant_type", "Only client_credentials is given.");
        }
        let token = self.tokens.give(out);
        let mut answer = TokenAnswer::for_device(token, &self.device, EXPIRES_IN);
        let scopes = [(Scope::Read, self.tokens.read), (Scope::Write, self.tokens.write)];
        let names: Vec<String> = scopes
            .into_iter()
            .filter(|(_, allowed)| *allowed)
            .map(|(scope, _)| scope.name(&self.device))
            .collect();
        answer.scope = names.join(" ");
        Response::json(200, &answer.to_value())
    }
}

/// An error answer.
pub(super) fn refusal(status: u16, code: &str, description: &str) -> Response {
    Response::json(status, &CoreError::new(code, description).to_value())
}

fn change(token: &str, valid: bool) -> Change {
    Change::Put {
        collection: COLLECTION,
        key: token.to_owned(),
        document: json!({"valid": valid}),
    }
}

const EXPIRES_IN: i32 = 3600;
