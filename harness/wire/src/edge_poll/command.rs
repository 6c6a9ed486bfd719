//! What a command asks for: the typed payloads and their rules (reference section 4).

use super::{Subnet, SubnetError, error_code, is_service_name, is_snap_name, is_version};
use crate::{digest, oddity::OddityKind};
use serde_json::{Map, Value, json};

/// A command with its payload understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `update_snap`: install exactly this version.
    UpdateSnap {
        /// Which snap.
        snap_name: String,
        /// Which version.
        version: String,
        /// Expected `sha256:<64 hex>` of the snap, if the operator gave one.
        checksum: Option<String>,
        /// Whether an older version may be installed.
        allow_downgrade: bool,
    },
    /// `restart_service`: restart this service only.
    RestartService {
        /// Name of the service, within its pattern.
        service: String,
    },
    /// `run_discovery`: probe the addresses of this subnet.
    RunDiscovery {
        /// A local subnet of at most 65536 addresses.
        subnet: Subnet,
    },
    /// `config_update`: merge these members into the configuration (RFC 7396), all or none.
    ConfigUpdate(Map<String, Value>),
    /// A type this version does not know.
    Unknown {
        /// The type as given.
        name: String,
        /// The payload as given.
        payload: Value,
    },
}

impl Command {
    /// The names of the four known types.
    pub const NAMES: [&'static str; 4] = ["update_snap", "restart_service", "run_discovery", "config_update"];

    /// The value of member `command`.
    pub fn name(&self) -> &str {
        match self {
            Command::UpdateSnap { .. } => "update_snap",
            Command::RestartService { .. } => "restart_service",
            Command::RunDiscovery { .. } => "run_discovery",
            Command::ConfigUpdate(_) => "config_update",
            Command::Unknown { name, .. } => name,
        }
    }

    /// The value of member `payload`; optional members only where they differ from their default.
    pub fn payload(&self) -> Value {
        match self {
            Command::UpdateSnap {
                snap_name,
                version,
                checksum,
                allow_downgrade,
            } => {
                let mut payload = json!({"snap_name": snap_name, "version": version});
                if let Some(checksum) = checksum {
                    payload["checksum"] = json!(checksum);
                }
                if *allow_downgrade {
                    payload["allow_downgrade"] = json!(true);
                }
                payload
            }
            Command::RestartService { service } => json!({"service": service}),
            Command::RunDiscovery { subnet } => json!({"subnet": subnet.to_string()}),
            Command::ConfigUpdate(members) => Value::Object(members.clone()),
            Command::Unknown { payload, .. } => payload.clone(),
        }
    }
}

/// Why a payload cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The payload is not an object.
    #[error("the payload is not an object")]
    NotAnObject,
    /// A required member is absent.
    #[error("payload member `{0}` is missing")]
    Missing(&'static str),
    /// A member has another JSON type.
    #[error("payload member `{member}` is not {expected}")]
    WrongType {
        /// Which member.
        member: &'static str,
        /// The type with its article.
        expected: &'static str,
    },
    /// A name, version or checksum outside its pattern.
    #[error("payload member `{0}` is malformed")]
    Malformed(&'static str),
    /// The service name is outside its pattern, so no unit can know it.
    #[error("payload member `service` is not a service name")]
    ServiceName,
    /// The subnet may not be scanned.
    #[error("payload member `subnet`: {0}")]
    Subnet(#[from] SubnetError),
}

impl PayloadError {
    /// The `error_code` a unit rejects the command with.
    pub fn error_code(&self) -> &'static str {
        match self {
            PayloadError::ServiceName => error_code::UNKNOWN_SERVICE,
            PayloadError::Subnet(_) => error_code::INVALID_SUBNET,
            _ => error_code::INVALID_PAYLOAD,
        }
    }

    /// The member at fault, if it is one.
    pub fn member(&self) -> Option<&'static str> {
        match self {
            PayloadError::NotAnObject => None,
            PayloadError::Missing(member) | PayloadError::Malformed(member) => Some(member),
            PayloadError::WrongType { member, .. } => Some(member),
            PayloadError::ServiceName => Some("service"),
            PayloadError::Subnet(_) => Some("subnet"),
        }
    }

    /// The same in the vocabulary of all codecs.
    pub fn oddity_kind(&self) -> OddityKind {
        match self {
            PayloadError::NotAnObject | PayloadError::WrongType { .. } => OddityKind::WrongType,
            PayloadError::Missing(_) => OddityKind::MissingMember,
            PayloadError::Malformed(_) | PayloadError::ServiceName | PayloadError::Subnet(_) => {
                OddityKind::InvalidValue
            }
        }
    }
}

/// Reads the payload of a command by its type. Unknown members are ignored; an unknown type is
/// [`Command::Unknown`], not an error.
pub fn parse_payload(command: &str, payload: &Value) -> Result<Command, PayloadError> {
    if !Command::NAMES.contains(&command) {
        return Ok(Command::Unknown {
            name: command.to_owned(),
            payload: payload.clone(),
        });
    }
    let members = payload.as_object().ok_or(PayloadError::NotAnObject)?;
    match command {
        "update_snap" => {
            let snap_name = required_text(members, "snap_name")?;
            let version = required_text(members, "version")?;
            let checksum = text(members, "checksum")?;
            let allow_downgrade = match members.get("allow_downgrade") {
                None => false,
                Some(value) => value.as_bool().ok_or(PayloadError::WrongType {
                    member: "allow_downgrade",
                    expected: "a boolean",
                })?,
            };
            if !is_snap_name(&snap_name) {
                return Err(PayloadError::Malformed("snap_name"));
            }
            if !is_version(&version) {
                return Err(PayloadError::Malformed("version"));
            }
            if checksum
                .as_deref()
                .is_some_and(|c| digest::parse_sha256(c).is_err())
            {
                return Err(PayloadError::Malformed("checksum"));
            }
            Ok(Command::UpdateSnap {
                snap_name,
                version,
                checksum,
                allow_downgrade,
            })
        }
        "restart_service" => {
            let service = required_text(members, "service")?;
            if is_service_name(&service) {
                Ok(Command::RestartService { service })
            } else {
                Err(PayloadError::ServiceName)
            }
        }
        "run_discovery" => {
            let subnet: Subnet = required_text(members, "subnet")?.parse()?;
            if subnet.is_local() {
                Ok(Command::RunDiscovery { subnet })
            } else {
                Err(SubnetError::NotLocal.into())
            }
        }
        _ => Ok(Command::ConfigUpdate(members.clone())),
    }
}

/// The configuration keys of a reference unit.
pub const REFERENCE_CONFIG_KEYS: [&str; 3] = ["poll_interval_s", "log_level", "discovery_enabled"];

/// The keys of a `config_update` a reference unit must refuse: unknown ones and those with a value that is not
/// allowed, in payload order. Null, which deletes a key by RFC 7396, means its default and is allowed.
pub fn invalid_config_keys(update: &Map<String, Value>) -> Vec<String> {
    update
        .iter()
        .filter(|(key, value)| !is_config_value(key, value))
        .map(|(key, _)| key.clone())
        .collect()
}

fn is_config_value(key: &str, value: &Value) -> bool {
    if value.is_null() {
        return REFERENCE_CONFIG_KEYS.contains(&key);
    }
    match key {
        "poll_interval_s" => value.as_u64().is_some_and(|n| (1..=86_400).contains(&n)),
        "log_level" => matches!(value.as_str(), Some("error" | "warn" | "info" | "debug")),
        "discovery_enabled" => value.is_boolean(),
        _ => false,
    }
}

fn required_text(members: &Map<String, Value>, name: &'static str) -> Result<String, PayloadError> {
    text(members, name)?.ok_or(PayloadError::Missing(name))
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, PayloadError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(PayloadError::WrongType {
            member: name,
            expected: "a string",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_type_and_writes_it_back() {
        for (name, payload) in [
            (
                "update_snap",
                json!({"snap_name": "edge-agent", "version": "1.2.3"}),
            ),
            (
                "update_snap",
                json!({"snap_name": "a", "version": "1", "allow_downgrade": true}),
            ),
            ("restart_service", json!({"service": "telemetry"})),
            ("run_discovery", json!({"subnet": "192.168.10.0/28"})),
            ("config_update", json!({"log_level": "debug"})),
            ("format_disk", json!([1])),
        ] {
            let command = parse_payload(name, &payload).unwrap();
            assert_eq!((command.name(), command.payload()), (name, payload));
        }
    }

    #[test]
    fn says_what_is_wrong_and_with_which_code() {
        for (name, payload, code, member) in [
            (
                "update_snap",
                json!({"snap_name": "a"}),
                "invalid_payload",
                Some("version"),
            ),
            (
                "update_snap",
                json!({"snap_name": "a", "version": "../x"}),
                "invalid_payload",
                Some("version"),
            ),
            (
                "restart_service",
                json!({"service": 42}),
                "invalid_payload",
                Some("service"),
            ),
            (
                "restart_service",
                json!({"service": "$(id)"}),
                "unknown_service",
                Some("service"),
            ),
            (
                "run_discovery",
                json!({"subnet": "0.0.0.0/0"}),
                "invalid_subnet",
                Some("subnet"),
            ),
            (
                "run_discovery",
                json!({"subnet": "8.8.8.0/24"}),
                "invalid_subnet",
                Some("subnet"),
            ),
            (
                "run_discovery",
                json!({"subnet": null}),
                "invalid_payload",
                Some("subnet"),
            ),
            ("config_update", json!("x"), "invalid_payload", None),
        ] {
            let error = parse_payload(name, &payload).unwrap_err();
            assert_eq!((error.error_code(), error.member()), (code, member), "{payload}");
        }
    }

    #[test]
    fn knows_the_reference_configuration() {
        let update =
            json!({"log_level": "debug", "poll_interval_s": -5, "colour": 1, "discovery_enabled": null});
        let keys = invalid_config_keys(update.as_object().unwrap());
        assert_eq!(keys, ["poll_interval_s", "colour"]);
    }
}
