//! What did not pass in an earlier run, for `hil run --last-failed`.

use crate::exit::Exit;
use hil_runner::Cases;
use hil_trace::{CaseState, RunSummary, case_states};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The earlier run.
#[derive(Debug)]
pub(super) struct LastRun {
    path: PathBuf,
    /// Scenarios on their units that did not pass.
    failed: BTreeSet<String>,
    /// Those that need not run again.
    others: BTreeSet<String>,
    /// Whether it was cut short.
    interrupted: bool,
}

/// Why there is no earlier run.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoLastRun {
    /// Nobody says where it is.
    #[error("`--last-failed` without a folder needs `--report DIR`, with the reports of the run before")]
    NoFolder,
    /// It is not there.
    #[error("`--last-failed`: there is no report of an earlier run: {}: {source}", .path.display())]
    Missing {
        /// The report.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("`--last-failed`: {}: not a report of a run: {source}", .path.display())]
    NotAReport {
        /// The report.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl NoLastRun {
    /// A report that is wrong is no mistake of the command line.
    pub(super) fn exit(&self) -> Exit {
        match self {
            NoLastRun::NoFolder | NoLastRun::Missing { .. } => Exit::CommandLine,
            NoLastRun::NotAReport { .. } => Exit::Unexpected,
        }
    }
}

impl LastRun {
    /// Reads `report.json` of a folder.
    pub(super) fn read(folder: Option<&Path>) -> Result<LastRun, NoLastRun> {
        let folder = folder.ok_or(NoLastRun::NoFolder)?;
        let path = folder.join("report.json");
        let bytes = fs::read(&path).map_err(|source| NoLastRun::Missing {
            path: path.clone(),
            source,
        })?;
        let summary: RunSummary = serde_json::from_slice(&bytes).map_err(|source| NoLastRun::NotAReport {
            path: path.clone(),
            source,
        })?;
        let states = case_states(&summary.instances);
        let (failed, others): (Vec<_>, Vec<_>) = states
            .into_iter()
            .partition(|(_, state)| *state > CaseState::Waived);
        // A sweep that is repeated is several; they come again together.
        let names = |cases: Vec<(&str, CaseState)>| -> BTreeSet<String> {
            cases
                .iter()
                .map(|(name, _)| without_number(name).to_owned())
                .collect()
        };
        let (failed, others) = (names(failed), names(others));
        Ok(LastRun {
            path,
            others: others.difference(&failed).cloned().collect(),
            failed,
            interrupted: summary.interrupted,
        })
    }

    /// What is to run: of a run that was cut short also what it did not come to.
    pub(super) fn cases(&self) -> Cases {
        match self.interrupted {
            true => Cases::AllBut(self.others.clone()),
            false => Cases::Only(self.failed.clone()),
        }
    }

    /// What is going to run, for people.
    pub(super) fn remark(&self) -> String {
        let path = self.path.display();
        let failed = match self.failed.len() {
            1 => "1 scenario that did not pass".to_owned(),
            n => format!("{n} scenarios that did not pass"),
        };
        let more = if self.interrupted {
            ", and those it did not come to"
        } else {
            ""
        };
        format!("of {path}: {failed}{more}")
    }

    /// Why nothing ran.
    pub(super) fn nothing_selected(&self) -> String {
        match self.failed.is_empty() {
            true => format!(
                "note: everything passed or was skipped in {}",
                self.path.display()
            ),
            false => {
                let names: Vec<&str> = self.failed.iter().take(NAMED).map(String::as_str).collect();
                let names = names.join(", ");
                format!("note: these options select nothing of what did not pass, such as {names}")
            }
        }
    }
}

/// The name without what tells repeated sweeps apart; names of units may hold the sign, too.
fn without_number(name: &str) -> &str {
    match name.rsplit_once('#') {
        Some((stem, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    }
}

const NAMED: usize = 3;
