//! What was exercised, as the template wants it.

use crate::{
    exercise::{Share, shares, unforeseen},
    report::Report,
    text,
};

/// One protocol.
pub(super) struct ExerciseView {
    pub(super) protocol: &'static str,
    pub(super) shares: Vec<ShareView>,
    /// Transitions nobody foresaw.
    pub(super) unforeseen: Vec<String>,
}

/// One kind of what there is.
pub(super) struct ShareView {
    pub(super) reached: usize,
    pub(super) all: usize,
    /// Percent, rounded down: all is all.
    pub(super) percent: usize,
    pub(super) missing: Vec<String>,
}

impl ExerciseView {
    pub(super) fn all(report: &Report<'_>) -> Vec<Self> {
        let exercised = report.summary.exercise.iter();
        let lines = |words: Vec<String>| words.iter().map(|words| text::line(words)).collect();
        exercised
            .map(|(protocol, exercise)| ExerciseView {
                protocol: protocol.name(),
                shares: shares(exercise).into_iter().map(share).collect(),
                unforeseen: lines(unforeseen(exercise)),
            })
            .collect()
    }
}

fn share(share: Share) -> ShareView {
    ShareView {
        reached: share.reached,
        all: share.all,
        percent: (share.reached * 100).checked_div(share.all).unwrap_or(100),
        missing: share.missing.iter().map(|words| text::line(words)).collect(),
    }
}
