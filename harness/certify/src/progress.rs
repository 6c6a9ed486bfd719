//! A run for a certificate that was begun: what it was asked for, and what of it is finished.

use hil_scenario::Plan;
use hil_trace::{HowClosed, ReadJournal, RepeatFigures, Trace};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a run was asked for. Another one is another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// `hil` and its version.
    pub tool: String,
    /// Hex SHA-256 of its executable.
    pub tool_sha256: String,
    /// Name of the profile, and hex SHA-256 of its file.
    pub profile: [String; 2],
    /// `--unit`, and hex SHA-256 of the file if it is one.
    pub unit: [String; 2],
    /// The seed.
    pub seed: u64,
    /// The challenge it comes from.
    pub challenge: Option<String>,
    /// The tier of parameters.
    pub tier: String,
    /// Hex SHA-256 of each image that was given, by role.
    pub artifacts: BTreeMap<String, String>,
    /// Defects of a simulated unit.
    pub defects: Vec<String>,
}

impl Begun {
    /// What is not as it was begun, each one sentence.
    pub fn differences(&self, now: &Begun) -> Vec<String> {
        let texts = |begun: &Begun| {
            [
                ("the tool", begun.tool.clone()),
                ("the executable of hil", begun.tool_sha256.clone()),
                ("the profile", begun.profile.join(", SHA-256 ")),
                ("the unit", begun.unit.join(", SHA-256 ")),
                ("the seed", begun.seed.to_string()),
                (
                    "the challenge",
                    begun.challenge.clone().unwrap_or_else(|| "none".to_owned()),
                ),
                ("the tier", begun.tier.clone()),
                ("the images", format!("{:?}", begun.artifacts)),
                ("the defects", begun.defects.join(", ")),
            ]
        };
        let pairs = texts(self).into_iter().zip(texts(now));
        let others = pairs.filter(|((_, before), (_, now))| before != now);
        others
            .map(|((what, before), (_, now))| format!("{what} was {before} and is {now}"))
            .collect()
    }
}

/// What of a journal is finished, scenario by scenario.
#[derive(Clone, Debug, Default)]
pub struct Finished {
    /// Traces.
    pub traces: Vec<Trace>,
    /// Repeats that keep their figures only.
    pub repeats: Vec<RepeatFigures>,
    /// Paths of the scenarios that need not run again.
    pub scenarios: BTreeSet<String>,
}

impl Finished {
    /// Takes the scenarios that ran to their end: every repeat of them did, and none was cut short. A sweep does not say
    /// which points it has not come to, so it runs again.
    pub fn of(journal: ReadJournal, plans: &[Arc<Plan>]) -> Finished {
        let mut traces: BTreeMap<String, Vec<Trace>> = BTreeMap::new();
        for trace in journal.traces {
            traces
                .entry(trace.header.scenario.path.clone())
                .or_default()
                .push(trace);
        }
        let mut repeats: BTreeMap<String, Vec<RepeatFigures>> = BTreeMap::new();
        for group in journal.repeats {
            repeats
                .entry(group.header.scenario.path.clone())
                .or_default()
                .push(group);
        }
        let mut finished = Finished::default();
        for plan in plans {
            let (own, figures) = (traces.remove(&plan.path), repeats.remove(&plan.path));
            let (own, figures) = (own.unwrap_or_default(), figures.unwrap_or_default());
            if is_finished(plan, &own, &figures) {
                finished.scenarios.insert(plan.path.clone());
                finished.traces.extend(own);
                finished.repeats.extend(figures);
            }
        }
        finished
    }
}

fn is_finished(plan: &Plan, traces: &[Trace], repeats: &[RepeatFigures]) -> bool {
    let whole = |trace: &Trace| {
        trace.skipped.is_some() || matches!(trace.closed(), Some(HowClosed::Complete | HowClosed::TimedOut))
    };
    if traces.is_empty() || !traces.iter().all(whole) {
        return false;
    }
    if traces.iter().all(|trace| trace.skipped.is_some()) {
        return true;
    }
    let figures: usize = repeats.iter().map(|group| group.figures.len()).sum();
    plan.sweep.is_none() && traces.len() + figures == plan.repeat.max(1) as usize
}
