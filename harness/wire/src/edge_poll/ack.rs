//! The acknowledgement of a command and its answer (reference section 3.2).

use super::{ItemStatus, header, is_error_code};
use crate::{
    json,
    members::Members,
    oddity::{Decoded, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// The status an appliance acknowledges with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AckStatus {
    /// The command is running; may be repeated.
    InProgress,
    /// The effect is in place; terminal.
    Completed,
    /// It was started and did not succeed; terminal.
    Failed,
    /// It was refused without starting; terminal, legal only before `in_progress`.
    Rejected,
}

impl AckStatus {
    /// Every status, in the order of the reference; also the member `allowed` of `invalid_status`.
    pub const ALL: [AckStatus; 4] = [
        AckStatus::InProgress,
        AckStatus::Completed,
        AckStatus::Failed,
        AckStatus::Rejected,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.item_status().name()
    }

    /// The status of a name on the wire, which is case-sensitive.
    pub fn from_name(name: &str) -> Option<AckStatus> {
        AckStatus::ALL.into_iter().find(|s| s.name() == name)
    }

    /// True unless it is `in_progress`.
    pub fn is_terminal(self) -> bool {
        self != AckStatus::InProgress
    }

    /// The state of the command once this is stored.
    pub fn item_status(self) -> ItemStatus {
        match self {
            AckStatus::InProgress => ItemStatus::InProgress,
            AckStatus::Completed => ItemStatus::Completed,
            AckStatus::Failed => ItemStatus::Failed,
            AckStatus::Rejected => ItemStatus::Rejected,
        }
    }
}

/// The body of an acknowledgement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ack {
    /// What became of the command.
    pub status: AckStatus,
    /// Why it failed or was rejected, snake_case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// One sentence for people, at most 1024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Result data of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Map<String, Value>>,
    /// Time of the event by the unit's clock, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

impl Ack {
    /// An acknowledgement that carries the status alone.
    pub fn new(status: AckStatus) -> Self {
        Ack {
            status,
            error_code: None,
            message: None,
            details: None,
            timestamp: None,
        }
    }

    /// Sets the error code.
    #[must_use]
    pub fn with_error_code(mut self, code: impl Into<String>) -> Self {
        self.error_code = Some(code.into());
        self
    }

    /// Reads a request body. A missing `error_code` of a failure, and an `error_code`, `message` or `timestamp`
    /// outside its rule, are tolerable: the cloud stores them, and judging is for others.
    pub fn decode(bytes: &[u8]) -> Decoded<Ack> {
        let parsed = json::parse_request(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let status = members.required::<&str>("status").and_then(|text| {
                let status = AckStatus::from_name(text);
                if status.is_none() {
                    let detail = format!("`{text}` is no acknowledgement status");
                    members.report(OddityKind::UnknownName, Weight::Invalid, "status", detail);
                }
                status
            });
            let error_code: Option<String> = members.optional("error_code");
            let message: Option<String> = members.optional("message");
            let details = members.optional("details");
            let timestamp: Option<String> = members.optional("timestamp");
            let explained =
                error_code.is_some() || !matches!(status, Some(AckStatus::Failed | AckStatus::Rejected));
            if !explained {
                let detail = "a failed or rejected command needs an `error_code`";
                members.report(OddityKind::MissingMember, Weight::Tolerable, "error_code", detail);
            }
            let rules = [
                (
                    "error_code",
                    error_code.as_deref().is_none_or(is_error_code),
                    "not snake_case of at most 64 characters",
                ),
                (
                    "message",
                    message
                        .as_deref()
                        .is_none_or(|m| m.chars().count() <= header::MESSAGE_LIMIT),
                    "longer than 1024 characters",
                ),
                (
                    "timestamp",
                    timestamp.as_deref().is_none_or(|t| timestamp::parse(t).is_some()),
                    "not an RFC 3339 timestamp",
                ),
            ];
            for (name, holds, rule) in rules {
                if !holds {
                    members.report(OddityKind::InvalidValue, Weight::Tolerable, name, rule);
                }
            }
            members.finish();
            Some(Ack {
                status: status?,
                error_code,
                message,
                details,
                timestamp,
            })
        });
        Decoded { value, oddities }
    }
}

/// The 200 answer to an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AckAnswer {
    /// The command.
    pub id: String,
    /// Its status as stored.
    pub status: AckStatus,
    /// When the status was stored first, RFC 3339.
    pub acked_at: String,
}

impl AckAnswer {
    /// Reads the answer.
    pub fn decode(bytes: &[u8]) -> Decoded<AckAnswer> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let id = members.required("id");
            let status = members.required::<&str>("status").and_then(|text| {
                let status = AckStatus::from_name(text);
                if status.is_none() {
                    let detail = format!("`{text}` is no acknowledgement status");
                    members.report(OddityKind::UnknownName, Weight::Invalid, "status", detail);
                }
                status
            });
            let acked_at: Option<String> = members.required("acked_at");
            let is_time = acked_at.as_deref().is_none_or(|t| timestamp::parse(t).is_some());
            members.require(is_time, "acked_at", "not an RFC 3339 timestamp");
            members.finish();
            Some(AckAnswer {
                id: id?,
                status: status?,
                acked_at: acked_at?,
            })
        });
        Decoded { value, oddities }
    }
}
