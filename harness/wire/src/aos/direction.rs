//! Who sends what: the two directions, and the two catalogues of message types that are in use.

use super::message::MessageType;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which way a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Sent by the unit.
    UnitToCloud,
    /// Sent by the cloud.
    CloudToUnit,
}

impl Direction {
    /// Both directions.
    pub const ALL: [Direction; 2] = [Direction::UnitToCloud, Direction::CloudToUnit];

    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Direction::UnitToCloud => Direction::CloudToUnit,
            Direction::CloudToUnit => Direction::UnitToCloud,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::UnitToCloud => "unit to cloud",
            Direction::CloudToUnit => "cloud to unit",
        })
    }
}

/// Which catalogue of directions a unit follows (reference section 0, rows D1 to D4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The protocol document: 15 types from the unit, 12 from the cloud.
    #[default]
    Seed,
    /// Units in the field and the publisher's schema: 14 types from the unit, 13 from the cloud.
    Publisher,
}

impl Dialect {
    /// Both dialects.
    pub const ALL: [Dialect; 2] = [Dialect::Seed, Dialect::Publisher];

    /// The other dialect.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Dialect::Seed => Dialect::Publisher,
            Dialect::Publisher => Dialect::Seed,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dialect::Seed => "seed",
            Dialect::Publisher => "publisher",
        })
    }
}

/// True if a message of that type may travel in that direction in that dialect (reference sections 0 and 3).
pub fn direction_allowed(message_type: MessageType, direction: Direction, dialect: Dialect) -> bool {
    use MessageType as T;
    let from_unit = direction == Direction::UnitToCloud;
    match message_type {
        T::Ack => true,
        T::StateAcceptance | T::RenewCertificatesNotification => from_unit == (dialect == Dialect::Seed),
        T::StateRequest => from_unit == (dialect == Dialect::Publisher),
        T::UnitStatus
        | T::MonitoringData
        | T::Alerts
        | T::NewState
        | T::PushLog
        | T::OverrideEnvVarsStatus
        | T::IssueUnitCertificates
        | T::InstallUnitCertificatesConfirmation
        | T::StartProvisioningResponse
        | T::FinishProvisioningResponse
        | T::DeprovisioningResponse
        | T::RequestBlobUrls => from_unit,
        T::Nack
        | T::DesiredStatus
        | T::RequestLog
        | T::OverrideEnvVars
        | T::UpdateState
        | T::IssuedUnitCertificates
        | T::StartProvisioningRequest
        | T::FinishProvisioningRequest
        | T::DeprovisioningRequest
        | T::BlobUrls => !from_unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogues_have_the_counts_of_their_sources() {
        let count = |direction, dialect| {
            MessageType::ALL
                .iter()
                .filter(|t| direction_allowed(**t, direction, dialect))
                .count()
        };
        assert_eq!(MessageType::ALL.len(), 26);
        assert_eq!(count(Direction::UnitToCloud, Dialect::Seed), 15);
        assert_eq!(count(Direction::CloudToUnit, Dialect::Seed), 12);
        assert_eq!(count(Direction::UnitToCloud, Dialect::Publisher), 14);
        assert_eq!(count(Direction::CloudToUnit, Dialect::Publisher), 13);
    }
}
