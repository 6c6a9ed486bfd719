//! One judgement with its evidence.

use crate::{Level, Verdict};
use serde::{Deserialize, Serialize};

/// Who is to blame for a finding that is not a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The unit under test.
    Unit,
    /// The mock cloud.
    Cloud,
    /// Boards, cables, ports, disks: the surroundings.
    Lab,
    /// The harness itself, or the scenario.
    Harness,
}

/// A requirement (or a scenario step) judged, and the records that prove it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Requirement id; `None` for a step that names no requirement.
    pub requirement: Option<String>,
    /// Level of that requirement; MUST where there is none.
    pub level: Level,
    /// The judgement.
    pub verdict: Verdict,
    /// One or two sentences for people, with the figures.
    pub text: String,
    /// Sequence numbers of the records that prove it, in order.
    pub evidence: Vec<u64>,
    /// Who is to blame; meaningless for a pass.
    pub blame: Blame,
    /// The scenario step that stated it, such as `3` or `4.1`; `None` for a protocol monitor.
    pub step: Option<String>,
    /// The monitor that stated it, such as `edge-poll/ack`.
    pub monitor: String,
}

impl Finding {
    /// What this finding means for the instance: a violated SHOULD or MAY fails only when `strict`.
    pub fn effective(&self, strict: bool) -> Verdict {
        match (self.verdict, self.level) {
            (Verdict::Fail, Level::Must) => Verdict::Fail,
            (Verdict::Fail, Level::Should) if strict => Verdict::Fail,
            (Verdict::Fail, _) => Verdict::Pass,
            (Verdict::Inconclusive, Level::May) => Verdict::Pass,
            (verdict, _) => verdict,
        }
    }

    /// True for a violated SHOULD or MAY that does not fail the instance.
    pub fn is_warning(&self, strict: bool) -> bool {
        self.verdict == Verdict::Fail && self.effective(strict) != Verdict::Fail
    }
}
