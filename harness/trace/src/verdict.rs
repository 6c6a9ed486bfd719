//! Verdicts and their join.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is known about an instance or a requirement. The order is the join: the worst one wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was judged.
    #[default]
    None,
    /// Judged and right.
    Pass,
    /// The evidence does not decide.
    Inconclusive,
    /// The unit is wrong.
    Fail,
    /// We could not judge: lab, harness or scenario.
    Error,
}

impl Verdict {
    /// The worse of two verdicts.
    #[must_use]
    pub fn join(self, other: Verdict) -> Verdict {
        self.max(other)
    }

    /// The word used in files and on the terminal.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::None => "none",
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
            Verdict::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
