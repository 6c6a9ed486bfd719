//! What shows whether a unit meets a requirement: monitors, and scenarios with what they need.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How something can be judged; the later, the more it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// On any unit, in seconds or minutes.
    Quick,
    /// In simulated time, or with the hours it takes (`--tier long`).
    VirtualTime,
    /// By scenarios that run only when asked for.
    Long,
    /// On real hardware only.
    Real,
}

impl Tier {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Quick => "quick",
            Tier::VirtualTime => "virtual-time",
            Tier::Long => "long",
            Tier::Real => "real",
        }
    }
}

/// A scenario that verifies a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioEvidence {
    /// Its path below the suites, such as `edge-poll/acks-lost.yaml`.
    pub path: String,
    /// Whether its own steps decide; else it does what a monitor then judges.
    pub decides: bool,
    /// What it takes.
    pub tier: Tier,
    /// The probes whose facts its deciding steps look at.
    pub probes: BTreeSet<String>,
}

/// Everything that shows one requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Monitors that judge it in every run, by name.
    pub monitors: Vec<String>,
    /// Scenarios that verify it, in the order of paths.
    pub scenarios: Vec<ScenarioEvidence>,
    /// The least it takes to judge it; `None` = nothing judges it.
    pub tier: Option<Tier>,
}

impl Evidence {
    /// True if nothing judges the requirement. A scenario whose steps do not decide shows nothing without a monitor.
    pub fn is_empty(&self) -> bool {
        self.monitors.is_empty() && !self.scenarios.iter().any(|scenario| scenario.decides)
    }

    /// The probes that scenarios look at.
    pub fn probes(&self) -> BTreeSet<&str> {
        let probes = self.scenarios.iter().flat_map(|scenario| &scenario.probes);
        probes.map(String::as_str).collect()
    }

    /// True if only facts inside the unit show it: no monitor judges it, and every scenario that decides it looks at some.
    pub fn needs_probe(&self) -> bool {
        let mut deciding = self.scenarios.iter().filter(|scenario| scenario.decides);
        self.monitors.is_empty() && !self.is_empty() && deciding.all(|scenario| !scenario.probes.is_empty())
    }
}
