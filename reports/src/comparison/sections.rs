//! A comparison as one list for each outcome, the gravest first.

use super::{
    ComparisonReport,
    words::{self, Item},
};
use crate::text;
use hil_trace::{CaseState, Comparison, Outcome, TimeChange, TimeVerdict};

/// What was found of one outcome.
pub(super) struct Section {
    /// None for what decides nothing.
    pub(super) outcome: Option<Outcome>,
    pub(super) title: String,
    pub(super) items: Vec<Item>,
}

/// Every outcome found, and what decides nothing after it.
pub(super) fn sections(report: &ComparisonReport<'_>) -> Vec<Section> {
    let comparison = report.comparison;
    let outcomes = comparison.outcomes().into_iter();
    let mut sections: Vec<Section> = outcomes
        .map(|outcome| Section {
            outcome: Some(outcome),
            title: capital(phrase(outcome)),
            items: items(comparison, outcome),
        })
        .collect();
    let steadied = comparison
        .flaky
        .iter()
        .filter(|flaky| flaky.now == CaseState::Passed);
    let faster = comparison.timed(TimeVerdict::Faster);
    let others = [
        (
            "Flaky in the baseline, passed now: not counted as fixed",
            steadied.map(words::flaky).collect(),
        ),
        ("Faster", faster.map(words::time).collect()),
        (
            "Not made alike",
            comparison.conditions.iter().map(words::condition).collect(),
        ),
    ];
    let others: [(&str, Vec<Item>); 3] = others;
    for (title, items) in others {
        if !items.is_empty() {
            let title = title.to_owned();
            sections.push(Section {
                outcome: None,
                title,
                items,
            });
        }
    }
    sections
}

/// What an outcome is called in a headline.
pub(super) fn phrase(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NewFailures => "new failures",
        Outcome::Errors => "errors: not judged in the new run",
        Outcome::IncompleteRun => "the new run is incomplete",
        Outcome::Flaky => "flaky: passes at one time and not at another",
        Outcome::NewlyUnexercised => "not exercised any more",
        Outcome::NewlyInconclusive => "not decided any more",
        Outcome::Slower => "slower",
        Outcome::NewWarnings => "new warnings",
        Outcome::UnsoundBaseline => "the baseline is no measure",
        Outcome::NoBaseline => "there is no baseline",
        Outcome::NothingComparable => "the runs have nothing in common",
        Outcome::TimingUndecided => "measured times of which nothing can be said",
        Outcome::NewAndFailing => "failing, but not known to the baseline: no regression",
        Outcome::StillFailing => "still failing",
        Outcome::NewlyWaived => "newly waived",
        Outcome::ChangedCatalogue => "changed requirements",
        Outcome::Fixed => "fixed",
    }
}

/// The sentence a comparison comes down to, after `worse`, `undecided` or `no worse`.
pub(super) fn sentence(report: &ComparisonReport<'_>) -> String {
    let compared = text::count(report.comparison.compared as u64, "scenario");
    let Some(decisive) = report.decisive() else {
        return format!("{compared} compared, nothing to stop for");
    };
    let others = report.comparison.outcomes().into_iter();
    let others = others.filter(|outcome| *outcome != decisive && report.blocking.contains(outcome));
    let others: Vec<String> = others
        .map(|outcome| counted(report.comparison, outcome))
        .collect();
    let also = match others.as_slice() {
        [] => String::new(),
        others => format!("; also {}", others.join(", ")),
    };
    format!(
        "{}{also}; {compared} compared",
        counted(report.comparison, decisive)
    )
}

/// The word a comparison comes down to.
pub(super) fn word(report: &ComparisonReport<'_>) -> &'static str {
    match report.decisive() {
        None => "no worse",
        Some(
            Outcome::NewFailures
            | Outcome::Flaky
            | Outcome::NewlyUnexercised
            | Outcome::NewlyInconclusive
            | Outcome::Slower
            | Outcome::NewWarnings,
        ) => "worse",
        Some(Outcome::NewAndFailing | Outcome::StillFailing) => "failing",
        Some(_) => "undecided",
    }
}

/// Such as `new failures (3)`.
fn counted(comparison: &Comparison, outcome: Outcome) -> String {
    match items(comparison, outcome).len() {
        0 => phrase(outcome).to_owned(),
        n => format!("{} ({n})", phrase(outcome)),
    }
}

fn items(comparison: &Comparison, outcome: Outcome) -> Vec<Item> {
    let said = |text: &String| Item {
        title: text::line(text),
        text: String::new(),
    };
    let changes = |changes: &[hil_trace::Change]| changes.iter().map(words::change).collect();
    match outcome {
        Outcome::NewFailures => changes(&comparison.new_failures),
        Outcome::Errors => changes(&comparison.errors),
        Outcome::IncompleteRun => {
            let cut = comparison.new.interrupted.then(|| "it was cut short".to_owned());
            cut.iter().chain(&comparison.new.damage).map(said).collect()
        }
        Outcome::Flaky => {
            let flaky = comparison
                .flaky
                .iter()
                .filter(|flaky| flaky.now != CaseState::Passed);
            flaky.map(words::flaky).collect()
        }
        Outcome::NewlyUnexercised => comparison.unexercised.iter().map(words::loss).collect(),
        Outcome::NewlyInconclusive => changes(&comparison.newly_inconclusive),
        Outcome::Slower => comparison.timed(TimeVerdict::Slower).map(words::time).collect(),
        Outcome::NewWarnings => changes(&comparison.new_warnings),
        Outcome::UnsoundBaseline => comparison.unsound_baseline.iter().map(said).collect(),
        Outcome::NoBaseline => comparison.no_baseline.iter().map(said).collect(),
        Outcome::NothingComparable => Vec::new(),
        Outcome::TimingUndecided => {
            let undecided = comparison.timed(TimeVerdict::Undecided);
            undecided
                .filter(|change| TimeChange::is_over_repeats(change))
                .map(words::time)
                .collect()
        }
        Outcome::NewAndFailing => changes(&comparison.new_and_failing),
        Outcome::StillFailing => changes(&comparison.still_failing),
        Outcome::NewlyWaived => comparison.newly_waived.iter().map(said).collect(),
        Outcome::ChangedCatalogue => comparison.catalogue.iter().map(words::catalogue).collect(),
        Outcome::Fixed => changes(&comparison.fixed),
    }
}

pub(super) fn capital(words: &str) -> String {
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
