//! Every exit code there is.

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
    /// A run's own code: 0, 4 failed, 5 inconclusive, 6 error, 7 nothing ran.
    Run(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Pass => 0,
            Exit::Unexpected => 1,
            Exit::CommandLine => 2,
            Exit::Invalid => 3,
            Exit::Run(code) => code,
        })
    }
}
