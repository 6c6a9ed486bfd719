//! `junit.xml` in the Surefire dialect: a suite per protocol, a case per instance.
//!
//! `fail` is `<failure>` with the requirement as type, `error` is `<error>` with the blamed party as type, what
//! did not run is `<skipped>`. An inconclusive instance is `<error type="inconclusive">`: such a run ends with an
//! exit code other than 0, and viewers hide skipped cases, so nobody could see why. A failure that is waived is skipped with
//! its reason: it is no pass, and must not fail the pipeline.

use crate::{finding, measurement::Series, report::Report, terminal::clock_word, text, timing};
use hil_trace::{Attempts, CaseState, Finding, InstanceSummary, REFERENCE, Verdict};
use quick_junit::{FlakyOrRerun, NonSuccessKind, TestCase, TestCaseStatus, TestRerun, TestSuite};
use serde_json::Value;
use std::time::Duration;

/// Evidence records shown for one finding.
const EVIDENCE: usize = 12;
const MESSAGE: usize = 300;

/// Why no XML could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot be written as XML: {0}")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// The run as JUnit XML. Names of suites and cases are stable from run to run.
pub fn junit(report: &Report<'_>) -> Result<String, JunitError> {
    let summary = report.summary;
    let mut out = quick_junit::Report::new("hil");
    if summary.wall_seconds > 0.0 {
        out.set_time(seconds(summary.wall_seconds));
    }
    let attempts = Attempts::of(&summary.instances);
    let mut protocols: Vec<_> = summary.instances.iter().map(|i| i.header.protocol).collect();
    protocols.sort();
    protocols.dedup();
    for protocol in protocols {
        let mut suite = TestSuite::new(protocol.name());
        suite.add_property(("tool", text::line(&summary.tool).as_str()));
        suite.add_property(("seed", summary.seed.to_string().as_str()));
        let mut time = Duration::ZERO;
        let cases = summary
            .instances
            .iter()
            .filter(|i| has_case(i) && !attempts.is_later(i));
        for instance in cases.filter(|i| i.header.protocol == protocol) {
            time = time.saturating_add(seconds(instance.duration));
            suite.add_test_case(case(report, instance, &attempts));
        }
        suite.set_time(time);
        out.add_test_suite(suite);
    }
    Ok(out.to_string()?)
}

/// Repeats are one case together, named the same in every run, and so is each of them that did not pass.
fn has_case(instance: &InstanceSummary) -> bool {
    instance.header.repeat_of.is_none() || instance.repeats.is_some() || instance.verdict != Verdict::Pass
}

fn case(report: &Report<'_>, instance: &InstanceSummary, attempts: &Attempts<'_>) -> TestCase {
    let header = &instance.header;
    let mut case = TestCase::new(
        text::line(&header.instance),
        all_attempts(report, instance, attempts),
    );
    case.set_classname(format!("hil.{}", header.protocol));
    case.set_time(seconds(instance.duration));
    case.set_assertions(instance.findings.len());
    let mut property = |name: &str, value: &str| {
        case.add_property((text::line(name).as_str(), text::line(value).as_str()));
    };
    property("seed", &header.seed.to_string());
    property("repetition", &header.repetition.to_string());
    property("unit", &header.unit);
    property("scenario", &header.scenario.path);
    property("clock", clock_word(header.clock));
    property("verdict", instance.verdict.name());
    property("records", &instance.records.to_string());
    for (name, value) in &header.facts {
        property(&format!("fact.{name}"), &plain(value));
    }
    if let (Some(run), Some(result)) = (&header.sweep, &instance.sweep) {
        let label = run.point.zip(run.span).map(|(point, span)| point.label(&span));
        property("sweep.name", &run.name);
        property("sweep.point", label.as_deref().unwrap_or(REFERENCE));
        if let Some(outcome) = &result.outcome {
            property("sweep.outcome", outcome);
        }
        if let Some(seconds) = result.recovery {
            property("sweep.recovery_seconds", &seconds.to_string());
        }
    }
    for series in Series::all(&instance.measurements) {
        property(&format!("measured.{}", series.name), &series.words());
    }
    if let Some(repeats) = &instance.repeats {
        property("repeats", &timing::kept(repeats));
        for (name, value) in repeats.series.iter().flat_map(timing::properties) {
            property(&name, &value);
        }
    }
    let warnings = finding::merged(instance.warnings(report.summary.strict));
    if !warnings.is_empty() {
        case.set_system_out(body(report, instance, &warnings));
    }
    case
}

/// The status of an instance with what its attempts came to. One that passed only when run again has not passed: it is an
/// error of type `flaky`, with the attempts that did not pass as `<flakyFailure>` or `<flakyError>`; of one that never did,
/// the later attempts are `<rerunFailure>` or `<rerunError>`.
fn all_attempts(report: &Report<'_>, instance: &InstanceSummary, attempts: &Attempts<'_>) -> TestCaseStatus {
    let later = attempts.after(instance);
    if attempts.state(instance) != Some(CaseState::Flaky) {
        let mut status = status(report, instance);
        status.add_reruns(later.iter().filter_map(|later| rerun(report, later)));
        return status;
    }
    let mut flaky = TestCaseStatus::non_success(NonSuccessKind::Error);
    flaky.set_type("flaky");
    let number = later.len() + 1;
    flaky.set_message(format!(
        "flaky: it passed only when run again, {number} attempts in all"
    ));
    flaky.set_rerun_kind(FlakyOrRerun::Flaky);
    let all = [instance].into_iter().chain(later.iter().copied());
    flaky.add_reruns(all.filter_map(|attempt| rerun(report, attempt)));
    flaky
}

/// An attempt that did not pass.
fn rerun(report: &Report<'_>, instance: &InstanceSummary) -> Option<TestRerun> {
    let TestCaseStatus::NonSuccess {
        kind,
        message,
        ty,
        description,
        ..
    } = status(report, instance)
    else {
        return None;
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_time(seconds(instance.duration));
    rerun.message = message;
    rerun.ty = ty;
    rerun.description = description;
    Some(rerun)
}

fn status(report: &Report<'_>, instance: &InstanceSummary) -> TestCaseStatus {
    let deciding = finding::deciding(instance, report.summary.strict);
    let worst = deciding.first();
    if instance.is_waived() {
        let mut status = TestCaseStatus::skipped();
        let reason = worst.map_or("", |finding| &finding.text);
        status.set_message(text::short(&format!("waived: {reason}"), MESSAGE));
        status.set_description(body(report, instance, &deciding));
        return status;
    }
    let (kind, class) = match instance.verdict {
        Verdict::Pass => return TestCaseStatus::success(),
        Verdict::None => {
            let mut status = TestCaseStatus::skipped();
            let reason = instance.skipped.as_deref().unwrap_or("nothing was judged");
            status.set_message(text::short(reason, MESSAGE));
            return status;
        }
        Verdict::Fail => {
            let class = worst.map_or_else(|| "fail".to_owned(), finding::subject);
            (NonSuccessKind::Failure, class)
        }
        Verdict::Inconclusive => (NonSuccessKind::Error, "inconclusive".to_owned()),
        Verdict::Error => {
            let class = worst.map_or("error", |f| finding::blame(f.blame));
            (NonSuccessKind::Error, class.to_owned())
        }
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(class);
    let reason = worst.map_or_else(
        || "no finding explains this verdict".to_owned(),
        |f| text::line(&f.text),
    );
    let message = match instance.verdict {
        Verdict::Inconclusive => format!("inconclusive: {reason}"),
        _ => reason,
    };
    status.set_message(text::short(&message, MESSAGE));
    status.set_description(body(report, instance, &deciding));
    status
}

fn body(report: &Report<'_>, instance: &InstanceSummary, findings: &[Finding]) -> String {
    let ladder = report.ladder(instance);
    let mut lines = Vec::new();
    for finding in findings {
        lines.extend(finding::lines(report, finding, ladder.as_ref(), EVIDENCE));
    }
    lines.join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
}
