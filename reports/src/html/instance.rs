//! One instance as the template wants it.

use super::{
    anchors::{self, Anchors},
    ladder::LadderView,
    measurements::MeasurementView,
};
use crate::{
    finding,
    report::Report,
    style::{class, instance_word, sign},
    terminal::clock_word,
    text, timing,
};
use hil_trace::{Finding, InstanceSummary, Verdict};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Evidence links of one finding.
const LINKS: usize = 40;
/// Characters shown of a scenario.
const SCENARIO: usize = 6000;

/// How many ladder rows an instance may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RowLimits {
    pub(super) passed: usize,
    pub(super) other: usize,
}

impl RowLimits {
    /// Shares a fixed number of rows among the instances, so that the file stays readable in a browser.
    pub(super) fn for_run(passed: usize, other: usize) -> Self {
        RowLimits {
            passed: (4000 / passed.max(1)).clamp(8, 60),
            other: (6000 / other.max(1)).clamp(24, 160),
        }
    }
}

/// An instance with everything shown of it.
pub(super) struct InstanceView {
    pub(super) anchor: String,
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) name: String,
    pub(super) open: bool,
    /// Records, length, warnings; or why it did not run.
    pub(super) figures: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) facts: Vec<(String, String)>,
    pub(super) findings: Vec<FindingView>,
    pub(super) met: Vec<Met>,
    pub(super) measurements: Vec<MeasurementView>,
    pub(super) ladder: Option<LadderView>,
    pub(super) unit: String,
    pub(super) scenario: String,
}

/// A finding that is not a pass.
pub(super) struct FindingView {
    pub(super) class: &'static str,
    pub(super) word: String,
    pub(super) title: String,
    pub(super) level: Option<String>,
    pub(super) requirement: Option<String>,
    pub(super) text: String,
    pub(super) sentence: Option<String>,
    pub(super) origin: String,
    pub(super) notes: Vec<String>,
    /// Fragment, if the record is shown, and number.
    pub(super) evidence: Vec<(Option<String>, u64)>,
    pub(super) more: usize,
}

/// A requirement this instance met.
pub(super) struct Met {
    pub(super) title: String,
    pub(super) requirement: Option<String>,
    pub(super) times: usize,
    pub(super) words: String,
}

impl InstanceView {
    /// The view of an instance; `anchors` knows every instance of the run.
    pub(super) fn of(
        report: &Report<'_>,
        instance: &InstanceSummary,
        anchors: &Anchors,
        limits: RowLimits,
    ) -> Self {
        let strict = report.summary.strict;
        let header = &instance.header;
        let anchor = anchors.get(&header.instance).unwrap_or_default().to_owned();
        let mut shown: Vec<Finding> = finding::deciding(instance, strict);
        shown.extend(finding::merged(instance.warnings(strict)));
        let evidence: BTreeSet<u64> = shown.iter().flat_map(|f| f.evidence.iter().copied()).collect();
        let passed = matches!(instance.verdict, Verdict::Pass | Verdict::None);
        let limit = if passed { limits.passed } else { limits.other };
        let ladder = report
            .trace(&header.instance)
            .zip(report.ladder(instance))
            .map(|(trace, ladder)| LadderView::of(&ladder, trace, &anchor, &evidence, limit));
        let linkable = ladder.as_ref().map(|l| &l.linkable);
        InstanceView {
            class: class(instance, strict),
            word: instance_word(instance),
            name: text::line(&header.instance),
            open: !passed,
            figures: figures(instance, strict),
            reason: instance.skipped.as_deref().map(text::line),
            facts: facts(instance),
            findings: shown
                .iter()
                .map(|f| finding_view(report, f, &anchor, linkable))
                .collect(),
            met: met(report, instance),
            measurements: MeasurementView::all(&instance.measurements),
            unit: text::short(&header.unit, 40),
            scenario: text::cut(&text::block(&header.scenario.text), SCENARIO),
            ladder,
            anchor,
        }
    }

    /// Whether anything is left to look at once the first line is read.
    pub(super) fn has_scenario(&self) -> bool {
        !self.scenario.trim().is_empty()
    }
}

fn figures(instance: &InstanceSummary, strict: bool) -> Vec<String> {
    if instance.skipped.is_some() {
        return Vec::new();
    }
    let mut figures = Vec::new();
    match instance.warnings(strict).count() as u64 {
        0 => {}
        n => figures.push(text::count(n, "warning")),
    }
    if let Some(repeats) = &instance.repeats {
        figures.push(timing::kept(repeats));
        return figures;
    }
    figures.push(text::count(instance.records, "record"));
    figures.push(format!(
        "{} {}",
        text::span(instance.duration),
        clock_word(instance.header.clock)
    ));
    figures
}

fn facts(instance: &InstanceSummary) -> Vec<(String, String)> {
    let header = &instance.header;
    let mut facts = vec![
        ("scenario".to_owned(), text::line(&header.scenario.path)),
        ("unit".to_owned(), text::line(&header.unit)),
        ("seed".to_owned(), header.seed.to_string()),
        ("clock".to_owned(), clock_word(header.clock).to_owned()),
    ];
    if header.repetition > 0 {
        facts.push(("repetition".to_owned(), header.repetition.to_string()));
    }
    if !header.scenario.verifies.is_empty() {
        facts.push((
            "verifies".to_owned(),
            text::short(&header.scenario.verifies.join(", "), 300),
        ));
    }
    let mut add = |kind: &str, map: &Map<String, Value>| {
        facts.extend(map.iter().map(|(name, value)| {
            let name = text::short(name, 40);
            let name = if kind.is_empty() {
                name
            } else {
                format!("{kind} {name}")
            };
            (name, text::value(value, 80))
        }));
    };
    add("", &header.facts);
    add("claims", &header.ics);
    add("time", &header.timing);
    add("given", &header.params);
    facts
}

fn finding_view(
    report: &Report<'_>,
    finding: &Finding,
    anchor: &str,
    linkable: Option<&BTreeSet<u64>>,
) -> FindingView {
    let warning = finding.is_warning(report.summary.strict);
    FindingView {
        class: match finding.verdict {
            _ if warning => "warn",
            Verdict::Fail => "fail",
            Verdict::Error => "error",
            Verdict::Inconclusive => "inconc",
            Verdict::Pass | Verdict::None => "pass",
        },
        word: match warning {
            true => "▲ warning".to_owned(),
            false => format!("{} {}", sign(finding.verdict), finding.verdict),
        },
        title: finding::subject(finding),
        level: finding.requirement.as_ref().map(|_| finding.level.to_string()),
        requirement: requirement_anchor(report, finding),
        text: text::line(&finding.text),
        sentence: finding
            .requirement
            .as_deref()
            .and_then(|id| report.sentence(id))
            .map(text::line),
        origin: finding::origin(finding),
        notes: finding::notes(report, finding),
        evidence: finding
            .evidence
            .iter()
            .take(LINKS)
            .map(|seq| {
                let shown = linkable.is_some_and(|l| l.contains(seq));
                (shown.then(|| anchors::record(anchor, *seq)), *seq)
            })
            .collect(),
        more: finding.evidence.len().saturating_sub(LINKS),
    }
}

/// What was judged and right, one entry for each requirement or step.
fn met(report: &Report<'_>, instance: &InstanceSummary) -> Vec<Met> {
    let mut met: BTreeMap<String, Met> = BTreeMap::new();
    for finding in instance.findings.iter().filter(|f| f.verdict == Verdict::Pass) {
        let title = finding::subject(finding);
        let entry = met.entry(title.clone()).or_insert_with(|| Met {
            title,
            requirement: requirement_anchor(report, finding),
            times: 0,
            words: text::short(&finding.text, 200),
        });
        entry.times += 1;
    }
    met.into_values().collect()
}

/// A link to the requirement, if the coverage lists it.
fn requirement_anchor(report: &Report<'_>, finding: &Finding) -> Option<String> {
    let id = finding.requirement.as_deref()?;
    let listed = report.summary.coverage.values().any(|all| all.contains_key(id));
    listed.then(|| anchors::requirement(id))
}
