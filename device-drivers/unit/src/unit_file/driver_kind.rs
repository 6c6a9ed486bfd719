//! Which driver a unit is for.

use std::fmt;

/// How a unit is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriverKind {
    /// The simulated unit of hil itself.
    Sim,
    /// A command hil starts and stops.
    Process,
    /// An executable of the vendor drives the unit and answers hil's requests.
    Adapter,
    /// Runs somewhere already; hil only waits for it.
    Remote,
}

impl DriverKind {
    /// Every kind.
    pub const ALL: [DriverKind; 4] = [
        DriverKind::Sim,
        DriverKind::Process,
        DriverKind::Adapter,
        DriverKind::Remote,
    ];

    /// The word in unit files.
    pub fn name(self) -> &'static str {
        match self {
            DriverKind::Sim => "sim",
            DriverKind::Process => "process",
            DriverKind::Adapter => "adapter",
            DriverKind::Remote => "remote",
        }
    }
}

impl DriverKind {
    /// Whether hil starts a command for each unit.
    pub fn has_command(self) -> bool {
        matches!(self, DriverKind::Process | DriverKind::Adapter)
    }
}

impl fmt::Display for DriverKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
