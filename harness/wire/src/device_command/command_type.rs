//! The six command types (reference section 4).

use serde::Serialize;

/// What a command does. Names match exactly, case included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandType {
    /// Reset the sensor module.
    BcgmcuReset,
    /// Restart the unit.
    SystemRestart,
    /// Install a firmware image.
    FirmwareUpdate,
    /// Upload stored records.
    DataExport,
    /// Test the network and report.
    NetworkDiagnostics,
    /// Remove old files.
    StorageCleanup,
}

impl CommandType {
    /// Every type, in the order of the reference; also `supported_commands`.
    pub const ALL: [CommandType; 6] = [
        CommandType::BcgmcuReset,
        CommandType::SystemRestart,
        CommandType::FirmwareUpdate,
        CommandType::DataExport,
        CommandType::NetworkDiagnostics,
        CommandType::StorageCleanup,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            CommandType::BcgmcuReset => "bcgmcu_reset",
            CommandType::SystemRestart => "system_restart",
            CommandType::FirmwareUpdate => "firmware_update",
            CommandType::DataExport => "data_export",
            CommandType::NetworkDiagnostics => "network_diagnostics",
            CommandType::StorageCleanup => "storage_cleanup",
        }
    }

    /// The type of a name on the wire.
    pub fn from_name(name: &str) -> Option<CommandType> {
        CommandType::ALL.into_iter().find(|t| t.name() == name)
    }

    /// True if nothing else may be issued while it executes (reference section 3.1, queue or busy).
    pub fn is_exclusive(self) -> bool {
        matches!(self, CommandType::FirmwareUpdate | CommandType::SystemRestart)
    }
}
