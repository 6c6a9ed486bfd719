//! The error answers: the two bodies the source fixes, and the common form of all (reference sections 2 and 3.1).

use super::{CommandType, error_code};
use crate::{
    json,
    members::Members,
    oddity::{Decoded, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Any error answer: `error`, usually `code` and `request_id`, and what the code adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorBody {
    /// One sentence for people.
    pub error: String,
    /// Machine code, see [`super::error_code`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Id of the request, also in header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Further members of this code, such as `field` or `retry_after`.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl ErrorBody {
    /// An error body with text and code.
    pub fn new(error: impl Into<String>, code: impl Into<String>) -> Self {
        ErrorBody {
            error: error.into(),
            code: Some(code.into()),
            request_id: None,
            members: Map::new(),
        }
    }

    /// Adds one further member.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.members.insert(name.into(), value.into());
        self
    }

    /// 400: not a JSON object.
    pub fn invalid_json() -> Self {
        ErrorBody::new("Invalid request", error_code::INVALID_JSON)
    }

    /// 400: a field is missing or wrong; `field` is dotted, such as `command.command_id`.
    pub fn invalid_field(field: impl Into<String>) -> Self {
        ErrorBody::new("Invalid request", error_code::INVALID_FIELD).with("field", field.into())
    }

    /// 400: a parameter is not allowed; `allowed` lists values, or says a range, or is empty.
    pub fn invalid_parameter(parameter: impl Into<String>, allowed: Vec<String>) -> Self {
        ErrorBody::new("Invalid parameter", error_code::INVALID_PARAMETER)
            .with("parameter", parameter.into())
            .with("allowed", allowed)
    }

    /// 409: the id was used for another command.
    pub fn command_id_conflict() -> Self {
        ErrorBody::new("Command id already used", error_code::COMMAND_ID_CONFLICT)
    }

    /// 429: wait this many seconds.
    pub fn rate_limited(retry_after_s: u64) -> Self {
        ErrorBody::new("Command rate limited", error_code::RATE_LIMITED).with("retry_after", retry_after_s)
    }

    /// Reads an error answer; only `error` is required and further members are legal.
    pub fn decode(bytes: &[u8]) -> Decoded<ErrorBody> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let error = members.required("error");
            let code = members.optional("code");
            let request_id = members.optional("request_id");
            let rest = members.rest();
            Some(ErrorBody {
                error: error?,
                code,
                request_id,
                members: rest,
            })
        });
        Decoded { value, oddities }
    }
}

/// The 400 answer to an unknown command type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvalidTypeBody {
    /// `Invalid command type`.
    pub error: String,
    /// The type as given.
    pub command_type: String,
    /// The six types.
    pub supported_commands: Vec<String>,
}

impl InvalidTypeBody {
    /// The text of `error`.
    pub const ERROR: &'static str = "Invalid command type";

    /// The answer to a type as given.
    pub fn new(command_type: impl Into<String>) -> Self {
        InvalidTypeBody {
            error: InvalidTypeBody::ERROR.to_owned(),
            command_type: command_type.into(),
            supported_commands: CommandType::ALL.iter().map(|t| t.name().to_owned()).collect(),
        }
    }

    /// Reads the answer; a list other than the six, in any order, is invalid.
    pub fn decode(bytes: &[u8]) -> Decoded<InvalidTypeBody> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let error: Option<String> = members.required("error");
            let command_type = members.required("command_type");
            let supported: Option<&Vec<Value>> = members.required("supported_commands");
            if let Some(list) = supported {
                let listed = |t: &CommandType| list.contains(&json!(t.name()));
                let is_six = list.len() == CommandType::ALL.len() && CommandType::ALL.iter().all(listed);
                members.require(is_six, "supported_commands", "not the six command types");
            }
            let is_text = error.as_deref().is_none_or(|e| e == InvalidTypeBody::ERROR);
            members.require(is_text, "error", "not `Invalid command type`");
            members.optional::<String>("code");
            members.optional::<String>("request_id");
            members.finish();
            let supported_commands = supported?
                .iter()
                .filter_map(|v| v.as_str().map(str::to_owned))
                .collect();
            Some(InvalidTypeBody {
                error: error?,
                command_type: command_type?,
                supported_commands,
            })
        });
        Decoded { value, oddities }
    }
}

/// The 409 answer of a busy device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BusyBody {
    /// `Device busy`.
    pub error: String,
    /// `device_busy`, which tells it from a conflict of ids; absent in the source's own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The type that executes.
    pub current_command: String,
    /// When it should be done, RFC 3339.
    pub estimated_completion: String,
}

impl BusyBody {
    /// The text of `error`.
    pub const ERROR: &'static str = "Device busy";

    /// The answer while a command executes; the time is RFC 3339.
    pub fn new(current: CommandType, estimated_completion: impl Into<String>) -> Self {
        BusyBody {
            error: BusyBody::ERROR.to_owned(),
            code: Some(error_code::DEVICE_BUSY.to_owned()),
            current_command: current.name().to_owned(),
            estimated_completion: estimated_completion.into(),
        }
    }

    /// Reads the answer.
    pub fn decode(bytes: &[u8]) -> Decoded<BusyBody> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let error: Option<String> = members.required("error");
            let code: Option<String> = members.optional("code");
            let current_command: Option<String> = members.required("current_command");
            let estimated_completion: Option<String> = members.required("estimated_completion");
            let rules = [
                (
                    "error",
                    error.as_deref().is_none_or(|e| e == BusyBody::ERROR),
                    "not `Device busy`",
                ),
                (
                    "code",
                    code.as_deref().is_none_or(|c| c == error_code::DEVICE_BUSY),
                    "not `device_busy`",
                ),
                (
                    "estimated_completion",
                    estimated_completion
                        .as_deref()
                        .is_none_or(|t| timestamp::parse(t).is_some()),
                    "not an RFC 3339 timestamp",
                ),
            ];
            for (name, holds, rule) in rules {
                members.require(holds, name, rule);
            }
            if let Some(name) = current_command
                .as_deref()
                .filter(|n| CommandType::from_name(n).is_none())
            {
                let detail = format!("`{name}` is none of the six command types");
                members.report(
                    OddityKind::UnknownName,
                    Weight::Invalid,
                    "current_command",
                    detail,
                );
            }
            members.optional::<String>("request_id");
            members.finish();
            Some(BusyBody {
                error: error?,
                code,
                current_command: current_command?,
                estimated_completion: estimated_completion?,
            })
        });
        Decoded { value, oddities }
    }
}
