//! The issue request and its 200 answer (reference section 3.1).

use super::{CommandObject, CommandStatus, Parameters, is_device_id, signing_input};
use crate::{json, members::Members, oddity::Decoded, timestamp};
use serde::Serialize;
use serde_json::Value;

/// Seconds between acceptance and start of a command without delay, as the answer estimates it.
const START_ESTIMATE_S: i64 = 2;

/// The body of an issue request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IssueRequest {
    /// The device; equals the path segment.
    pub device_id: String,
    /// What to do.
    pub command: CommandObject,
    /// Issue time, RFC 3339.
    pub timestamp: String,
}

impl IssueRequest {
    /// Reads a request body. Whether the device is the one of the path, the type is known, the timestamp is
    /// fresh and the signature fits is for the receiver, in its own order.
    pub fn decode(bytes: &[u8]) -> Decoded<IssueRequest> {
        let parsed = json::parse_request(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let device_id: Option<String> = members.required("device_id");
            let command = members
                .required::<&Value>("command")
                .and_then(|command| CommandObject::read(command, "/command", members.oddities()));
            let timestamp: Option<String> = members.required("timestamp");
            let is_device = device_id.as_deref().is_none_or(is_device_id);
            members.require(is_device, "device_id", "not a device id");
            let is_time = timestamp.as_deref().is_none_or(|t| timestamp::parse(t).is_some());
            members.require(is_time, "timestamp", "not an RFC 3339 timestamp");
            members.finish();
            Some(IssueRequest {
                device_id: device_id?,
                command: command?,
                timestamp: timestamp?,
            })
        });
        Decoded { value, oddities }
    }

    /// What its signature covers, in canonical form.
    pub fn signing_input(&self) -> Vec<u8> {
        signing_input(&self.device_id, &self.timestamp, &self.command)
    }
}

/// The 200 answer to an issue request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssueAnswer {
    /// Where the command stands now.
    pub command_status: CommandStatus,
    /// The command.
    pub command_id: String,
    /// When it will start, RFC 3339.
    pub estimated_execution: String,
    /// Seconds the device will be away.
    pub expected_downtime: u64,
    /// When the device will be back, RFC 3339.
    pub recovery_expected: String,
}

impl IssueAnswer {
    /// The answer by the reference arithmetic: start = acceptance + delay + 2 s, recovery = start + downtime.
    /// Times are Unix milliseconds.
    pub fn estimate(
        command_status: CommandStatus,
        command_id: impl Into<String>,
        accepted_at_millis: i64,
        execution_delay_s: u64,
        parameters: &Parameters,
    ) -> Self {
        let expected_downtime = parameters.expected_downtime_s();
        let seconds = |s: u64| i64::try_from(s).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
        let start = accepted_at_millis
            .saturating_add(START_ESTIMATE_S * 1000)
            .saturating_add(seconds(execution_delay_s));
        IssueAnswer {
            command_status,
            command_id: command_id.into(),
            estimated_execution: timestamp::format_millis(start),
            expected_downtime,
            recovery_expected: timestamp::format_millis(start.saturating_add(seconds(expected_downtime))),
        }
    }

    /// Reads the answer.
    pub fn decode(bytes: &[u8]) -> Decoded<IssueAnswer> {
        let parsed = json::parse_answer(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let command_status = CommandStatus::read(&mut members, "command_status");
            let command_id = members.required("command_id");
            let estimated_execution: Option<String> = members.required("estimated_execution");
            let expected_downtime = members.required("expected_downtime");
            let recovery_expected: Option<String> = members.required("recovery_expected");
            let times = [
                ("estimated_execution", &estimated_execution),
                ("recovery_expected", &recovery_expected),
            ];
            for (name, time) in times {
                let is_time = time.as_deref().is_none_or(|t| timestamp::parse(t).is_some());
                members.require(is_time, name, "not an RFC 3339 timestamp");
            }
            members.finish();
            Some(IssueAnswer {
                command_status: command_status?,
                command_id: command_id?,
                estimated_execution: estimated_execution?,
                expected_downtime: expected_downtime?,
                recovery_expected: recovery_expected?,
            })
        });
        Decoded { value, oddities }
    }
}
