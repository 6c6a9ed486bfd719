//! Instances that did not pass and were run again.

use crate::style::instance_word;
use hil_trace::{Attempts, CaseState, InstanceSummary};

/// An instance that passed only when run again.
pub(crate) struct Flaky<'a> {
    pub(crate) instance: &'a InstanceSummary,
    /// Such as `FAIL, then FAIL, then PASS`.
    pub(crate) words: String,
}

/// Every instance that passed only when run again, in the order of names.
pub(crate) fn flaky(instances: &[InstanceSummary]) -> Vec<Flaky<'_>> {
    let attempts = Attempts::of(instances);
    let flaky = instances
        .iter()
        .filter(|instance| attempts.state(instance) == Some(CaseState::Flaky));
    flaky
        .map(|instance| {
            let later = attempts.after(instance).iter().map(|later| instance_word(later));
            let words: Vec<&str> = [instance_word(instance)].into_iter().chain(later).collect();
            Flaky {
                instance,
                words: words.join(", then "),
            }
        })
        .collect()
}

/// What a list of them is called.
pub(crate) const TITLE: &str = "Flaky: passed only when run again";
