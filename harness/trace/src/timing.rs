//! How units come back to what ran before, and which requirements speak of time: what shows each.

use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One way back to the version before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackPath {
    /// Such as `missed-commit`.
    pub name: String,
    /// What happens, in one sentence.
    pub summary: String,
    /// What shows it, for every protocol.
    pub shown: BTreeMap<Protocol, RollbackCell>,
}

/// What shows a rollback path in one protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackCell {
    /// These scenarios: paths below the protocol's suite, without `.yaml`.
    Scenarios(Vec<String>),
    /// The protocol has no such path, for this reason.
    None(String),
}

/// The table of rollback paths, and the requirements on time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingTable {
    /// In the order of the file.
    pub rollback_paths: Vec<RollbackPath>,
    /// Requirements by id, with the scenarios that time them.
    pub requirements: BTreeMap<String, Vec<String>>,
}
