//! Two runs held against each other, as something to read: terminal, Markdown for a merge request, JSON.

mod json;
mod markdown;
mod sections;
mod terminal;
mod words;

pub use json::comparison_json;
pub use markdown::comparison_markdown;
pub use terminal::comparison_text;

use hil_trace::{Comparison, Outcome};
use std::collections::BTreeSet;

/// A comparison, and what of it decides.
#[derive(Clone, Copy, Debug)]
pub struct ComparisonReport<'a> {
    /// What was found.
    pub comparison: &'a Comparison,
    /// Outcomes that are not to be let pass.
    pub blocking: &'a BTreeSet<Outcome>,
}

impl ComparisonReport<'_> {
    /// The gravest outcome that is not to be let pass; none if there is nothing to stop for.
    pub fn decisive(&self) -> Option<Outcome> {
        let mut found = self.comparison.outcomes().into_iter();
        found.find(|outcome| self.blocking.contains(outcome))
    }

    /// The exit code that goes with it.
    pub fn exit_code(&self) -> u8 {
        self.decisive().map_or(0, Outcome::exit_code)
    }
}
