//! Coverage as the template wants it: a strip of cells by topic, a table, a bar.

use super::anchors::{self, Anchors};
use crate::{
    coverage::{STATES, Tally, state_name, state_sign},
    report::Report,
    text,
};
use hil_trace::{CoverageState, Level, RequirementCoverage};
use hil_wire::Protocol;
use std::collections::BTreeMap;

/// Instances linked from one requirement.
const LINKS: usize = 8;

/// The requirements of one protocol.
pub(super) struct ProtocolView {
    pub(super) name: &'static str,
    /// Counts by level, such as `MUST`, `41 of 63`.
    pub(super) levels: Vec<(String, String)>,
    /// Class, number, words and width in per cent of each state that occurs.
    pub(super) bar: Vec<BarPart>,
    pub(super) topics: Vec<Topic>,
    /// Such as `63 requirements in words`.
    pub(super) summary: String,
    pub(super) rows: Vec<RequirementRow>,
}

/// A part of the bar of states.
pub(super) struct BarPart {
    pub(super) class: &'static str,
    pub(super) number: usize,
    pub(super) words: &'static str,
    pub(super) percent: String,
}

/// Requirements with the same topic in their ids: `ACK` of `POLL-ACK-003`.
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) cells: Vec<Cell>,
}

/// One requirement as a square.
pub(super) struct Cell {
    pub(super) class: String,
    pub(super) sign: &'static str,
    pub(super) anchor: String,
    pub(super) words: String,
}

/// One requirement as a line.
pub(super) struct RequirementRow {
    pub(super) anchor: String,
    pub(super) id: String,
    pub(super) level: String,
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) state: &'static str,
    pub(super) sentence: String,
    /// Fragment and name.
    pub(super) instances: Vec<(String, String)>,
    pub(super) more: usize,
}

impl ProtocolView {
    /// Every protocol of the run.
    pub(super) fn all(report: &Report<'_>, anchors: &Anchors) -> Vec<Self> {
        let coverage = report.summary.coverage.iter();
        coverage
            .map(|(protocol, all)| view(report, anchors, *protocol, all))
            .collect()
    }
}

fn view(
    report: &Report<'_>,
    anchors: &Anchors,
    protocol: Protocol,
    requirements: &BTreeMap<String, RequirementCoverage>,
) -> ProtocolView {
    let whole = Tally::of(requirements, None);
    let mut topics: Vec<Topic> = Vec::new();
    for (id, coverage) in requirements {
        let name = topic(id);
        if topics.last().is_none_or(|t| t.name != name) {
            topics.push(Topic {
                name,
                cells: Vec::new(),
            });
        }
        if let Some(topic) = topics.last_mut() {
            topic.cells.push(cell(report, id, coverage));
        }
    }
    ProtocolView {
        name: protocol.name(),
        levels: [Level::Must, Level::Should, Level::May]
            .into_iter()
            .map(|level| (level, Tally::of(requirements, Some(level))))
            .filter(|(_, tally)| tally.applicable() > 0)
            .map(|(level, tally)| {
                let verified = tally.get(CoverageState::Verified);
                (level.to_string(), format!("{verified} of {}", tally.applicable()))
            })
            .collect(),
        bar: STATES
            .into_iter()
            .filter(|state| whole.get(*state) > 0)
            .map(|state| BarPart {
                class: state_class(state),
                number: whole.get(state),
                words: state_name(state),
                percent: format!("{:.2}", whole.get(state) as f64 * 100.0 / whole.total() as f64),
            })
            .collect(),
        topics,
        summary: format!(
            "{} in words",
            text::count(requirements.len() as u64, "requirement")
        ),
        rows: requirements
            .iter()
            .map(|(id, c)| row(report, anchors, protocol, id, c))
            .collect(),
    }
}

/// The square of a requirement.
pub(super) fn cell(report: &Report<'_>, id: &str, coverage: &RequirementCoverage) -> Cell {
    let sentence = report
        .sentence(id)
        .map(|s| format!(" — {}", text::line(s)))
        .unwrap_or_default();
    let level = match coverage.level {
        Level::Must => "",
        Level::Should => " should",
        Level::May => " may",
    };
    Cell {
        class: format!("{}{level}", state_class(coverage.state)),
        sign: state_sign(coverage.state),
        anchor: anchors::requirement(id),
        words: format!(
            "{} {}: {}{sentence}",
            text::line(id),
            coverage.level,
            state_name(coverage.state)
        ),
    }
}

fn row(
    report: &Report<'_>,
    anchors: &Anchors,
    protocol: Protocol,
    id: &str,
    coverage: &RequirementCoverage,
) -> RequirementRow {
    // the protocol is in the heading
    let short = |name: &str| {
        let rest = name
            .strip_prefix(protocol.name())
            .and_then(|rest| rest.strip_prefix('/'));
        text::line(rest.unwrap_or(name))
    };
    RequirementRow {
        anchor: anchors::requirement(id),
        id: text::line(id),
        level: coverage.level.to_string(),
        class: state_class(coverage.state),
        sign: state_sign(coverage.state),
        state: state_name(coverage.state),
        sentence: report.sentence(id).map(text::line).unwrap_or_default(),
        instances: coverage
            .instances
            .iter()
            .take(LINKS)
            .map(|name| (anchors.get(name).unwrap_or_default().to_owned(), short(name)))
            .collect(),
        more: coverage.instances.len().saturating_sub(LINKS),
    }
}

/// The part between protocol and number.
fn topic(id: &str) -> String {
    let inner = id.split_once('-').map_or(id, |(_, rest)| rest);
    text::line(inner.rsplit_once('-').map_or(inner, |(topic, _)| topic))
}

fn state_class(state: CoverageState) -> &'static str {
    match state {
        CoverageState::Verified => "pass",
        CoverageState::Violated => "fail",
        CoverageState::Waived => "waived",
        CoverageState::Warned => "warn",
        CoverageState::Inconclusive => "inconc",
        CoverageState::NotExercised => "idle",
        CoverageState::NotApplicable => "skip",
    }
}
