//! What did not pass as annotations at the line of the scenario: workflow commands of GitHub, a code quality report of
//! GitLab.

use crate::{finding, report::Report, text};
use hil_trace::{Attempts, CaseState, Finding, InstanceSummary, ScenarioRef, Verdict};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where a finding points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The scenario's file as seen from where people work; none if they do not have it.
    pub file: Option<String>,
    /// Line in it, from 1.
    pub line: usize,
}

/// Finds the place of findings; reports know no scenario files.
pub trait Places {
    /// The line of the step that stated a finding, or of what is best to point at.
    fn place(&self, scenario: &ScenarioRef, finding: &Finding) -> Place;
}

/// One `::error`, `::warning` or `::notice` line for each finding, the gravest first, as GitHub shows the first ten.
pub fn github_annotations(report: &Report<'_>, places: &dyn Places) -> String {
    let mut out = String::new();
    for note in notes(report, places) {
        let command = match note.grade {
            Grade::Failed | Grade::Error => "error",
            Grade::Undecided | Grade::Warned => "warning",
            Grade::Waived => "notice",
        };
        let file = note.place.file.as_deref();
        let file = file.map(|file| format!("file={},line={},", property(file), note.place.line));
        let (file, title) = (file.unwrap_or_default(), property(&note.title));
        out += &format!("::{command} {file}title={title}::{}\n", data(&note.text));
    }
    out
}

/// A report for `artifacts: reports: codequality:`. Fingerprints stay the same from run to run. Fails only where JSON has no
/// form for something.
pub fn code_quality(report: &Report<'_>, places: &dyn Places) -> Result<String, serde_json::Error> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let notes = notes(report, places).into_iter().map(|note| {
        let times = seen.entry(note.identity.clone()).or_default();
        *times += 1;
        let fingerprint = hex::encode(Sha256::digest(format!("{}\n{times}", note.identity)));
        Issue {
            description: format!("{}: {}", note.title, note.text),
            check_name: note.subject,
            fingerprint,
            severity: match note.grade {
                Grade::Failed => "critical",
                Grade::Error | Grade::Undecided => "major",
                Grade::Warned => "minor",
                Grade::Waived => "info",
            },
            location: Location {
                path: note.place.file.unwrap_or(note.fallback),
                lines: Lines {
                    begin: note.place.line,
                },
            },
        }
    });
    let issues: Vec<Issue> = notes.collect();
    let mut text = serde_json::to_string_pretty(&issues)?;
    text.push('\n');
    Ok(text)
}

/// How grave a finding is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Failed,
    Error,
    /// Inconclusive, or not passed in one attempt of several.
    Undecided,
    Warned,
    Waived,
}

struct Note {
    grade: Grade,
    title: String,
    subject: String,
    text: String,
    /// What stays the same from run to run.
    identity: String,
    place: Place,
    /// The path of a file nobody here has.
    fallback: String,
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
}

fn notes(report: &Report<'_>, places: &dyn Places) -> Vec<Note> {
    let strict = report.summary.strict;
    let attempts = Attempts::of(&report.summary.instances);
    let flaky = |name: &str| {
        let mut instances = report.summary.instances.iter();
        let first = instances.find(|instance| instance.header.instance == name);
        first.and_then(|first| attempts.state(first)) == Some(CaseState::Flaky)
    };
    let mut notes = Vec::new();
    for instance in &report.summary.instances {
        let first = instance
            .header
            .retry_of
            .as_ref()
            .map(|retry| retry.first.as_str());
        let is_flaky = flaky(first.unwrap_or(&instance.header.instance));
        for finding in finding::deciding(instance, strict) {
            let grade = match finding.effective(strict) {
                _ if instance.is_waived() => Grade::Waived,
                _ if is_flaky => Grade::Undecided,
                Verdict::Fail => Grade::Failed,
                Verdict::Error => Grade::Error,
                _ => Grade::Undecided,
            };
            notes.push(note(report, places, instance, &finding, grade));
        }
        for finding in finding::merged(instance.warnings(strict)) {
            notes.push(note(report, places, instance, &finding, Grade::Warned));
        }
    }
    notes.sort_by_key(|note| note.grade);
    notes
}

fn note(
    report: &Report<'_>,
    places: &dyn Places,
    instance: &InstanceSummary,
    finding: &Finding,
    grade: Grade,
) -> Note {
    let header = &instance.header;
    let sentence = finding.requirement.as_deref().and_then(|id| report.sentence(id));
    let required = sentence.map(|sentence| format!("\nrequired: {}", text::line(sentence)));
    let step = finding
        .step
        .as_ref()
        .map(|step| format!(", step {}", text::line(step)));
    let word = match grade {
        Grade::Waived => "waived",
        Grade::Warned => "warning",
        _ => finding.verdict.name(),
    };
    Note {
        grade,
        title: format!("{} {word}", finding::title(finding)),
        subject: finding::subject(finding),
        text: format!(
            "{}\nin {}{}{}",
            text::line(&finding.text),
            text::line(&header.instance),
            step.unwrap_or_default(),
            required.unwrap_or_default()
        ),
        identity: format!(
            "{}\n{}\n{:?}",
            header.case(),
            finding::subject(finding),
            finding.step
        ),
        place: places.place(&header.scenario, finding),
        fallback: header.scenario.path.clone(),
    }
}

/// The text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_ends_a_workflow_command() {
        assert_eq!(data("a\n::error::b%"), "a%0A::error::b%25");
        assert_eq!(property("C:\\x,y\r"), "C%3A\\x%2Cy%0D");
    }
}
