//! The whole page: headline, what did not pass, coverage, instances.

use super::{
    anchors::{self, Anchors},
    coverage::ProtocolView,
    exercise::ExerciseView,
    instance::{InstanceView, RowLimits},
    rollback::RollbackView,
    sweeps::SweepView,
    timing::TimingView,
};
use crate::{
    finding, flaky,
    headline::Headline,
    report::Report,
    style::{class, instance_word, verdict_class},
    text, waivers,
};
use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use hil_trace::{InstanceSummary, Verdict, WaiverOutcome};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

/// Why no page could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot be written as HTML: {0}")]
pub struct HtmlError(#[from] askama::Error);

/// The run as one HTML file: no requests, no script needed; everything from outside is escaped.
pub fn html(report: &Report<'_>) -> Result<String, HtmlError> {
    Ok(Page::of(report).render()?)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    style: &'static str,
    script: &'static str,
    /// What the browser may do: inline style, this very script, nothing else.
    policy: String,
    verdict: &'static str,
    word: String,
    sentence: String,
    facts: Vec<(&'static str, String)>,
    /// One square for each instance.
    squares: Vec<Square>,
    filters: Vec<Filter>,
    troubles: Vec<Trouble>,
    flaky: Vec<FlakyRow>,
    waivers: Vec<WaiverRow>,
    sweeps: Vec<SweepView>,
    timings: Vec<TimingView>,
    protocols: Vec<ProtocolView>,
    exercised: Vec<ExerciseView>,
    rollback: RollbackView,
    instances: Vec<InstanceView>,
}

struct Square {
    class: &'static str,
    anchor: String,
    words: String,
}

/// Shows the instances of one class.
struct Filter {
    class: &'static str,
    words: &'static str,
    number: usize,
}

/// An instance that passed only when run again, on one line.
struct FlakyRow {
    anchor: String,
    instance: String,
    words: String,
}

/// A waiver on one line.
struct WaiverRow {
    class: &'static str,
    word: String,
    requirement: String,
    anchor: String,
    words: String,
}

/// What did not pass, on one line.
struct Trouble {
    class: &'static str,
    word: &'static str,
    anchor: String,
    instance: String,
    requirement: Option<String>,
    title: String,
    text: String,
    blame: &'static str,
    more: usize,
}

impl Page {
    fn of(report: &Report<'_>) -> Self {
        let summary = report.summary;
        let strict = summary.strict;
        let headline = Headline::of(summary);
        let anchors = Anchors::of(summary.instances.iter().map(|i| i.header.instance.as_str()));
        let counts = summary.counts();
        let limits = RowLimits::for_run(counts.passed, counts.failed + counts.errors + counts.inconclusive);
        let mut ordered: Vec<&InstanceSummary> = summary.instances.iter().collect();
        ordered.sort_by_key(|i| rank(class(i, strict)));
        Page {
            style: STYLE,
            script: SCRIPT,
            policy: policy(),
            verdict: verdict_class(headline.verdict),
            word: headline.word.to_owned(),
            sentence: headline.sentence,
            facts: run_facts(report),
            squares: ordered.iter().map(|i| square(i, strict, &anchors)).collect(),
            filters: filters(&ordered, strict),
            troubles: ordered
                .iter()
                .filter_map(|i| trouble(report, i, &anchors))
                .collect(),
            flaky: flaky::flaky(&summary.instances)
                .into_iter()
                .map(|flaky| FlakyRow {
                    anchor: anchors
                        .get(&flaky.instance.header.instance)
                        .unwrap_or_default()
                        .to_owned(),
                    instance: text::line(&flaky.instance.header.instance),
                    words: flaky.words,
                })
                .collect(),
            waivers: summary.waivers.iter().map(waiver_row).collect(),
            sweeps: summary
                .sweeps()
                .iter()
                .map(|table| SweepView::of(table, &anchors))
                .collect(),
            timings: TimingView::all(report, &anchors),
            protocols: ProtocolView::all(report, &anchors),
            exercised: ExerciseView::all(report),
            rollback: RollbackView::of(report, &anchors),
            instances: ordered
                .iter()
                .map(|i| InstanceView::of(report, i, &anchors, limits))
                .collect(),
        }
    }
}

fn waiver_row(outcome: &WaiverOutcome) -> WaiverRow {
    let id = &outcome.waiver.requirement;
    WaiverRow {
        class: if outcome.standing.is_stale() {
            "fail"
        } else {
            "waived"
        },
        word: outcome.standing.to_string(),
        requirement: text::line(id),
        anchor: anchors::requirement(id),
        words: waivers::words(outcome),
    }
}

fn policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(SCRIPT));
    format!("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'")
}

fn run_facts(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let summary = report.summary;
    let mut units: Vec<&str> = summary.instances.iter().map(|i| i.header.unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    let mut facts = vec![
        (
            if units.len() == 1 { "unit" } else { "units" },
            text::short(&units.join(", "), 120),
        ),
        ("seed", summary.seed.to_string()),
    ];
    if summary.wall_seconds > 0.0 {
        facts.push(("took", text::span(summary.wall_seconds)));
    }
    facts.push(("made by", text::line(&summary.tool)));
    if summary.strict {
        facts.push(("strict", "violated SHOULDs fail".to_owned()));
    }
    facts
}

fn square(instance: &InstanceSummary, strict: bool, anchors: &Anchors) -> Square {
    let name = text::line(&instance.header.instance);
    Square {
        class: class(instance, strict),
        anchor: anchors
            .get(&instance.header.instance)
            .unwrap_or_default()
            .to_owned(),
        words: match finding::reason(instance, strict, 160) {
            Some(reason) => format!("{} {name}: {reason}", instance_word(instance)),
            None => format!("{} {name}", instance_word(instance)),
        },
    }
}

/// Classes in the order they are shown, with their words.
const CLASSES: [(&str, &str); 7] = [
    ("fail", "failed"),
    ("error", "not judged"),
    ("inconc", "inconclusive"),
    ("waived", "waived"),
    ("warn", "warned"),
    ("pass", "passed"),
    ("skip", "skipped"),
];

fn rank(class: &str) -> usize {
    CLASSES
        .iter()
        .position(|(c, _)| *c == class)
        .unwrap_or(CLASSES.len())
}

fn filters(instances: &[&InstanceSummary], strict: bool) -> Vec<Filter> {
    CLASSES
        .into_iter()
        .map(|(name, words)| Filter {
            class: name,
            words,
            number: instances.iter().filter(|i| class(i, strict) == name).count(),
        })
        .filter(|f| f.number > 0)
        .collect()
}

fn trouble(report: &Report<'_>, instance: &InstanceSummary, anchors: &Anchors) -> Option<Trouble> {
    if matches!(instance.verdict, Verdict::Pass | Verdict::None) {
        return None;
    }
    let strict = report.summary.strict;
    let deciding = finding::deciding(instance, strict);
    let worst = deciding.first();
    let listed = |id: &&String| report.summary.coverage.values().any(|all| all.contains_key(*id));
    Some(Trouble {
        class: class(instance, strict),
        word: instance_word(instance),
        anchor: anchors
            .get(&instance.header.instance)
            .unwrap_or_default()
            .to_owned(),
        instance: text::line(&instance.header.instance),
        requirement: worst
            .and_then(|f| f.requirement.as_ref())
            .filter(listed)
            .map(|id| anchors::requirement(id)),
        title: worst.map(finding::subject).unwrap_or_default(),
        text: worst.map(|f| text::line(&f.text)).unwrap_or_default(),
        blame: worst.map_or("", |f| finding::blame(f.blame)),
        more: deciding.len().saturating_sub(1),
    })
}
