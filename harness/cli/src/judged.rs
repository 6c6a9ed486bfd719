//! A journal, judged again.

use crate::{
    commands::{fail, tell},
    exit::Exit,
    library::Library,
    waivers::waivers,
};
use hil_runner::judge_traces;
use hil_trace::{JournalReader, ReadJournal, RunSummary};
use std::path::Path;

/// Reads a journal or the one in a folder, and says what of it is missing.
pub(crate) fn read(path: &Path) -> Result<ReadJournal, Exit> {
    let journal = JournalReader::read(path).map_err(|error| fail(error, Exit::Unexpected))?;
    for damage in &journal.damage {
        tell(&format!("warning: {damage}; judged is what stands before"));
    }
    Ok(journal)
}

/// Judges a journal by its own waivers, or by those of a file.
pub(crate) fn judge(
    journal: &ReadJournal,
    library: &Library,
    strict: bool,
    waiver_file: Option<&Path>,
) -> Result<RunSummary, Exit> {
    let given = waiver_file.map(|path| waivers(path, library));
    let given = given.transpose().map_err(|error| fail(error, Exit::Invalid))?;
    let mut summary = judge_traces(&journal.traces, &journal.repeats, &library.catalogue, strict);
    summary.interrupted |= journal.is_incomplete();
    summary.partitions.extend(&journal.partitions);
    Ok(match given.as_ref().or(journal.waivers.as_ref()) {
        Some(waivers) => summary.waived(waivers),
        None => summary,
    })
}
