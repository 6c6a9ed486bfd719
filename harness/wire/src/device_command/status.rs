//! The status report of a command and its answer (reference section 3.3).

use super::header;
use crate::{
    json,
    members::Members,
    oddity::{Decoded, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandStatus {
    /// Accepted and not started; a device never reports it.
    Queued,
    /// Started; may be repeated with other details.
    Executing,
    /// Done; terminal.
    Completed,
    /// Not done, or refused; terminal.
    Failed,
}

impl CommandStatus {
    /// Every status, in the order of the life cycle.
    pub const ALL: [CommandStatus; 4] = [
        CommandStatus::Queued,
        CommandStatus::Executing,
        CommandStatus::Completed,
        CommandStatus::Failed,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            CommandStatus::Queued => "queued",
            CommandStatus::Executing => "executing",
            CommandStatus::Completed => "completed",
            CommandStatus::Failed => "failed",
        }
    }

    /// The status of a name on the wire.
    pub fn from_name(name: &str) -> Option<CommandStatus> {
        CommandStatus::ALL.into_iter().find(|s| s.name() == name)
    }

    /// True for `completed` and `failed`.
    pub fn is_terminal(self) -> bool {
        matches!(self, CommandStatus::Completed | CommandStatus::Failed)
    }

    pub(super) fn read(members: &mut Members<'_, '_>, name: &'static str) -> Option<CommandStatus> {
        let text = members.required::<&str>(name)?;
        let status = CommandStatus::from_name(text);
        if status.is_none() {
            let detail = format!("`{text}` is no command status");
            members.report(OddityKind::UnknownName, Weight::Invalid, name, detail);
        }
        status
    }
}

/// The body of a status report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusBody {
    /// The command being executed.
    pub command_id: String,
    /// `executing`, `completed` or `failed`.
    pub status: CommandStatus,
    /// Device time, RFC 3339; before 2020 it means that the clock is not set.
    pub timestamp: String,
    /// One of the fixed texts, see [`super::status_text`]; at most 2048 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

impl StatusBody {
    /// Reads a request body. Empty `details`, which should be omitted, are tolerable.
    pub fn decode(bytes: &[u8]) -> Decoded<StatusBody> {
        let parsed = json::parse_request(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let command_id: Option<String> = members.required("command_id");
            let status = CommandStatus::read(&mut members, "status");
            let timestamp: Option<String> = members.required("timestamp");
            let details: Option<String> = members.optional("details");
            let rules = [
                // A device that refuses a command names the id it was given, whatever that looks like.
                (
                    "command_id",
                    command_id.as_deref() != Some(""),
                    "an empty command id",
                ),
                (
                    "status",
                    status != Some(CommandStatus::Queued),
                    "a device never reports `queued`",
                ),
                (
                    "timestamp",
                    timestamp.as_deref().is_none_or(|t| timestamp::parse(t).is_some()),
                    "not an RFC 3339 timestamp",
                ),
                (
                    "details",
                    details
                        .as_deref()
                        .is_none_or(|d| d.len() <= header::DETAILS_LIMIT),
                    "longer than 2048 bytes",
                ),
            ];
            for (name, holds, rule) in rules {
                members.require(holds, name, rule);
            }
            if details.as_deref() == Some("") {
                let detail = "empty details are to be omitted";
                members.report(OddityKind::InvalidValue, Weight::Tolerable, "details", detail);
            }
            members.finish();
            Some(StatusBody {
                command_id: command_id?,
                status: status?,
                timestamp: timestamp?,
                details,
            })
        });
        Decoded { value, oddities }
    }

    /// Device time in Unix milliseconds, if the device's clock is set (2020 or later).
    pub fn timestamp_millis(&self) -> Option<i64> {
        const YEAR_2020: i64 = 1_577_836_800_000;
        timestamp::parse_millis(&self.timestamp).filter(|t| *t >= YEAR_2020)
    }
}

/// The 200 answer to a status report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusAnswer {
    /// Always true.
    pub accepted: bool,
    /// Whether the device should fetch.
    pub commands_pending: bool,
    /// The cloud's clock, RFC 3339.
    pub server_time: String,
    /// True if the same terminal status was stored before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<bool>,
}

impl StatusAnswer {
    /// Reads the answer.
    pub fn decode(bytes: &[u8]) -> Decoded<StatusAnswer> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let accepted = members.required("accepted");
            let commands_pending = members.required("commands_pending");
            let server_time: Option<String> = members.required("server_time");
            let duplicate = members.optional("duplicate");
            let is_time = server_time
                .as_deref()
                .is_none_or(|t| timestamp::parse(t).is_some());
            members.require(is_time, "server_time", "not an RFC 3339 timestamp");
            members.finish();
            Some(StatusAnswer {
                accepted: accepted?,
                commands_pending: commands_pending?,
                server_time: server_time?,
                duplicate,
            })
        });
        Decoded { value, oddities }
    }
}
