//! `hil judge`.

use super::{Views, fail, print};
use crate::{args::JudgeArguments, exit::Exit, judged, library::Library};
use hil_reports::{Report, TerminalReport};
use hil_runner::digest;
use std::io::IsTerminal;

pub(crate) fn execute(arguments: JudgeArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let journal = match judged::read(&arguments.journal) {
        Ok(journal) => journal,
        Err(exit) => return exit,
    };
    if arguments.digest {
        print(&digest(&journal.traces, &journal.repeats));
        return Exit::Pass;
    }
    let waivers = arguments.waivers.as_deref();
    let summary = match judged::judge(&journal, &library, arguments.strict, waivers) {
        Ok(summary) => summary,
        Err(exit) => return exit,
    };
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
