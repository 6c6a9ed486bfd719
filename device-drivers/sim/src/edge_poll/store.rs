//! What the appliance keeps in flash: commands with their results, reports not yet delivered, the update under way,
//! installed snaps, configuration.

use crate::{
    Flash,
    hardware::{Entry, Ledger},
};
use hil_wire::edge_poll::{Ack, AckStatus, ReportStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use crate::hardware::{load, save};

/// Commands by id, mirrored in flash.
pub(super) type Commands = Ledger<CommandRecord>;

/// A command that was started, refused or finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommandRecord {
    /// Its id.
    pub(crate) id: String,
    /// Its type.
    pub(crate) command: String,
    /// Its payload.
    pub(crate) payload: Value,
    /// How far it is.
    pub(crate) state: CommandState,
    /// Body of the terminal acknowledgement.
    pub(crate) ack: Option<Value>,
    /// The acknowledgement was refused once; only its status is sent from now on.
    pub(crate) minimal: bool,
    /// `in_progress` was handed to the outbox.
    pub(crate) announced: bool,
    /// What became of the acknowledgement.
    pub(crate) settled: Option<Settled>,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CommandState {
    /// It was started.
    Running,
    /// It restarts the agent's own service.
    Restarting,
    /// Its result is known.
    Done,
}

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Settled {
    /// The cloud stored it; it is sent again if the command is delivered again.
    Stored,
    /// The cloud does not want it; it is never sent again.
    Dropped,
}

/// The update under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct UpdateRecord {
    /// Id of the attempt.
    pub(crate) attempt: String,
    /// The command that started it.
    pub(crate) command: String,
    /// Which snap.
    pub(crate) snap_name: String,
    /// Which version.
    pub(crate) version: String,
    /// The version that ran before.
    pub(crate) previous: Option<String>,
    /// Where the blob is.
    pub(crate) url: String,
    /// Its digest as told.
    pub(crate) checksum: String,
    /// Its size as told.
    pub(crate) size: Option<u64>,
    /// Its strong entity tag, once known.
    pub(crate) etag: Option<String>,
    /// Requests for it so far.
    pub(crate) tries: u32,
    /// The next step.
    pub(crate) step: UpdateStep,
}

/// The step an update continues with after a power loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum UpdateStep {
    /// Fetch the rest of the blob.
    Download,
    /// Check the stored blob.
    Verify,
    /// Install pending: the blob is good.
    Apply,
    /// The new version is in place and on trial.
    Trial,
    /// The result is known; report and acknowledge it.
    Finish {
        /// Name of the terminal report.
        report: String,
        /// Error code of report and acknowledgement; `None` = success.
        error: Option<String>,
        /// Text for people.
        message: Option<String>,
    },
}

/// An installed snap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstalledSnap {
    /// The version that runs.
    pub(crate) version: String,
    /// The version to go back to.
    pub(crate) previous: Option<String>,
    /// The attempt whose trial it is; `None` = committed.
    pub(crate) trial: Option<String>,
}

/// The configuration and the command that changed it last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Configuration {
    /// Values that are not defaults.
    pub(crate) values: Map<String, Value>,
    /// Id of the command that wrote it.
    pub(crate) by: Option<String>,
    /// Keys that command changed.
    pub(crate) changed: Vec<String>,
    /// The values before, while it is not known whether the cloud can be reached with the new ones.
    pub(crate) before: Option<Map<String, Value>>,
}

impl Entry for CommandRecord {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_settled(&self) -> bool {
        self.settled.is_some()
    }
}

impl CommandRecord {
    /// A command that was just started.
    pub(crate) fn running(id: &str, command: &str, payload: Value) -> Self {
        CommandRecord {
            id: id.to_owned(),
            command: command.to_owned(),
            payload,
            state: CommandState::Running,
            ack: None,
            minimal: false,
            announced: false,
            settled: None,
        }
    }
}

/// The body of an acknowledgement that carries its status alone.
pub(crate) fn minimal_body(body: &Value) -> Value {
    let status = body
        .get("status")
        .and_then(Value::as_str)
        .and_then(AckStatus::from_name);
    serde_json::to_value(Ack::new(status.unwrap_or(AckStatus::Failed))).unwrap_or_default()
}

/// The report status of a name that was written by [`ReportStatus::name`].
pub(crate) fn report_status(name: &str) -> ReportStatus {
    ReportStatus::from_name(name).unwrap_or(ReportStatus::Failure)
}

/// An installed snap.
pub(crate) fn load_snap(flash: &Flash, name: &str) -> Option<InstalledSnap> {
    load(flash, &format!("state/snap/{name}"))
}

/// Replaces what is installed of a snap.
pub(crate) fn save_snap(flash: &mut Flash, name: &str, snap: &InstalledSnap) {
    save(flash, &format!("state/snap/{name}"), snap);
}

/// Where the blob of an installed snap lies.
pub(crate) fn blob_file(name: &str, version: &str) -> String {
    format!("snaps/{name}/{version}")
}

/// Where a blob is while it is fetched.
pub(crate) fn part_file(attempt: &str) -> String {
    format!("{TEMPORARY}{attempt}.part")
}

/// Prefix of temporary files.
pub(crate) const TEMPORARY: &str = "tmp/";
/// The update under way.
pub(crate) const UPDATE: &str = "state/update";
/// The configuration.
pub(crate) const CONFIGURATION: &str = "state/configuration";
/// Prefix of reports not yet delivered.
pub(crate) const REPORTS: &str = "state/report/";
/// Name of the snap the agent is in.
pub(crate) const PRIMARY: &str = "state/primary";
/// A device key that replaces the one given at first.
pub(crate) const KEY: &str = "state/key";
