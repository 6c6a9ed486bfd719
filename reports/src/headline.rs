//! The one sentence a run comes down to, and its counts in words.

use hil_trace::{Counts, RunSummary, Verdict};

/// What a run says in one word and one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Headline {
    /// Decides the colour; `None` if nothing ran.
    pub(crate) verdict: Verdict,
    /// Such as `failed`.
    pub(crate) word: &'static str,
    /// Such as `2 of 57 instances show the unit to be wrong`.
    pub(crate) sentence: String,
}

impl Headline {
    /// Follows the order of exit codes: failed, error, inconclusive, flaky, nothing ran, passed.
    pub(crate) fn of(summary: &RunSummary) -> Self {
        let counts = summary.counts();
        let ran = counts.ran();
        let of = |n: usize, one: &str, many: &str| match n {
            1 => format!("1 of {} {one}", instances(ran)),
            n => format!("{n} of {} {many}", instances(ran)),
        };
        let (verdict, word, mut sentence) = match counts {
            Counts { failed: n @ 1.., .. } => {
                let sentence = of(n, "shows the unit to be wrong", "show the unit to be wrong");
                (Verdict::Fail, "failed", sentence)
            }
            Counts { errors: n @ 1.., .. } => {
                let sentence = of(n, "could not be judged", "could not be judged");
                (Verdict::Error, "error", sentence)
            }
            Counts {
                inconclusive: n @ 1..,
                ..
            } => {
                let sentence = of(n, "was not decided", "were not decided");
                (Verdict::Inconclusive, "inconclusive", sentence)
            }
            Counts { flaky: n @ 1.., .. } => {
                let sentence = of(n, "passed only when run again", "passed only when run again");
                (Verdict::Inconclusive, "flaky", sentence)
            }
            Counts { passed: 1.., .. } if summary.interrupted => {
                let sentence = format!("all that is known is that {} passed", instances(ran));
                (Verdict::Inconclusive, "inconclusive", sentence)
            }
            Counts {
                passed: 0,
                waived: n @ 1..,
                ..
            } => {
                let sentence = of(n, "fails, and that is waived", "fail, and that is waived");
                (Verdict::Inconclusive, "waived", sentence)
            }
            Counts { passed: 0, .. } => (Verdict::None, "nothing ran", "no instance was judged".to_owned()),
            _ => {
                let passed = ran - counts.waived;
                let sentence = match counts.warnings {
                    0 => format!("{} met every requirement exercised", instances(passed)),
                    1 => format!("{} without a violated MUST, 1 warning", instances(passed)),
                    n => format!("{} without a violated MUST, {n} warnings", instances(passed)),
                };
                let sentence = match counts.waived {
                    0 => sentence,
                    n => format!("{sentence}, but for {n} whose violations are waived"),
                };
                (Verdict::Pass, "passed", sentence)
            }
        };
        if summary.interrupted {
            sentence.push_str("; the run was cut short");
        }
        Headline {
            verdict,
            word,
            sentence,
        }
    }
}

/// The counts that are not zero, each with the verdict that colours it: `3 passed`, `1 failed`, …
pub(crate) fn counted(counts: &Counts) -> Vec<(Verdict, String)> {
    [
        (Verdict::Fail, counts.failed, "failed"),
        (Verdict::Error, counts.errors, "could not be judged"),
        (Verdict::Inconclusive, counts.inconclusive, "inconclusive"),
        (Verdict::Inconclusive, counts.flaky, "flaky"),
        (Verdict::Inconclusive, counts.waived, "waived"),
        (Verdict::Pass, counts.passed, "passed"),
        (Verdict::None, counts.skipped, "skipped"),
    ]
    .into_iter()
    .filter(|(_, n, _)| *n > 0)
    .map(|(verdict, n, word)| (verdict, format!("{n} {word}")))
    .collect()
}

fn instances(n: usize) -> String {
    crate::text::count(n as u64, "instance")
}
