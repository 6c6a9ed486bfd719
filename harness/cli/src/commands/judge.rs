//! `hil judge`.

use super::{Views, fail, print, tell};
use crate::{args::JudgeArguments, exit::Exit, library::Library};
use hil_reports::{Report, TerminalReport};
use hil_runner::{digest, judge_traces};
use hil_trace::{JournalReader, ReadJournal};
use std::io::IsTerminal;

pub(crate) fn execute(arguments: JudgeArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let journal = match JournalReader::read(&arguments.journal) {
        Ok(journal) => journal,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    tell_damage(&journal);
    if arguments.digest {
        print(&digest(&journal.traces, &journal.repeats));
        return Exit::Pass;
    }
    let mut summary = judge_traces(
        &journal.traces,
        &journal.repeats,
        &library.catalogue,
        arguments.strict,
    );
    summary.interrupted |= journal.is_incomplete();
    let report = Report {
        summary: &summary,
        traces: &journal.traces,
        catalogue: &library.catalogue,
        events: &Views,
    };
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    print(
        &TerminalReport {
            report: &report,
            brief: false,
            written: &[],
        }
        .render(100, color),
    );
    Exit::Run(summary.exit_code())
}

/// Says what of a journal is missing.
pub(super) fn tell_damage(journal: &ReadJournal) {
    for damage in &journal.damage {
        tell(&format!("warning: {damage}; judged is what stands before"));
    }
}
