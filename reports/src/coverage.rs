//! Requirements of a run counted by level and state.

use hil_trace::{CoverageState, Level, RequirementCoverage};
use std::collections::BTreeMap;

/// Every state in the order reports list them.
pub(crate) const STATES: [CoverageState; 7] = [
    CoverageState::Verified,
    CoverageState::Violated,
    CoverageState::Waived,
    CoverageState::Warned,
    CoverageState::Inconclusive,
    CoverageState::NotExercised,
    CoverageState::NotApplicable,
];

/// How many requirements of some levels are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    by_state: [usize; STATES.len()],
}

impl Tally {
    /// Counts the requirements of one protocol that have the level, or all of them.
    pub(crate) fn of(coverage: &BTreeMap<String, RequirementCoverage>, level: Option<Level>) -> Self {
        let mut tally = Tally::default();
        for requirement in coverage.values() {
            if level.is_none_or(|l| l == requirement.level) {
                tally.by_state[index(requirement.state)] += 1;
            }
        }
        tally
    }

    /// Number of requirements in a state.
    pub(crate) fn get(&self, state: CoverageState) -> usize {
        self.by_state[index(state)]
    }

    /// Number of requirements.
    pub(crate) fn total(&self) -> usize {
        self.by_state.iter().sum()
    }

    /// Number of requirements that apply to the unit.
    pub(crate) fn applicable(&self) -> usize {
        self.total() - self.get(CoverageState::NotApplicable)
    }
}

/// The words of a state.
pub(crate) fn state_name(state: CoverageState) -> &'static str {
    match state {
        CoverageState::Verified => "verified",
        CoverageState::Violated => "violated",
        CoverageState::Waived => "waived",
        CoverageState::Warned => "warned",
        CoverageState::Inconclusive => "inconclusive",
        CoverageState::NotExercised => "not exercised",
        CoverageState::NotApplicable => "not applicable",
    }
}

/// A one-character sign of a state.
pub(crate) fn state_sign(state: CoverageState) -> &'static str {
    match state {
        CoverageState::Verified => "✓",
        CoverageState::Violated => "✗",
        CoverageState::Waived => "⚑",
        CoverageState::Warned => "▲",
        CoverageState::Inconclusive => "?",
        CoverageState::NotExercised => "·",
        CoverageState::NotApplicable => "–",
    }
}

fn index(state: CoverageState) -> usize {
    match state {
        CoverageState::Verified => 0,
        CoverageState::Violated => 1,
        CoverageState::Waived => 2,
        CoverageState::Warned => 3,
        CoverageState::Inconclusive => 4,
        CoverageState::NotExercised => 5,
        CoverageState::NotApplicable => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_counted_by_level() {
        let requirement = |level, state| RequirementCoverage {
            sentence: String::new(),
            level,
            state,
            instances: Vec::new(),
        };
        let coverage = BTreeMap::from([
            ("A".to_owned(), requirement(Level::Must, CoverageState::Verified)),
            (
                "B".to_owned(),
                requirement(Level::Must, CoverageState::NotApplicable),
            ),
            ("C".to_owned(), requirement(Level::Should, CoverageState::Warned)),
        ]);
        let must = Tally::of(&coverage, Some(Level::Must));
        assert_eq!((must.total(), must.applicable()), (2, 1));
        assert_eq!(Tally::of(&coverage, None).get(CoverageState::Warned), 1);
        assert!(STATES.iter().enumerate().all(|(i, s)| index(*s) == i));
    }
}
