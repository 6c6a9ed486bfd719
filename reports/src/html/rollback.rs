//! The table of rollback paths as the template wants it.

use super::{
    anchors::Anchors,
    coverage::{self, Cell as Square},
};
use crate::{
    report::Report,
    rollback::{Cell, rows},
    style::{verdict_class, word},
};
use hil_wire::Protocol;
use std::collections::BTreeSet;

/// Instances linked from one cell.
const LINKS: usize = 4;

/// The table; empty if no path was tried.
pub(super) struct RollbackView {
    pub(super) protocols: Vec<&'static str>,
    pub(super) rows: Vec<RollbackRowView>,
    /// By protocol, every requirement on time: its square and its id.
    pub(super) timed: Vec<Vec<(Square, String)>>,
}

/// One path.
pub(super) struct RollbackRowView {
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) cells: Vec<RollbackCellView>,
}

/// One path in one protocol.
pub(super) struct RollbackCellView {
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    /// Why there is nothing, or nothing ran.
    pub(super) reason: String,
    /// Fragment and scenario.
    pub(super) links: Vec<(String, String)>,
}

impl RollbackView {
    pub(super) fn of(report: &Report<'_>, anchors: &Anchors) -> Self {
        let rows = rows(report);
        let protocols = rows
            .first()
            .map(|row| row.cells.iter().map(|(protocol, _)| protocol.name()));
        RollbackView {
            protocols: protocols.into_iter().flatten().collect(),
            rows: rows
                .iter()
                .map(|row| RollbackRowView {
                    name: row.name.replace('-', " "),
                    summary: row.summary.to_owned(),
                    cells: row.cells.iter().map(|(_, cell)| view(cell, anchors)).collect(),
                })
                .collect(),
            timed: match rows.first() {
                Some(row) => row
                    .cells
                    .iter()
                    .map(|(protocol, _)| timed(report, *protocol))
                    .collect(),
                None => Vec::new(),
            },
        }
    }
}

fn timed(report: &Report<'_>, protocol: Protocol) -> Vec<(Square, String)> {
    let coverage = report.summary.coverage.get(&protocol);
    let on_time = |id: &String| report.catalogue.timing.requirements.contains_key(id);
    let requirements = coverage.into_iter().flatten();
    requirements
        .filter(|(id, _)| on_time(id))
        .map(|(id, coverage)| (coverage::cell(report, id, coverage), id.clone()))
        .collect()
}

fn view(cell: &Cell<'_>, anchors: &Anchors) -> RollbackCellView {
    match cell {
        Cell::None(reason) => RollbackCellView {
            class: "none",
            word: "none",
            reason: (*reason).to_owned(),
            links: Vec::new(),
        },
        Cell::NotRun(names) => RollbackCellView {
            class: "skip",
            word: "not run",
            reason: names.join(", "),
            links: Vec::new(),
        },
        Cell::Ran(verdict, instances) => {
            let mut seen = BTreeSet::new();
            let first = instances
                .iter()
                .filter(|instance| seen.insert(&instance.header.scenario.path));
            let link = |instance: &&&hil_trace::InstanceSummary| {
                let path = &instance.header.scenario.path;
                let name = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml");
                let anchor = anchors.get(&instance.header.instance).unwrap_or_default();
                (anchor.to_owned(), name.to_owned())
            };
            RollbackCellView {
                class: verdict_class(*verdict),
                word: word(*verdict),
                reason: String::new(),
                links: first.take(LINKS).map(|instance| link(&instance)).collect(),
            }
        }
    }
}
