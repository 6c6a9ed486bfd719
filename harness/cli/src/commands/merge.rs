//! `hil report merge`.

use super::{Views, fail, print, tell};
use crate::{args::MergeArguments, exit::Exit, library::Library, waivers::waivers};
use hil_reports::{Report, TerminalReport, remove_all, wants_color, write_all};
use hil_runner::judge_traces;
use hil_trace::{Conflict, JournalError, JournalReader, JournalWriter, Merged, Part, merge};
use std::{
    fs,
    io::IsTerminal,
    path::{Path, PathBuf},
};

pub(crate) fn execute(arguments: MergeArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let given = arguments.waivers.as_deref().map(|path| waivers(path, &library));
    let given = match given.transpose() {
        Ok(given) => given,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let mut parts = Vec::new();
    for path in &arguments.journals {
        if is_same(path, &arguments.out) {
            let path = path.display();
            return fail(
                format!("{path} is to be joined and would be overwritten"),
                Exit::CommandLine,
            );
        }
        let name = path.display().to_string();
        match JournalReader::read(path) {
            Ok(journal) => parts.push(Part { name, journal }),
            Err(error) => return fail(error, Exit::Unexpected),
        }
    }
    let mut merged = match merge(parts) {
        Ok(merged) => merged,
        Err(conflicts) => return fail(refused(&conflicts), Exit::Invalid),
    };
    for remark in &merged.remarks {
        tell(&format!("warning: {remark}"));
    }
    merged.waivers = given.or(merged.waivers);
    let mut summary = judge_traces(
        &merged.traces,
        &merged.repeats,
        &library.catalogue,
        arguments.strict,
    );
    summary.interrupted |= merged.interrupted;
    summary.partitions.extend(&merged.partitions);
    if let Some(waivers) = &merged.waivers {
        summary = summary.waived(waivers);
    }
    remove_all(&arguments.out);
    let report = Report {
        summary: &summary,
        traces: &merged.traces,
        catalogue: &library.catalogue,
        events: &Views,
    };
    let written = write_journal(&arguments.out, &merged).map_err(|error| error.to_string());
    let written = written.and_then(|journal| {
        let reports = write_all(&arguments.out, &report).map_err(|error| error.to_string())?;
        Ok([journal].into_iter().chain(reports).collect::<Vec<PathBuf>>())
    });
    let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
    let color = wants_color(
        no_color.as_deref(),
        term.as_deref(),
        std::io::stdout().is_terminal(),
    );
    let text = TerminalReport {
        report: &report,
        brief: true,
        written: written.as_deref().unwrap_or_default(),
    };
    print(&text.render(100, color));
    match (summary.exit_code(), written) {
        (4, Err(error)) => fail(error, Exit::Run(4)),
        (_, Err(error)) => fail(error, Exit::Run(6)),
        (code, Ok(_)) => Exit::Run(code),
    }
}

/// What was joined as a journal of its own.
fn write_journal(folder: &Path, merged: &Merged) -> Result<PathBuf, JournalError> {
    let mut writer = JournalWriter::create(folder)?;
    if let Some(waivers) = &merged.waivers {
        writer.append_waivers(waivers)?;
    }
    merged
        .partitions
        .iter()
        .for_each(|partition| writer.is_part(*partition));
    for group in &merged.repeats {
        writer.append_group(&group.header)?;
        for figures in &group.figures {
            writer.append_figures(&group.header.instance, figures)?;
        }
    }
    for trace in &merged.traces {
        writer.append(trace)?;
    }
    writer.finish(merged.interrupted)?;
    Ok(folder.join("journal.jsonl"))
}

fn is_same(journal: &Path, out: &Path) -> bool {
    let folder = if journal.is_dir() {
        Some(journal)
    } else {
        journal.parent()
    };
    let folder = folder.and_then(|folder| fs::canonicalize(folder).ok());
    folder.is_some() && folder == fs::canonicalize(out).ok()
}

fn refused(conflicts: &[Conflict]) -> String {
    let told = conflicts.iter().take(TOLD).map(Conflict::to_string);
    let more = conflicts.len().saturating_sub(TOLD);
    let more = (more > 0).then(|| format!("and {more} more"));
    let mut lines: Vec<String> = told.chain(more).collect();
    lines.push("join runs of different parts or units: an instance has one name, and runs once".to_owned());
    lines.join("\n")
}

const TOLD: usize = 10;
