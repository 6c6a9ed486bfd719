//! Requirements and the catalogue of all of them.

use crate::{Exercisable, TimingTable};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// A violation fails the unit.
    #[default]
    Must,
    /// A violation is warned of; it fails with `--strict`.
    Should,
    /// Reported, never a failure.
    May,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        })
    }
}

/// Where a requirement comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The protocol's source document.
    Source,
    /// Behaviour or schema of the upstream implementation.
    Upstream,
    /// Fixed by this product, or a general convention such as an RFC.
    DefinedHere,
}

/// Something that has to happen to a unit before a requirement can be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stimulus {
    /// What happens, such as `F-STATUS 503 x 10` or `empty catalogue`.
    pub name: String,
    /// The scenarios that make it happen: their paths below the protocol's suite, without `.yaml`.
    pub scenarios: Vec<String>,
    /// Why it cannot be done to real units; `None` = it can.
    pub simulated_only: Option<String>,
}

/// One normative sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Such as `POLL-ACK-003`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The sentence.
    pub sentence: String,
    /// Where it comes from; at least one.
    pub origin: Vec<Origin>,
    /// How it is seen from outside.
    pub observe: String,
    /// Stimuli it needs; empty = a run without faults shows it.
    pub stimuli: Vec<Stimulus>,
    /// Condition under which it applies at all, such as `dialect: publisher`.
    pub applies_when: Option<String>,
    /// Why no harness can observe it; `None` = something shows it.
    pub unobservable: Option<String>,
}

impl Requirement {
    /// Whether this product alone states it: neither the source document nor the upstream implementation does.
    pub fn is_own(&self) -> bool {
        !self.origin.is_empty() && self.origin.iter().all(|origin| *origin == Origin::DefinedHere)
    }
}

/// Every requirement, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Requirements by id.
    pub requirements: BTreeMap<String, Requirement>,
    /// What documents and software the requirements of a protocol come from.
    pub sources: BTreeMap<(Protocol, Origin), String>,
    /// What there is to exercise.
    pub exercise: BTreeMap<Protocol, Exercisable>,
    /// What shows rollbacks and times.
    pub timing: TimingTable,
}

impl Catalogue {
    /// The requirement with that id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.requirements.get(id)
    }

    /// The level of a requirement; MUST if the id is unknown.
    pub fn level(&self, id: &str) -> Level {
        self.get(id).map_or(Level::Must, |r| r.level)
    }

    /// Number of requirements.
    pub fn len(&self) -> usize {
        self.requirements.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }
}
