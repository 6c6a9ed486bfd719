//! Deliberate misbehaviour of simulated units, each tied to the requirements it must trip.

use hil_wire::Protocol;
use std::{fmt, str::FromStr};

/// One way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// Edge poll: acknowledgements go to the path of another id.
    AckWrongId,
    /// Edge poll: a snap is installed whatever its digest.
    ChecksumUnverified,
    /// Edge poll: a command delivered again is executed again.
    NoDuplicateDetection,
    /// Edge poll: acknowledgements not yet delivered are lost with power.
    AcksNotPersisted,
    /// Edge poll: an unhealthy version stays.
    NoRollback,
    /// Edge poll: files are replaced where they are, so that a write torn by a power failure loses them.
    WritesInPlace,
    /// Device command: a command delivered again is executed again.
    NoCommandHistory,
    /// Device command: statuses not yet delivered are lost with power.
    StatusesNotPersisted,
    /// Device command: an image is installed whatever its digest.
    ImageUnverified,
    /// Device command: firmware updates are not limited to one in an hour.
    NoUpdateLimit,
    /// Device command: the counter of milliseconds is taken for one that never wraps.
    CounterWraps,
    /// Device command: a slot is marked as the one to boot before the image in it is complete.
    MarkedBeforeComplete,
}

impl Defect {
    /// All of them.
    pub const ALL: [Defect; 12] = [
        Defect::AckWrongId,
        Defect::ChecksumUnverified,
        Defect::NoDuplicateDetection,
        Defect::AcksNotPersisted,
        Defect::NoRollback,
        Defect::WritesInPlace,
        Defect::NoCommandHistory,
        Defect::StatusesNotPersisted,
        Defect::ImageUnverified,
        Defect::NoUpdateLimit,
        Defect::CounterWraps,
        Defect::MarkedBeforeComplete,
    ];

    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Defect::AckWrongId => "ack-wrong-id",
            Defect::ChecksumUnverified => "checksum-unverified",
            Defect::NoDuplicateDetection => "no-duplicate-detection",
            Defect::AcksNotPersisted => "acks-not-persisted",
            Defect::NoRollback => "no-rollback",
            Defect::WritesInPlace => "writes-in-place",
            Defect::NoCommandHistory => "no-command-history",
            Defect::StatusesNotPersisted => "statuses-not-persisted",
            Defect::ImageUnverified => "image-unverified",
            Defect::NoUpdateLimit => "no-update-limit",
            Defect::CounterWraps => "counter-wraps",
            Defect::MarkedBeforeComplete => "marked-before-complete",
        }
    }

    /// The protocol whose units can have it.
    pub fn protocol(self) -> Protocol {
        match self {
            Defect::AckWrongId
            | Defect::ChecksumUnverified
            | Defect::NoDuplicateDetection
            | Defect::AcksNotPersisted
            | Defect::NoRollback
            | Defect::WritesInPlace => Protocol::EdgePoll,
            Defect::NoCommandHistory
            | Defect::StatusesNotPersisted
            | Defect::ImageUnverified
            | Defect::NoUpdateLimit
            | Defect::CounterWraps
            | Defect::MarkedBeforeComplete => Protocol::DeviceCommand,
        }
    }

    /// The requirements it violates once its stimulus reaches the unit.
    pub fn trips(self) -> &'static [&'static str] {
        match self {
            Defect::AckWrongId => &["POLL-ACK-001"],
            Defect::ChecksumUnverified => &["POLL-VERIFY-001"],
            Defect::NoDuplicateDetection => &["POLL-ACK-004", "POLL-ACK-005"],
            Defect::AcksNotPersisted => &["POLL-ACK-006"],
            Defect::NoRollback => &["POLL-SNAP-005"],
            Defect::WritesInPlace => &["POLL-SNAP-006", "POLL-REPORT-003"],
            Defect::NoCommandHistory => &["DCMD-QUEUE-003"],
            Defect::StatusesNotPersisted => &["DCMD-STATUS-003"],
            Defect::ImageUnverified => &["DCMD-FW-003"],
            Defect::NoUpdateLimit => &["DCMD-RATE-001", "DCMD-RATE-003"],
            Defect::CounterWraps => &["DCMD-QUEUE-005", "DCMD-RATE-006"],
            Defect::MarkedBeforeComplete => &["DCMD-FW-014"],
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown defect `{0}`")]
pub struct UnknownDefect(pub String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, UnknownDefect> {
        Defect::ALL
            .into_iter()
            .find(|d| d.name() == text)
            .ok_or_else(|| UnknownDefect(text.to_owned()))
    }
}
