//! Who may call what: the access list and digest credentials (reference sections 2.5 and 2.6).

use super::defects;
use crate::{Flash, Setup};
use hil_unit::UnitError;
use hil_wire::ota_rpc::{
    RpcError,
    acl::{self, AccessList},
    code,
    digest::{Algorithm, Challenge, Context as DigestContext, Credentials, Expectation, Refusal, user_hash},
};
use serde_json::{Map, Value, json};

/// The access list with the users it can name.
#[derive(Clone, Debug, Default)]
pub(super) struct Access {
    list: Option<Result<AccessList, acl::AccessListError>>,
    realm: String,
    users: Map<String, Value>,
    /// Who gets in who should not.
    lenience: Lenience,
}

/// Deliberate gaps.
#[derive(Clone, Copy, Debug, Default)]
struct Lenience {
    open: bool,
    any_password: bool,
    excluded: bool,
}

/// Why a call is not carried out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NoAccess {
    /// Credentials are needed, or the ones given are not good.
    Demand(Challenge),
    /// Answered with an error.
    Refused(RpcError),
    /// Not answered at all: the list cannot be read.
    Silence,
}

/// Puts the declared access list into flash.
pub(super) fn provision(state: &Map<String, Value>, flash: &mut Flash) -> Result<(), UnitError> {
    // The list is text in scenarios, and easily JSON on a command line.
    let list = match state.get("acl") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(list @ Value::Array(_)) => list.to_string(),
        None | Some(Value::Null | Value::String(_)) => return Ok(()),
        Some(_) => {
            return Err(UnitError::BadArgument {
                name: "acl".into(),
                problem: "is no access list".into(),
            });
        }
    };
    let realm = state.get("realm").and_then(Value::as_str).unwrap_or("RPC");
    let mut hashes = Map::new();
    for (user, password) in state
        .get("users")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let password = password.as_str().unwrap_or_default();
        hashes.insert(
            user.clone(),
            user_hash(Algorithm::Md5, user, realm, password).into(),
        );
    }
    let settings = json!({"acl": list, "realm": realm, "users": hashes});
    flash
        .write(FILE, settings.to_string())
        .map_err(|error| UnitError::Lab(error.to_string()))
}

impl Access {
    /// The settings in flash.
    pub(super) fn load(flash: &Flash, setup: &Setup) -> Access {
        let settings: Option<Value> = flash
            .read(FILE)
            .and_then(|bytes| serde_json::from_slice(bytes).ok());
        let Some(settings) = settings else {
            return Access::default();
        };
        Access {
            list: settings["acl"].as_str().map(AccessList::parse),
            realm: settings["realm"].as_str().unwrap_or_default().to_owned(),
            users: settings["users"].as_object().cloned().unwrap_or_default(),
            lenience: Lenience {
                open: setup.has(defects::OPEN_TO_ALL),
                any_password: setup.has(defects::ANY_PASSWORD),
                excluded: setup.has(defects::EXCLUDED_SERVED),
            },
        }
    }

    /// Decides about a call. `channel` is a type name such as `UART`.
    pub(super) fn check(
        &self,
        method: &str,
        channel: &str,
        given: Option<Result<Credentials, Refusal>>,
        context: DigestContext<'_>,
        now_seconds: u64,
    ) -> Result<(), NoAccess> {
        let list = match &self.list {
            None => return Ok(()),
            Some(Ok(_)) if self.lenience.open => return Ok(()),
            Some(Err(_)) => return Err(NoAccess::Silence),
            Some(Ok(list)) => list,
        };
        let denied = || NoAccess::Refused(RpcError::new(code::FORBIDDEN, "Forbidden"));
        match list.decide(method, channel, None) {
            acl::Access::Allowed => return Ok(()),
            acl::Access::Denied => return Err(denied()),
            acl::Access::CredentialsNeeded => {}
        }
        let demand = NoAccess::Demand(Challenge {
            realm: self.realm.clone(),
            nonce: now_seconds,
            algorithm: Algorithm::Md5,
        });
        let credentials = match given {
            None => return Err(demand),
            Some(Err(_)) => {
                let error = RpcError::new(code::BAD_REQUEST, "All of the auth fields are required");
                return Err(NoAccess::Refused(error));
            }
            Some(Ok(credentials)) => credentials,
        };
        let hash = self.users.get(&credentials.username).and_then(Value::as_str);
        let Some(user_hash) = hash else {
            return Err(demand);
        };
        let expected = Expectation {
            realm: &self.realm,
            algorithm: Algorithm::Md5,
            user_hash,
            now_seconds,
            context,
        };
        if credentials.check(&expected).is_err() && !self.lenience.any_password {
            return Err(demand);
        }
        match list.decide(method, channel, Some(&credentials.username)) {
            acl::Access::Allowed => Ok(()),
            _ if self.lenience.excluded => Ok(()),
            _ => Err(denied()),
        }
    }
}

const FILE: &str = "state/access";
