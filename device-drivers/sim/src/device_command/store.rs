//! What the device keeps in flash: commands, statuses not yet delivered, the boot record, configuration, telemetry.
//! Stamps are those of a battery-backed counter that no change of the wall clock moves.

use crate::hardware::{Entry, Ledger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) use crate::hardware::{load, save};

/// Commands by id, mirrored in flash.
pub(super) type Commands = Ledger<CommandRecord>;

/// A command the device has taken or refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CommandRecord {
    /// Its id.
    pub(super) id: String,
    /// Its type as given.
    pub(super) type_name: String,
    /// Its parameters as given.
    pub(super) parameters: Value,
    /// Not to be started after this instant, Unix milliseconds.
    pub(super) expires_ms: Option<i64>,
    /// When to start it, milliseconds of the counter.
    pub(super) due_ms: u64,
    /// Unix milliseconds of its acceptance, and its delay, for answers.
    pub(super) accepted_ms: i64,
    /// Seconds.
    pub(super) delay_s: u64,
    /// What tells a retry of the issuing call from another command; empty if it was fetched.
    pub(super) fingerprint: String,
    /// How far it is.
    pub(super) state: CommandState,
    /// Its terminal status and details.
    pub(super) last: Option<(String, Option<String>)>,
}

impl Entry for CommandRecord {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_settled(&self) -> bool {
        self.state == CommandState::Done
    }
}

impl Ledger<CommandRecord> {
    /// Commands without terminal status.
    pub(super) fn open(&self) -> impl Iterator<Item = &CommandRecord> {
        self.iter().filter(|record| record.state != CommandState::Done)
    }

    /// The queued command to start first: by due time, then acceptance.
    pub(super) fn next(&self) -> Option<&CommandRecord> {
        self.iter()
            .filter(|record| record.state == CommandState::Queued)
            .min_by_key(|record| record.due_ms)
    }
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum CommandState {
    /// It waits for its time.
    Queued,
    /// It was started.
    Executing,
    /// Its terminal status is known.
    Done,
}

/// A status on its way to the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StatusEntry {
    /// Which command.
    pub(super) command_id: String,
    /// `executing`, `completed` or `failed`.
    pub(super) status: String,
    /// Text.
    pub(super) details: Option<String>,
    /// The device's time when it happened.
    pub(super) timestamp: String,
    /// It was refused as malformed once and goes without details now.
    pub(super) minimal: bool,
}

/// What the boot loader goes by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct BootRecord {
    /// The slot to boot.
    pub(super) active: usize,
    /// Its image is not confirmed yet.
    pub(super) trial: Option<Trial>,
    /// The command whose image was given up.
    pub(super) rolled_back: Option<String>,
    /// The trial that ended well: its command is done, though power may have failed before that was noted.
    #[serde(default)]
    pub(super) confirmed: Option<Trial>,
}

/// An image on trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trial {
    /// The slot to go back to.
    pub(super) previous: usize,
    /// The command that installed it.
    pub(super) command: String,
    /// Its version.
    pub(super) version: String,
    /// It was booted once.
    pub(super) booted: bool,
}

/// What the next boot has to do for a `system_restart`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RestartOrder {
    /// Keep the configuration.
    pub(super) preserve_config: bool,
    /// Drop telemetry.
    pub(super) clear_queues: bool,
}

/// One telemetry record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Telemetry {
    /// Unix milliseconds.
    pub(super) at_ms: i64,
    /// Values by name.
    pub(super) values: Map<String, Value>,
    /// Raw samples.
    pub(super) raw: Value,
}

/// Prefix of statuses not yet delivered.
pub(super) const STATUSES: &str = "state/status/";
/// The boot record.
pub(super) const BOOT: &str = "state/boot";
/// The configuration.
pub(super) const CONFIGURATION: &str = "state/configuration";
/// When the last firmware update was started, milliseconds of the counter.
pub(super) const LAST_UPDATE: &str = "state/last_update";
/// The restart under way.
pub(super) const RESTART: &str = "state/restart";
/// The sensor module, which keeps its own state.
pub(super) const MODULE: &str = "state/module";
/// Stored telemetry.
pub(super) const TELEMETRY: &str = "telemetry";
