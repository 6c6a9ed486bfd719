//! What two runs differ in.

use crate::{CaseState, CoverageState, Level};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that was judged in both runs, or in the new one only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The scenario on its unit, as the run that shows it names it.
    pub case: String,
    /// The instance it is seen in.
    pub instance: String,
    /// What is violated, met or not decided: a requirement, else a step or a monitor; none if nothing says.
    pub subject: Option<String>,
    /// How binding that is.
    pub level: Level,
    /// What the case came to in the baseline.
    pub before: CaseState,
    /// What it came to in the new run.
    pub now: CaseState,
    /// What was found: in the new run, or in the baseline if it is about that.
    pub text: String,
    /// The baseline did not know the requirement.
    pub is_new_requirement: bool,
}

/// What passed at one time and not at another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flaky {
    /// The scenario on its unit.
    pub case: String,
    /// What it came to in the baseline.
    pub before: CaseState,
    /// What it came to in the new run.
    pub now: CaseState,
    /// How often it passed in the flaky run, how often it did not, and how often it passed only when run again.
    pub passed: usize,
    /// See `passed`.
    pub not_passed: usize,
    /// See `passed`.
    pub passed_again: usize,
    /// What was violated at one time.
    pub subjects: Vec<String>,
}

/// Something that was exercised in the baseline and is not any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// What.
    pub of: LossOf,
    /// Why, as far as the new run says.
    pub reason: Option<String>,
}

/// What can get lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossOf {
    /// All there was of a protocol on a unit.
    Protocol {
        /// The protocol.
        protocol: Protocol,
        /// The unit.
        unit: String,
        /// Scenarios of it that were exercised.
        cases: usize,
    },
    /// A requirement.
    Requirement {
        /// Its id.
        id: String,
        /// How binding it is.
        level: Level,
        /// Its state in the baseline.
        before: CoverageState,
        /// Its state in the new run.
        now: CoverageState,
    },
    /// A scenario on its unit.
    Case {
        /// Its name in the baseline.
        case: String,
        /// What it came to in the baseline.
        before: CaseState,
        /// What it is in the new run.
        now: CaseState,
    },
    /// What a scenario found violated: the scenario passed without showing it again, and no other shows it met.
    Violation {
        /// The scenario on its unit.
        case: String,
        /// The requirement.
        requirement: String,
    },
}

/// A requirement that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatalogueChange {
    /// The baseline did not know it.
    Added {
        /// Its id.
        id: String,
        /// How binding it is.
        level: Level,
        /// Its state in the new run.
        state: Option<CoverageState>,
    },
    /// The new run does not know it.
    Removed {
        /// Its id.
        id: String,
        /// How binding it was.
        level: Level,
    },
    /// It is more or less binding.
    Level {
        /// Its id.
        id: String,
        /// How binding it was.
        before: Level,
        /// How binding it is.
        now: Level,
    },
    /// It is worded otherwise.
    Sentence {
        /// Its id.
        id: String,
        /// What it said.
        before: String,
        /// What it says.
        now: String,
    },
}

/// Something the two runs were not made alike in. What differs is compared all the same, and the reader told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Another `hil`.
    Tool {
        /// Of the baseline.
        before: Vec<String>,
        /// Of the new run.
        now: Vec<String>,
    },
    /// Another seed.
    Seed {
        /// Of the baseline.
        before: Vec<u64>,
        /// Of the new run.
        now: Vec<u64>,
    },
    /// Another catalogue of requirements.
    Catalogue {
        /// Digests of the baseline.
        before: Vec<String>,
        /// Digests of the new run.
        now: Vec<String>,
    },
    /// Only one of them counts violated SHOULDs as failures.
    Strict {
        /// Whether that is the new one.
        now: bool,
    },
    /// Units of other names are held against each other: each side has one of the protocol.
    Unit {
        /// Its name in the baseline.
        before: String,
        /// Its name in the new run.
        now: String,
    },
    /// A fact of a unit, such as the digest of its firmware, or what it claims.
    Fact {
        /// The unit in the new run.
        unit: String,
        /// Such as `subject.sha256` or `ics.websocket`.
        name: String,
        /// In the baseline.
        before: Option<Value>,
        /// In the new run.
        now: Option<Value>,
    },
    /// Scenarios whose text is another.
    Scenarios {
        /// Their names on their units.
        cases: Vec<String>,
    },
    /// Scenarios that ran with other parameters or faults.
    Parameters {
        /// Their names on their units.
        cases: Vec<String>,
    },
    /// Scenarios only the new run has.
    Added {
        /// How many of them ran.
        cases: usize,
    },
}
