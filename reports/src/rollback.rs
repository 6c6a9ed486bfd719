//! The table of rollback paths as a run filled it: for each path and protocol, what its scenarios came to.

use crate::report::Report;
use hil_trace::{InstanceSummary, RollbackCell, Verdict};
use hil_wire::Protocol;

/// One path, with a cell for each protocol of the run.
pub(crate) struct RollbackRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) summary: &'a str,
    pub(crate) cells: Vec<(Protocol, Cell<'a>)>,
}

/// What is known of one path in one protocol.
pub(crate) enum Cell<'a> {
    /// The protocol has no such path, for this reason.
    None(&'a str),
    /// Its scenarios did not run.
    NotRun(&'a [String]),
    /// The worst verdict of its scenarios' instances, and these.
    Ran(Verdict, Vec<&'a InstanceSummary>),
}

/// Every path; nothing if no scenario of any of them ran.
pub(crate) fn rows<'a>(report: &Report<'a>) -> Vec<RollbackRow<'a>> {
    let protocols: Vec<Protocol> = report.summary.coverage.keys().copied().collect();
    let paths = report.catalogue.timing.rollback_paths.iter();
    let rows: Vec<RollbackRow<'a>> = paths
        .map(|path| RollbackRow {
            name: &path.name,
            summary: &path.summary,
            cells: protocols
                .iter()
                .filter_map(|protocol| Some((*protocol, cell(report, *protocol, path.shown.get(protocol)?))))
                .collect(),
        })
        .collect();
    let ran = |row: &RollbackRow<'_>| row.cells.iter().any(|(_, cell)| matches!(cell, Cell::Ran(..)));
    if rows.iter().any(ran) { rows } else { Vec::new() }
}

fn cell<'a>(report: &Report<'a>, protocol: Protocol, shown: &'a RollbackCell) -> Cell<'a> {
    let names = match shown {
        RollbackCell::None(reason) => return Cell::None(reason),
        RollbackCell::Scenarios(names) => names,
    };
    let paths: Vec<String> = names
        .iter()
        .map(|name| format!("{protocol}/{name}.yaml"))
        .collect();
    let summary = report.summary;
    let ran: Vec<&InstanceSummary> = summary
        .instances
        .iter()
        .filter(|instance| instance.skipped.is_none() && paths.contains(&instance.header.scenario.path))
        .collect();
    match ran.iter().map(|instance| instance.verdict).reduce(Verdict::join) {
        None => Cell::NotRun(names),
        Some(worst) => Cell::Ran(worst, ran),
    }
}
