//! What came of the test of the tests: the clean units must trip nothing, and each defect its primary requirement.

use crate::{Level, Verdict};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A whole selftest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelftestMatrix {
    /// `hil` and its version.
    pub tool: String,
    /// Hex SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// Seeds of the runs, in order.
    pub seeds: Vec<u64>,
    /// The clean units, one line for each seed; empty if defects were chosen by name.
    pub clean: Vec<CleanRun>,
    /// One line for each defect, in the order of protocols and names.
    pub defects: Vec<DefectLine>,
    /// MUST requirements by protocol that no defect is there for; empty if defects were chosen by name.
    pub without_defect: BTreeMap<Protocol, Vec<String>>,
    /// Whether it was cut short.
    pub interrupted: bool,
    /// Wall time, seconds.
    pub wall_seconds: f64,
}

/// Every suite on the clean units with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CleanRun {
    /// The seed.
    pub seed: u64,
    /// How many instances ran.
    pub instances: usize,
    /// What a clean unit was accused of, or could not be judged on.
    pub alarms: Vec<Alarm>,
}

/// An instance of a clean unit that did not pass, or was warned of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The instance.
    pub instance: String,
    /// Its verdict; `pass` if it is a warning.
    pub verdict: Verdict,
    /// The requirement, if it is about one.
    pub requirement: Option<String>,
    /// The finding's words.
    pub text: String,
}

/// One defect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefectLine {
    /// Its name.
    pub name: String,
    /// The protocol of the unit.
    pub protocol: Protocol,
    /// What such a unit does.
    pub summary: String,
    /// The requirement it must trip.
    pub primary: String,
    /// Level of that requirement.
    pub level: Level,
    /// One run for each seed.
    pub runs: Vec<DefectRun>,
}

/// One defect with one seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DefectRun {
    /// The seed.
    pub seed: u64,
    /// What came of it.
    pub outcome: DefectOutcome,
    /// Other requirements that were found violated on the way.
    pub also: BTreeSet<String>,
}

/// Whether a defect was caught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum DefectOutcome {
    /// Its primary requirement was found violated.
    Detected {
        /// Where.
        instance: String,
        /// The finding's words.
        text: String,
        /// Records that prove it.
        evidence: Vec<u64>,
    },
    /// Wherever its primary requirement passes on a clean unit, it did not fail on this one.
    Missed {
        /// The scenarios tried.
        tried: Vec<String>,
    },
    /// No scenario passes its primary requirement on a clean unit.
    NotExercised,
    /// The selftest was cut short before.
    NotRun,
}

impl DefectLine {
    /// Whether it was caught with every seed.
    pub fn is_detected(&self) -> bool {
        let caught = |run: &DefectRun| matches!(run.outcome, DefectOutcome::Detected { .. });
        !self.runs.is_empty() && self.runs.iter().all(caught)
    }

    /// With how many seeds it was caught.
    pub fn detected(&self) -> usize {
        let caught = |run: &&DefectRun| matches!(run.outcome, DefectOutcome::Detected { .. });
        self.runs.iter().filter(caught).count()
    }

    /// Other requirements it tripped with any seed.
    pub fn also(&self) -> BTreeSet<&str> {
        self.runs
            .iter()
            .flat_map(|run| run.also.iter().map(String::as_str))
            .collect()
    }
}

impl SelftestMatrix {
    /// The verdict on the harness: a missed defect or a false alarm fails it, what was cut short is inconclusive.
    pub fn verdict(&self) -> Verdict {
        let accused = self.clean.iter().any(|run| !run.alarms.is_empty());
        let missed = |run: &DefectRun| {
            matches!(
                run.outcome,
                DefectOutcome::Missed { .. } | DefectOutcome::NotExercised
            )
        };
        if accused || self.defects.iter().any(|line| line.runs.iter().any(missed)) {
            Verdict::Fail
        } else if self.interrupted {
            Verdict::Inconclusive
        } else {
            Verdict::Pass
        }
    }

    /// How many of the defects were caught with every seed.
    pub fn detected(&self) -> usize {
        self.defects.iter().filter(|defect| defect.is_detected()).count()
    }
}
