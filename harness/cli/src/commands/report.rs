//! `hil report`.

use super::{Views, fail, judge::tell_damage, print};
use crate::{
    args::{Format, ReportArguments},
    exit::Exit,
    library::Library,
};
use hil_reports::{Report, TerminalReport, html, json, junit, markdown};
use hil_runner::judge_traces;
use hil_trace::JournalReader;
use std::fs;

pub(crate) fn execute(arguments: ReportArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let journal = match JournalReader::read(&arguments.journal) {
        Ok(journal) => journal,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    tell_damage(&journal);
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
    let text = match arguments.format {
        Format::Html => html(&report).map_err(|error| error.to_string()),
        Format::Junit => junit(&report).map_err(|error| error.to_string()),
        Format::Json => json(&summary).map_err(|error| error.to_string()),
        Format::Markdown => Ok(markdown(&report)),
        Format::Text => Ok(TerminalReport {
            report: &report,
            brief: false,
            written: &[],
        }
        .render(100, false)),
    };
    match (text, &arguments.output) {
        (Ok(text), Some(path)) => match fs::write(path, text) {
            Ok(()) => Exit::Pass,
            Err(error) => fail(format!("{}: {error}", path.display()), Exit::Unexpected),
        },
        (Ok(text), None) => {
            print(&text);
            Exit::Pass
        }
        (Err(error), _) => fail(error, Exit::Unexpected),
    }
}
