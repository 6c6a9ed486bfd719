//! One file per command.

mod call;
mod certify;
mod cloud;
mod compare;
mod completions;
mod explain;
mod init;
mod judge;
mod keygen;
mod last_run;
mod lint;
mod list;
mod merge;
mod proxy;
mod report;
mod run;
mod schema;
mod selftest;
mod simulate;
mod verify;

use crate::{args::Command, exit::Exit};
use hil_reports::EventSource;
use hil_trace::{Event, Trace};

/// Executes a command and says how `hil` ends.
pub(crate) fn execute(command: Command) -> Exit {
    match command {
        Command::Run(arguments) => run::execute(arguments),
        Command::List(arguments) => list::execute(arguments),
        Command::Explain(arguments) => explain::execute(arguments),
        Command::Selftest(arguments) => selftest::execute(arguments),
        Command::Lint(arguments) => lint::execute(arguments),
        Command::Judge(arguments) => judge::execute(arguments),
        Command::Report(arguments) => report::execute(arguments),
        Command::Compare(arguments) => compare::execute(arguments),
        Command::Keygen(arguments) => keygen::execute(arguments),
        Command::Certify(arguments) => certify::execute(arguments),
        Command::Verify(arguments) => verify::execute(arguments),
        Command::Cloud(arguments) => cloud::execute(arguments),
        Command::Simulate(arguments) => simulate::execute(arguments),
        Command::Call(arguments) => call::execute(arguments),
        Command::Proxy(arguments) => proxy::execute(arguments),
        Command::Init(arguments) => init::execute(arguments),
        Command::Schema(arguments) => schema::execute(arguments),
        Command::Completions { shell } => completions::execute(shell),
    }
}

/// Events for reports, read by the monitors' views.
pub(crate) struct Views;

impl EventSource for Views {
    fn events(&self, trace: &Trace) -> Vec<Event> {
        let mut view = hil_monitor::view_for(trace.header.protocol, &trace.header.ics);
        trace
            .records
            .iter()
            .flat_map(|record| view.events(record))
            .collect()
    }
}

/// Prints to standard output; a reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Prints a remark to standard error.
pub(crate) fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints an error and gives the exit back.
pub(crate) fn fail(error: impl std::fmt::Display, exit: Exit) -> Exit {
    use std::io::Write;
    let text = error.to_string();
    let lead = if text.starts_with("error") { "" } else { "error: " };
    let _ = writeln!(std::io::stderr(), "{lead}{}", text.trim_end());
    exit
}
