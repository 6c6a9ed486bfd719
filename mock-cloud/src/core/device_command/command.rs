//! A command as the cloud keeps it, and how it is listed (reference sections 3.1, 3.2 and 5.1).

use crate::store::Change;
use hil_wire::{device_command::CommandStatus, timestamp::format_millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One command of the unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredCommand {
    /// Its id, or what stands for it.
    pub(super) id: String,
    /// The command object as issued.
    pub(super) command: Value,
    /// The `timestamp` of the issue request, verbatim.
    pub(super) issued_at: String,
    /// Unix milliseconds.
    pub(super) accepted_ms: i64,
    /// Seconds after acceptance.
    pub(super) delay_s: u64,
    /// Position among all commands.
    pub(super) number: u64,
    /// `queued`, `executing`, `completed` or `failed`.
    pub(super) status_name: String,
    /// The reported details of that status.
    pub(super) details: Option<String>,
    /// Unix milliseconds of the first `executing`.
    pub(super) started_ms: Option<i64>,
    /// How many further answers list it although it has ended.
    pub(super) redeliver: u64,
    /// What is listed instead of the command object.
    pub(super) raw: Option<Value>,
    /// The command object covered by the request body, to tell a retry from a conflict.
    pub(super) body_sha256: String,
    /// Number of reports stored.
    pub(super) reports: u64,
    /// The unit took it (direct mode).
    pub(super) taken: bool,
    /// Its status.
    #[serde(skip, default = "queued")]
    pub(super) status: CommandStatus,
}

fn queued() -> CommandStatus {
    CommandStatus::Queued
}

impl StoredCommand {
    /// A queued command.
    pub(super) fn new(id: String, command: Value, issued_at: String, accepted_ms: i64) -> Self {
        StoredCommand {
            delay_s: command
                .get("execution_delay")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            id,
            command,
            issued_at,
            accepted_ms,
            number: 0,
            status_name: CommandStatus::Queued.name().to_owned(),
            details: None,
            started_ms: None,
            redeliver: 0,
            raw: None,
            body_sha256: String::new(),
            reports: 0,
            taken: false,
            status: CommandStatus::Queued,
        }
    }

    /// Name of its type, as given.
    pub(super) fn type_name(&self) -> &str {
        self.command
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Takes over a status.
    pub(super) fn set_status(&mut self, status: CommandStatus, details: Option<String>, now_ms: i64) {
        self.status = status;
        self.status_name = status.name().to_owned();
        self.details = details;
        if status == CommandStatus::Executing {
            self.started_ms.get_or_insert(now_ms);
        }
    }

    /// True if fetch answers list it.
    pub(super) fn is_listed(&self) -> bool {
        !self.status.is_terminal() || self.redeliver > 0
    }

    /// The item of a fetch answer.
    pub(super) fn item(&self, device_id: &str, now_ms: i64) -> Value {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let delay_ms = i64::try_from(self.delay_s)
            .unwrap_or(i64::MAX / 1000)
            .saturating_mul(1000);
        let due = self.accepted_ms.saturating_add(delay_ms);
        // Rounded up, so that a unit which counts from the answer is never early.
        let remaining = due.saturating_sub(now_ms).max(0).saturating_add(999) / 1000;
        let mut item = self.command.clone();
        item["issued_at"] = json!(self.issued_at);
        item["delay_remaining"] = json!(remaining);
        item["device_id"] = json!(device_id);
        item
    }

    /// Puts the command into the store.
    pub(super) fn change(&self) -> Change {
        Change::Put {
            collection: COLLECTION,
            key: self.id.clone(),
            document: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// Appends a report to the log of statuses.
    pub(super) fn report_change(&self, now_ms: i64, report: &Value, http_status: u16) -> Change {
        let mut document = report.clone();
        document["http_status"] = json!(http_status);
        document["received_at"] = json!(format_millis(now_ms));
        Change::Put {
            collection: STATUSES,
            key: format!("{}/{:06}", self.id, self.reports),
            document,
        }
    }

    /// A command from the store.
    pub(super) fn restored(mut self) -> Self {
        self.status = CommandStatus::from_name(&self.status_name).unwrap_or(CommandStatus::Queued);
        self
    }
}

/// Commands by id.
pub(super) const COLLECTION: &str = "device_commands";
/// Reports, append-only.
pub(super) const STATUSES: &str = "device_command_statuses";
