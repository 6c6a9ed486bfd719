//! The command object, in issue requests and fetch answers (reference section 3.1).

use super::{CommandType, header, is_command_id};
use crate::{
    members::Members,
    oddity::{Oddity, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// One command as sent. The type may be unknown and the parameters are not yet read; see
/// [`super::Parameters::parse`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CommandObject {
    /// Name of the type, as given.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Unique for its device.
    pub command_id: String,
    /// Seconds before execution, 0..=604800; absent = 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_delay: Option<u64>,
    /// Parameters by name; absent = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// Not to be started after this instant, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Signature of the command, see [`super::Signature`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Members nobody defined; kept, because the signature covers them.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl CommandObject {
    /// A command with the required members alone.
    pub fn new(command_type: CommandType, command_id: impl Into<String>) -> Self {
        CommandObject {
            type_name: command_type.name().to_owned(),
            command_id: command_id.into(),
            execution_delay: None,
            parameters: None,
            expires_at: None,
            signature: None,
            members: Map::new(),
        }
    }

    /// The type, if it is one of the six.
    pub fn command_type(&self) -> Option<CommandType> {
        CommandType::from_name(&self.type_name)
    }

    /// The parameters as a JSON object, empty if there are none.
    pub fn parameters_value(&self) -> Value {
        Value::Object(self.parameters.clone().unwrap_or_default())
    }

    /// `expires_at` in Unix milliseconds.
    pub fn expires_at_millis(&self) -> Option<i64> {
        self.expires_at.as_deref().and_then(timestamp::parse_millis)
    }

    /// Reads one command at a place of a message.
    pub fn read(value: &Value, path: &str, oddities: &mut Vec<Oddity>) -> Option<CommandObject> {
        let mut members = Members::open(value, path, oddities)?;
        let command = CommandObject::read_members(&mut members);
        let undefined = members.finish();
        command.map(|command| CommandObject {
            members: undefined,
            ..command
        })
    }

    /// Reads the defined members; the caller takes the rest. An unknown type is tolerable here: the receiver
    /// answers it in its own way.
    pub(super) fn read_members(members: &mut Members<'_, '_>) -> Option<CommandObject> {
        let type_name: Option<String> = members.required("type");
        let command_id: Option<String> = members.required("command_id");
        let execution_delay = members.optional::<i64>("execution_delay");
        let parameters = members.optional("parameters");
        let expires_at: Option<String> = members.optional("expires_at");
        let signature = members.optional("signature");
        if let Some(name) = type_name
            .as_deref()
            .filter(|n| CommandType::from_name(n).is_none())
        {
            let detail = format!("`{name}` is none of the six command types");
            members.report(OddityKind::UnknownName, Weight::Tolerable, "type", detail);
        }
        let rules = [
            (
                "command_id",
                command_id.as_deref().is_none_or(is_command_id),
                "a command id has 1 to 64 of A-Z a-z 0-9 _ -",
            ),
            (
                "execution_delay",
                execution_delay
                    .is_none_or(|s| u64::try_from(s).is_ok_and(|s| s <= header::EXECUTION_DELAY_LIMIT_S)),
                "not within 0 and 604800 seconds",
            ),
            (
                "expires_at",
                expires_at
                    .as_deref()
                    .is_none_or(|t| timestamp::parse(t).is_some()),
                "not an RFC 3339 timestamp",
            ),
        ];
        for (name, holds, rule) in rules {
            members.require(holds, name, rule);
        }
        Some(CommandObject {
            type_name: type_name?,
            command_id: command_id?,
            execution_delay: execution_delay.and_then(|s| s.try_into().ok()),
            parameters,
            expires_at,
            signature,
            members: Map::new(),
        })
    }
}
