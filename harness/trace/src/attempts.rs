//! An instance that did not pass and was run again: what all its attempts come to together.

use crate::{InstanceSummary, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an instance with all its attempts came to, or a scenario with all its repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// It is not in the run.
    Absent,
    /// It did not run.
    Skipped,
    /// It passed, every time.
    Passed,
    /// It failed, and every violation is waived.
    Waived,
    /// It was not decided.
    Inconclusive,
    /// It could not be judged.
    Error,
    /// It passed at one time and not at another.
    Flaky,
    /// It failed, whenever it was judged.
    Failed,
}

impl CaseState {
    /// The word for people.
    pub fn name(self) -> &'static str {
        match self {
            CaseState::Absent => "not in the run",
            CaseState::Skipped => "skipped",
            CaseState::Passed => "pass",
            CaseState::Waived => "waived",
            CaseState::Inconclusive => "inconclusive",
            CaseState::Error => "error",
            CaseState::Flaky => "flaky",
            CaseState::Failed => "fail",
        }
    }

    /// Whether it says something of the unit.
    pub fn is_decided(self) -> bool {
        matches!(
            self,
            CaseState::Passed | CaseState::Waived | CaseState::Failed | CaseState::Flaky
        )
    }
}

impl From<&InstanceSummary> for CaseState {
    fn from(instance: &InstanceSummary) -> CaseState {
        match instance.unwaived() {
            Verdict::Pass if instance.is_waived() => CaseState::Waived,
            Verdict::None => CaseState::Skipped,
            Verdict::Pass => CaseState::Passed,
            Verdict::Inconclusive => CaseState::Inconclusive,
            Verdict::Fail => CaseState::Failed,
            Verdict::Error => CaseState::Error,
        }
    }
}

/// Instances that were run again, with their later attempts.
#[derive(Clone, Debug, Default)]
pub struct Attempts<'a> {
    firsts: BTreeSet<&'a str>,
    later: BTreeMap<&'a str, Vec<&'a InstanceSummary>>,
}

impl<'a> Attempts<'a> {
    /// Of all instances of a run.
    pub fn of(instances: &'a [InstanceSummary]) -> Attempts<'a> {
        let headers = instances.iter().map(|instance| &instance.header);
        let firsts = headers.filter(|header| header.retry_of.is_none());
        let firsts: BTreeSet<&str> = firsts.map(|header| header.instance.as_str()).collect();
        let mut later: BTreeMap<&str, Vec<&InstanceSummary>> = BTreeMap::new();
        for instance in instances {
            if let Some(retry) = &instance.header.retry_of {
                later.entry(&retry.first).or_default().push(instance);
            }
        }
        for attempts in later.values_mut() {
            attempts.sort_by_key(|instance| instance.header.retry_of.as_ref().map(|retry| retry.attempt));
        }
        Attempts { firsts, later }
    }

    /// Whether an instance is an attempt after another one that is there, too.
    pub fn is_later(&self, instance: &InstanceSummary) -> bool {
        let retry = instance.header.retry_of.as_ref();
        retry.is_some_and(|retry| self.firsts.contains(retry.first.as_str()))
    }

    /// The attempts after the first one, in their order.
    pub fn after(&self, first: &InstanceSummary) -> &[&'a InstanceSummary] {
        match first.header.retry_of {
            None => self
                .later
                .get(first.header.instance.as_str())
                .map_or(&[], Vec::as_slice),
            Some(_) => &[],
        }
    }

    /// What an instance came to with all its attempts; none for an attempt that is not the first, whose verdict that of the
    /// first one holds.
    pub fn state(&self, instance: &InstanceSummary) -> Option<CaseState> {
        if self.is_later(instance) {
            return None;
        }
        let later = self
            .after(instance)
            .iter()
            .map(|attempt| CaseState::from(*attempt));
        let states: Vec<CaseState> = [CaseState::from(instance)].into_iter().chain(later).collect();
        let worst = states.iter().copied().max();
        match worst > Some(CaseState::Waived) && states.iter().any(|state| *state <= CaseState::Waived) {
            true => Some(CaseState::Flaky),
            false => worst,
        }
    }
}

/// What every scenario on its unit came to: the worst of its repeats and points.
pub fn case_states(instances: &[InstanceSummary]) -> BTreeMap<&str, CaseState> {
    let attempts = Attempts::of(instances);
    let mut cases: BTreeMap<&str, CaseState> = BTreeMap::new();
    for instance in instances {
        if let Some(state) = attempts.state(instance) {
            let worst = cases.entry(instance.header.case()).or_insert(CaseState::Absent);
            *worst = state.max(*worst);
        }
    }
    cases
}
