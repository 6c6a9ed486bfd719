//! The status report of an update attempt (reference section 3.5).

use super::{is_command_id, is_snap_name, is_version};
use crate::{
    json,
    members::Members,
    oddity::{Decoded, OddityKind, Weight},
    timestamp,
};
use serde::Serialize;

/// How far an update attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportStatus {
    /// The blob is being fetched.
    Downloading,
    /// Size and digest of the stored file are being checked.
    Verifying,
    /// The snap is being applied.
    Installing,
    /// The unit restarts into the new version.
    Rebooting,
    /// The new version runs and is healthy; terminal.
    Success,
    /// The attempt ended without the new version; terminal.
    Failure,
    /// The new version was unhealthy and the old one is back; terminal.
    RolledBack,
    /// The version ran already; terminal.
    AlreadyInstalled,
}

impl ReportStatus {
    /// Every status in the order of an attempt; the last four are terminal.
    pub const ALL: [ReportStatus; 8] = [
        ReportStatus::Downloading,
        ReportStatus::Verifying,
        ReportStatus::Installing,
        ReportStatus::Rebooting,
        ReportStatus::Success,
        ReportStatus::Failure,
        ReportStatus::RolledBack,
        ReportStatus::AlreadyInstalled,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ReportStatus::Downloading => "downloading",
            ReportStatus::Verifying => "verifying",
            ReportStatus::Installing => "installing",
            ReportStatus::Rebooting => "rebooting",
            ReportStatus::Success => "success",
            ReportStatus::Failure => "failure",
            ReportStatus::RolledBack => "rolled_back",
            ReportStatus::AlreadyInstalled => "already_installed",
        }
    }

    /// The status of a name on the wire.
    pub fn from_name(name: &str) -> Option<ReportStatus> {
        ReportStatus::ALL.into_iter().find(|s| s.name() == name)
    }

    /// True if the attempt ends with it.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            ReportStatus::Success
                | ReportStatus::Failure
                | ReportStatus::RolledBack
                | ReportStatus::AlreadyInstalled
        )
    }
}

/// The body of a status report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusReport {
    /// Which snap.
    pub snap_name: String,
    /// The version of the attempt.
    pub version: String,
    /// The version that ran before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_version: Option<String>,
    /// How far the attempt is.
    pub status: ReportStatus,
    /// New for each attempt.
    pub attempt_id: String,
    /// The `update_snap` command that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// Percent, 0..=100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<u64>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// One sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Time of the event by the unit's clock, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

impl StatusReport {
    /// A report with the required members alone.
    pub fn new(
        snap_name: impl Into<String>,
        version: impl Into<String>,
        status: ReportStatus,
        attempt_id: impl Into<String>,
    ) -> Self {
        StatusReport {
            snap_name: snap_name.into(),
            version: version.into(),
            previous_version: None,
            status,
            attempt_id: attempt_id.into(),
            command_id: None,
            progress: None,
            error_code: None,
            message: None,
            timestamp: None,
        }
    }

    /// Reads a request body.
    pub fn decode(bytes: &[u8]) -> Decoded<StatusReport> {
        let parsed = json::parse_request(bytes);
        let mut oddities = parsed.oddities;
        let value = parsed.value.and_then(|value| {
            let mut members = Members::open(&value, "", &mut oddities)?;
            let snap_name: Option<String> = members.required("snap_name");
            let version: Option<String> = members.required("version");
            let previous_version: Option<String> = members.optional("previous_version");
            let status = members.required::<&str>("status").and_then(|text| {
                let status = ReportStatus::from_name(text);
                if status.is_none() {
                    let detail = format!("`{text}` is no report status");
                    members.report(OddityKind::UnknownName, Weight::Invalid, "status", detail);
                }
                status
            });
            let attempt_id: Option<String> = members.required("attempt_id");
            let command_id: Option<String> = members.optional("command_id");
            let progress: Option<u64> = members.optional("progress");
            let error_code = members.optional("error_code");
            let message = members.optional("message");
            let timestamp: Option<String> = members.optional("timestamp");
            let rules = [
                (
                    "snap_name",
                    snap_name.as_deref().is_none_or(is_snap_name),
                    "not a snap name",
                ),
                (
                    "version",
                    version.as_deref().is_none_or(is_version),
                    "not a version",
                ),
                (
                    "previous_version",
                    previous_version.as_deref().is_none_or(is_version),
                    "not a version",
                ),
                (
                    "attempt_id",
                    attempt_id.as_deref().is_none_or(|id| !id.is_empty()),
                    "empty",
                ),
                (
                    "command_id",
                    command_id.as_deref().is_none_or(is_command_id),
                    "not a command id",
                ),
                (
                    "progress",
                    progress.is_none_or(|p| p <= 100),
                    "not within 0 and 100",
                ),
                (
                    "timestamp",
                    timestamp.as_deref().is_none_or(|t| timestamp::parse(t).is_some()),
                    "not an RFC 3339 timestamp",
                ),
            ];
            for (name, holds, rule) in rules {
                members.require(holds, name, rule);
            }
            members.finish();
            Some(StatusReport {
                snap_name: snap_name?,
                version: version?,
                previous_version,
                status: status?,
                attempt_id: attempt_id?,
                command_id,
                progress,
                error_code,
                message,
                timestamp,
            })
        });
        Decoded { value, oddities }
    }
}
