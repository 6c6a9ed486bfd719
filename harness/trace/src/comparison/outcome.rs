//! What a comparison can come to, the gravest first.

use serde::{Deserialize, Serialize};

/// One thing a comparison found. The order is the precedence: the first one found that blocks decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something fails that did not fail in the baseline.
    NewFailures,
    /// Something could not be judged in the new run.
    Errors,
    /// The new run was cut short, or its journal is torn.
    IncompleteRun,
    /// What is the same passes at one time and not at another, in the new run or only in the baseline.
    Flaky,
    /// What was exercised in the baseline is not any more.
    NewlyUnexercised,
    /// What was decided in the baseline is not any more.
    NewlyInconclusive,
    /// A measured time got longer by more than chance and the clock explain.
    Slower,
    /// A SHOULD or MAY is violated that was not in the baseline.
    NewWarnings,
    /// The baseline was cut short, is damaged, or has errors where the new run has none: it is no measure there.
    UnsoundBaseline,
    /// There is no baseline.
    NoBaseline,
    /// The two runs have no protocol and unit in common.
    NothingComparable,
    /// Too few values, or too scattered ones, to tell whether a measured time got longer.
    TimingUndecided,
    /// Something fails that the baseline did not run, or that a new requirement asks for: no regression.
    NewAndFailing,
    /// Something fails as it did in the baseline.
    StillFailing,
    /// A requirement is waived that was not in the baseline.
    NewlyWaived,
    /// Requirements were added, removed or changed.
    ChangedCatalogue,
    /// Something that failed in the baseline passes.
    Fixed,
}

impl Outcome {
    /// Every one, the gravest first.
    pub const ALL: [Outcome; 17] = [
        Outcome::NewFailures,
        Outcome::Errors,
        Outcome::IncompleteRun,
        Outcome::Flaky,
        Outcome::NewlyUnexercised,
        Outcome::NewlyInconclusive,
        Outcome::Slower,
        Outcome::NewWarnings,
        Outcome::UnsoundBaseline,
        Outcome::NoBaseline,
        Outcome::NothingComparable,
        Outcome::TimingUndecided,
        Outcome::NewAndFailing,
        Outcome::StillFailing,
        Outcome::NewlyWaived,
        Outcome::ChangedCatalogue,
        Outcome::Fixed,
    ];

    /// The word of the command line and of JSON.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::NewFailures => "new-failures",
            Outcome::Errors => "errors",
            Outcome::IncompleteRun => "incomplete-run",
            Outcome::Flaky => "flaky",
            Outcome::NewlyUnexercised => "newly-unexercised",
            Outcome::NewlyInconclusive => "newly-inconclusive",
            Outcome::Slower => "slower",
            Outcome::NewWarnings => "new-warnings",
            Outcome::UnsoundBaseline => "unsound-baseline",
            Outcome::NoBaseline => "no-baseline",
            Outcome::NothingComparable => "nothing-comparable",
            Outcome::TimingUndecided => "timing-undecided",
            Outcome::NewAndFailing => "new-and-failing",
            Outcome::StillFailing => "still-failing",
            Outcome::NewlyWaived => "newly-waived",
            Outcome::ChangedCatalogue => "changed-catalogue",
            Outcome::Fixed => "fixed",
        }
    }

    /// The exit code of a comparison this outcome decides; those of a run end below.
    pub fn exit_code(self) -> u8 {
        10 + self as u8
    }

    /// Whether it decides the exit code unless the user says otherwise.
    pub fn blocks(self) -> bool {
        self <= Outcome::TimingUndecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_code_of_its_own_in_the_order_of_precedence() {
        let codes: Vec<u8> = Outcome::ALL.iter().map(|outcome| outcome.exit_code()).collect();
        assert_eq!(codes, (10..27).collect::<Vec<u8>>());
        assert!(Outcome::ALL.is_sorted());
        let told = serde_json::to_value(Outcome::ALL).unwrap();
        let names = Outcome::ALL.map(Outcome::name);
        assert_eq!(told, serde_json::json!(names));
    }
}
