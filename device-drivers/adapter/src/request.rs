//! What an adapter is asked.

use serde_json::{Value, json};
use std::time::Duration;

/// The requests there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Who it is and what it implements; always the first.
    Hello,
    /// Brings the unit into its declared state, told where the cloud is.
    Provision,
    /// Starts the unit, or gives it power again.
    Start,
    /// Stops it in order.
    Stop,
    /// Restarts it in order.
    Reboot,
    /// Takes its power away.
    PowerCut,
    /// Which version really runs.
    Version,
    /// Facts of the boot loader.
    BootState,
    /// What it logged since the last time.
    ReadLog,
    /// Moves or sets its clock.
    SetClock,
    /// Leaves only so many bytes of its storage free.
    FillStorage,
    /// Reads a fact.
    Probe,
    /// Does something to it, or takes that back.
    Stimulate,
}

impl Request {
    /// Every request.
    pub const ALL: [Request; 13] = [
        Request::Hello,
        Request::Provision,
        Request::Start,
        Request::Stop,
        Request::Reboot,
        Request::PowerCut,
        Request::Version,
        Request::BootState,
        Request::ReadLog,
        Request::SetClock,
        Request::FillStorage,
        Request::Probe,
        Request::Stimulate,
    ];

    /// Its word on the line and in unit files.
    pub fn name(self) -> &'static str {
        match self {
            Request::Hello => "hello",
            Request::Provision => "provision",
            Request::Start => "start",
            Request::Stop => "stop",
            Request::Reboot => "reboot",
            Request::PowerCut => "power_cut",
            Request::Version => "version",
            Request::BootState => "boot_state",
            Request::ReadLog => "read_log",
            Request::SetClock => "set_clock",
            Request::FillStorage => "fill_storage",
            Request::Probe => "probe",
            Request::Stimulate => "stimulate",
        }
    }

    /// Whether every adapter has to implement it.
    pub fn is_needed(self) -> bool {
        matches!(
            self,
            Request::Hello | Request::Provision | Request::Start | Request::Stop
        )
    }

    /// How long it may take where the unit file says nothing.
    pub fn usual_limit(self) -> Duration {
        Duration::from_secs(match self {
            Request::Hello | Request::Version | Request::BootState | Request::Probe => 10,
            Request::Provision | Request::Start | Request::Reboot => 60,
            Request::Stop
            | Request::PowerCut
            | Request::ReadLog
            | Request::SetClock
            | Request::FillStorage
            | Request::Stimulate => 30,
        })
    }

    /// Its line, without the end of the line.
    pub(crate) fn line(self, id: u64, arguments: &Value) -> String {
        json!({"id": id, "request": self.name(), "arguments": arguments}).to_string()
    }
}
