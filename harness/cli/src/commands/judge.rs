//! `hil judge`.

use super::{Views, fail, print};
use crate::{args::JudgeArguments, exit::Exit, library::Library};
use hil_reports::{Report, TerminalReport};
use hil_runner::{digest, judge_traces};
use hil_trace::{JournalReader, exit_code};
use std::io::{IsTerminal, Write};

pub(crate) fn execute(arguments: JudgeArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let journal = match JournalReader::read(&arguments.journal) {
        Ok(journal) => journal,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    if let Some(torn) = &journal.torn {
        let warning = format!(
            "warning: the journal breaks off at line {}: {}",
            torn.line, torn.reason
        );
        let _ = writeln!(std::io::stderr(), "{warning}; judged is what stands before");
    }
    if arguments.digest {
        print(&digest(&journal.traces));
        return Exit::Pass;
    }
    let summary = judge_traces(&journal.traces, &library.catalogue, arguments.strict);
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
    Exit::Run(exit_code(&summary.counts()))
}
