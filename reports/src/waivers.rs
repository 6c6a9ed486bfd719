//! Waivers in words, the same in every report.

use crate::text;
use hil_trace::{RunSummary, WaiverOutcome, WaiverStanding};

/// What became of a waiver, and why it was given.
pub(crate) fn words(outcome: &WaiverOutcome) -> String {
    let waiver = &outcome.waiver;
    let until = waiver.expires;
    let what = match outcome.standing {
        WaiverStanding::Used => format!("violated, which is waived until {until}"),
        WaiverStanding::Unneeded => "the requirement is met now: take the waiver away".to_owned(),
        WaiverStanding::Expired => format!("it ended on {until} and waives nothing"),
        WaiverStanding::Idle => {
            let state = crate::coverage::state_name(outcome.state);
            format!("nothing to waive: the requirement is {state}; until {until}")
        }
    };
    format!("{what}. Reason: {}", text::line(&waiver.reason))
}

/// How many waivers somebody should look after.
pub(crate) fn stale(summary: &RunSummary) -> usize {
    let outcomes = summary.waivers.iter();
    outcomes.filter(|outcome| outcome.standing.is_stale()).count()
}
