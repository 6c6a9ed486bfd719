//! `hil compare`.

use super::{fail, print};
use crate::{
    args::{CompareArguments, CompareFormat},
    exit::Exit,
    library::Library,
};
use hil_reports::{ComparisonReport, comparison_json, comparison_markdown, comparison_text, wants_color};
use hil_runner::judge_traces;
use hil_trace::{Comparison, JournalError, JournalReader, Outcome, RunSummary, Side};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

pub(crate) fn execute(arguments: CompareArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let new = match side(&arguments.new, &library, arguments.strict) {
        Ok(new) => new,
        Err(error) => return fail(format!("the new run: {error}"), Exit::Unexpected),
    };
    let comparison = match side(&arguments.baseline, &library, arguments.strict) {
        Ok(baseline) => Comparison::of(&baseline, &new, arguments.slower_by / 100.0),
        Err(error) if error.is_missing() => Comparison::without_baseline(error.to_string(), &new),
        Err(error) => Comparison::with_unreadable_baseline(error.to_string(), &new),
    };
    let outcomes = Outcome::ALL.into_iter();
    let blocking: BTreeSet<Outcome> = outcomes
        .filter(|outcome| outcome.blocks() && !arguments.allow.contains(outcome))
        .chain(arguments.block.iter().copied())
        .collect();
    let report = ComparisonReport {
        comparison: &comparison,
        blocking: &blocking,
    };
    let text = match arguments.format {
        CompareFormat::Text => {
            let terminal = io::stdout().is_terminal() && arguments.output.is_none();
            let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
            comparison_text(
                &report,
                wants_color(no_color.as_deref(), term.as_deref(), terminal),
            )
        }
        CompareFormat::Markdown => comparison_markdown(&report),
        CompareFormat::Json => match comparison_json(&report) {
            Ok(text) => text,
            Err(error) => return fail(error, Exit::Unexpected),
        },
    };
    match &arguments.output {
        None => print(&text),
        Some(path) => {
            if let Err(error) = fs::write(path, text) {
                return fail(format!("{}: {error}", path.display()), Exit::Unexpected);
            }
        }
    }
    Exit::Compared(report.decisive())
}

/// Why a side could not be had.
#[derive(Debug, thiserror::Error)]
enum SideError {
    /// There is no such file or folder, or the folder holds no run.
    #[error("{}: {why}", .path.display())]
    Missing {
        /// The path.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The report cannot be read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no report of a run.
    #[error("{}: not a report of a run: {source}", .path.display())]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl SideError {
    fn is_missing(&self) -> bool {
        matches!(self, SideError::Missing { .. })
    }
}

/// A report folder or a journal, judged again; a report as it stands.
fn side(path: &Path, library: &Library, strict: bool) -> Result<Side, SideError> {
    let missing = |why| SideError::Missing {
        path: path.to_owned(),
        why,
    };
    let (journal, report) = (path.join("journal.jsonl"), path.join("report.json"));
    let (journal, report) = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(missing("there is no such file or folder"));
        }
        Ok(metadata) if metadata.is_dir() => (
            Some(journal).filter(|path| path.exists()),
            Some(report).filter(|path| path.exists()),
        ),
        _ if path.extension().is_some_and(|extension| extension == "json") => (None, Some(path.to_owned())),
        _ => (Some(path.to_owned()), None),
    };
    let report = report.map(|path| read_report(&path)).transpose();
    let name = path.display().to_string();
    let Some(journal) = journal else {
        let summary =
            report?.ok_or_else(|| missing("the folder holds neither journal.jsonl nor report.json"))?;
        return Ok(Side {
            name,
            summary,
            damage: Vec::new(),
            known: None,
        });
    };
    let journal = JournalReader::read(&journal)?;
    let mut summary = judge_traces(&journal.traces, &journal.repeats, &library.catalogue, strict);
    summary.interrupted |= journal.interrupted;
    if let Some(waivers) = &journal.waivers {
        summary = summary.waived(waivers);
    }
    // What requirements there were is in the report, if there is one; the journal is judged by those there are.
    let known = report.ok().flatten().map(|report| {
        let covered = report.coverage.into_values().flatten();
        covered
            .map(|(id, covered)| {
                let said = Some(covered.sentence).filter(|said| !said.is_empty());
                (id, (covered.level, said))
            })
            .collect()
    });
    Ok(Side {
        name,
        summary,
        damage: journal.damage.iter().map(ToString::to_string).collect(),
        known,
    })
}

fn read_report(path: &Path) -> Result<RunSummary, SideError> {
    let bytes = fs::read(path).map_err(|source| SideError::Io {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| SideError::NotAReport {
        path: path.to_owned(),
        source,
    })
}
