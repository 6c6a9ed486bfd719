//! Every exit code there is.

use hil_trace::Outcome;
use std::process::ExitCode;

/// How `hil` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything passed, or the command did its work.
    Pass,
    /// Something unexpected: disk, network, a broken journal.
    Unexpected,
    /// The command line is wrong.
    CommandLine,
    /// A scenario, catalogue or unit file is invalid.
    Invalid,
    /// A run's own code: 4 failed, else 6 error, 5 inconclusive, 13 flaky (passed only when run again), 7 nothing ran, 0.
    Run(u8),
    /// What a comparison comes to: 0 if nothing was found that blocks, else the code of the gravest outcome that does.
    ///
    /// | Code | Outcome | Code | Outcome | Code | Outcome |
    /// | --- | --- | --- | --- | --- | --- |
    /// | 10 | new failures | 16 | slower | 22 | new and failing |
    /// | 11 | errors | 17 | new warnings | 23 | still failing |
    /// | 12 | incomplete run | 18 | unsound baseline | 24 | newly waived |
    /// | 13 | flaky | 19 | no baseline | 25 | changed catalogue |
    /// | 14 | newly unexercised | 20 | nothing comparable | 26 | fixed |
    /// | 15 | newly inconclusive | 21 | timing undecided | | |
    ///
    /// Those up to 21 block unless `--allow` says otherwise, the others only with `--block`. The order is the precedence.
    Compared(Option<Outcome>),
    /// Not certified: something the profile needs was not exercised.
    NotExercised,
    /// A certificate does not hold.
    Refused,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Pass => 0,
            Exit::Unexpected => 1,
            Exit::CommandLine => 2,
            Exit::Invalid => 3,
            Exit::Run(code) => code,
            Exit::Compared(outcome) => outcome.map_or(0, Outcome::exit_code),
            Exit::NotExercised => 8,
            Exit::Refused => 9,
        })
    }
}
