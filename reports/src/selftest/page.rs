//! The matrix as one HTML page.

use super::{missed, sentence};
use crate::{
    HtmlError,
    style::{verdict_class, word},
    text,
};
use askama::Template;
use hil_trace::{DefectLine, DefectOutcome, SelftestMatrix};
use hil_wire::Protocol;

const STYLE: &str = include_str!("../../templates/report.css");

/// The matrix as one HTML file: no requests, no script; everything from outside is escaped.
pub fn selftest_html(matrix: &SelftestMatrix) -> Result<String, HtmlError> {
    Ok(Page::of(matrix).render()?)
}

#[derive(Template)]
#[template(path = "selftest.html")]
struct Page {
    style: &'static str,
    verdict: &'static str,
    word: &'static str,
    sentence: String,
    facts: Vec<(&'static str, String)>,
    alarms: Vec<AlarmView>,
    protocols: Vec<ProtocolView>,
}

struct AlarmView {
    class: &'static str,
    word: &'static str,
    instance: String,
    requirement: String,
    text: String,
}

struct ProtocolView {
    name: &'static str,
    detected: usize,
    total: usize,
    without: Vec<String>,
    defects: Vec<DefectView>,
}

struct DefectView {
    class: &'static str,
    name: String,
    summary: String,
    primary: String,
    level: String,
    detected: usize,
    seeds: usize,
    text: String,
    also: Vec<String>,
}

impl Page {
    fn of(matrix: &SelftestMatrix) -> Self {
        let verdict = matrix.verdict();
        let seeds: Vec<String> = matrix.seeds.iter().map(u64::to_string).collect();
        let alarms = matrix.clean.iter().flat_map(|run| &run.alarms);
        Page {
            style: STYLE,
            verdict: verdict_class(verdict),
            word: word(verdict),
            sentence: sentence(matrix),
            facts: vec![
                ("seeds", text::short(&seeds.join(", "), 120)),
                ("took", text::span(matrix.wall_seconds)),
                ("made by", text::line(&matrix.tool)),
            ],
            alarms: alarms
                .map(|alarm| AlarmView {
                    class: verdict_class(alarm.verdict),
                    word: word(alarm.verdict),
                    instance: text::line(&alarm.instance),
                    requirement: alarm.requirement.clone().unwrap_or_default(),
                    text: text::line(&alarm.text),
                })
                .collect(),
            protocols: Protocol::ALL
                .into_iter()
                .map(|protocol| ProtocolView::of(matrix, protocol))
                .filter(|view| view.total > 0 || !view.without.is_empty())
                .collect(),
        }
    }
}

impl ProtocolView {
    fn of(matrix: &SelftestMatrix, protocol: Protocol) -> Self {
        let own = matrix.defects.iter().filter(|line| line.protocol == protocol);
        let defects: Vec<DefectView> = own.clone().map(DefectView::of).collect();
        ProtocolView {
            name: protocol.name(),
            detected: own.filter(|line| line.is_detected()).count(),
            total: defects.len(),
            without: matrix.without_defect.get(&protocol).cloned().unwrap_or_default(),
            defects,
        }
    }
}

impl DefectView {
    fn of(line: &DefectLine) -> Self {
        let caught = line.runs.iter().find_map(|run| match &run.outcome {
            DefectOutcome::Detected { instance, text, .. } => Some(format!("{instance}: {text}")),
            _ => None,
        });
        let missed = missed(line);
        DefectView {
            class: if missed.is_none() { "pass" } else { "fail" },
            name: line.name.clone(),
            summary: line.summary.clone(),
            primary: line.primary.clone(),
            level: line.level.to_string(),
            detected: line.detected(),
            seeds: line.runs.len(),
            text: text::short(&missed.or(caught).unwrap_or_default(), 300),
            also: line.also().into_iter().map(str::to_owned).collect(),
        }
    }
}
