//! `hil report`.

use super::{Views, fail, merge, print};
use crate::{
    args::{Format, ReportArguments, ReportCommand},
    exit::Exit,
    judged,
    library::Library,
    places::Scenarios,
};
use hil_reports::{Report, TerminalReport, code_quality, github_annotations, html, json, junit, markdown};
use std::fs;

pub(crate) fn execute(arguments: ReportArguments) -> Exit {
    if let Some(ReportCommand::Merge(arguments)) = arguments.command {
        return merge::execute(arguments);
    }
    // The parser demands one where there is no command.
    let Some(path) = arguments.journal else {
        return Exit::CommandLine;
    };
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let journal = match judged::read(&path) {
        Ok(journal) => journal,
        Err(exit) => return exit,
    };
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
    let places = Scenarios::new(&library, &arguments.scenarios);
    let text = match arguments.format {
        Format::Html => html(&report).map_err(|error| error.to_string()),
        Format::Junit => junit(&report).map_err(|error| error.to_string()),
        Format::Json => json(&summary).map_err(|error| error.to_string()),
        Format::Markdown => Ok(markdown(&report)),
        Format::Github => Ok(github_annotations(&report, &places)),
        Format::CodeQuality => code_quality(&report, &places).map_err(|error| error.to_string()),
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
        // No annotations are no line.
        (Ok(text), None) if text.is_empty() => Exit::Pass,
        (Ok(text), None) => {
            print(&text);
            Exit::Pass
        }
        (Err(error), _) => fail(error, Exit::Unexpected),
    }
}
