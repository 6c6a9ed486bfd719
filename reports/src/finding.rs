//! Findings in words, the same in every report.

use crate::{
    ladder::{Ladder, Row},
    report::Report,
    text,
};
use hil_trace::{Blame, Finding, InstanceSummary, Requirement, Verdict, Waiver, WaiverStanding};

/// Requirement and level, or the step, or the monitor: `POLL-ACK-003 MUST`.
pub(crate) fn title(finding: &Finding) -> String {
    match &finding.requirement {
        Some(requirement) => format!("{} {}", text::line(requirement), finding.level),
        None => subject(finding),
    }
}

/// Requirement, or step, or monitor, without a level.
pub(crate) fn subject(finding: &Finding) -> String {
    match (&finding.requirement, &finding.step) {
        (Some(requirement), _) => text::line(requirement),
        (None, Some(step)) => format!("step {}", text::line(step)),
        (None, None) => text::line(&finding.monitor),
    }
}

/// Who is to blame and who says so: `blame: unit, step 3, by edge-poll/ack`.
pub(crate) fn origin(finding: &Finding) -> String {
    let mut parts = vec![format!("blame: {}", blame(finding.blame))];
    if let (Some(_), Some(step)) = (&finding.requirement, &finding.step) {
        parts.push(format!("step {}", text::line(step)));
    }
    parts.push(format!("by {}", text::line(&finding.monitor)));
    parts.join(", ")
}

/// The words of a blamed party.
pub(crate) fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::Unit => "unit",
        Blame::Cloud => "mock cloud",
        Blame::Lab => "lab",
        Blame::Harness => "harness",
    }
}

/// The findings that decide the verdict of an instance, worst first; what was found again and again is said once, with
/// all the evidence.
pub(crate) fn deciding(instance: &InstanceSummary, strict: bool) -> Vec<Finding> {
    merged(instance.deciding(strict))
}

/// Findings that say the same as one of them.
pub(crate) fn merged<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Vec<Finding> {
    let mut groups: Vec<(Finding, usize)> = Vec::new();
    for finding in findings {
        let same = |other: &Finding| {
            let alike = Finding {
                evidence: other.evidence.clone(),
                ..finding.clone()
            };
            alike == *other
        };
        match groups.iter_mut().find(|(first, _)| same(first)) {
            Some((first, times)) => {
                first.evidence.extend(&finding.evidence);
                *times += 1;
            }
            None => groups.push((finding.clone(), 1)),
        }
    }
    let said = |(mut finding, times): (Finding, usize)| {
        if times > 1 {
            finding.text = format!("{} ({times} times)", finding.text);
        }
        finding
    };
    groups.into_iter().map(said).collect()
}

/// The finding that decides an instance, on one line.
pub(crate) fn reason(instance: &InstanceSummary, strict: bool, limit: usize) -> Option<String> {
    let deciding = instance.deciding(strict);
    let finding = deciding.first()?;
    let reason = match &finding.requirement {
        Some(requirement) => format!("{requirement}: {}", finding.text),
        None => finding.text.clone(),
    };
    Some(text::short(&reason, limit))
}

/// Everything about a finding as lines without colour, at most `limit` of them evidence.
pub(crate) fn lines(
    report: &Report<'_>,
    finding: &Finding,
    ladder: Option<&Ladder>,
    limit: usize,
) -> Vec<String> {
    let words = text::line(&finding.text);
    let mut lines = vec![
        format!("{} {}: {words}", title(finding), finding.verdict),
        format!("  {}", origin(finding)),
    ];
    if let Some(sentence) = finding.requirement.as_deref().and_then(|id| report.sentence(id)) {
        lines.push(format!("  required: {}", text::line(sentence)));
    }
    lines.extend(notes(report, finding).into_iter().map(|note| format!("  {note}")));
    lines.extend(
        evidence(finding, ladder, limit)
            .into_iter()
            .map(|line| format!("  {line}")),
    );
    lines
}

/// What a reader must know of a violated requirement beside its sentence: that it is waived, that its waiver ended, that
/// no source document states it.
pub(crate) fn notes(report: &Report<'_>, finding: &Finding) -> Vec<String> {
    let Some(id) = finding
        .requirement
        .as_deref()
        .filter(|_| finding.verdict == Verdict::Fail)
    else {
        return Vec::new();
    };
    let mut outcomes = report.summary.waivers.iter();
    let waiver = outcomes.find(|outcome| outcome.waiver.requirement == id);
    let waiver = waiver.and_then(|outcome| {
        let Waiver { expires, reason, .. } = &outcome.waiver;
        match outcome.standing {
            WaiverStanding::Used => Some(format!("waived until {expires}: {}", text::line(reason))),
            WaiverStanding::Expired => Some(format!("its waiver ended on {expires}: {}", text::line(reason))),
            WaiverStanding::Unneeded | WaiverStanding::Idle => None,
        }
    });
    let own = report.catalogue.get(id).is_some_and(Requirement::is_own);
    let own = own.then(|| "origin: defined by hil, not by the protocol's source".to_owned());
    waiver.into_iter().chain(own).collect()
}

/// Evidence as lines: rows of the ladder, or bare record numbers if there is no trace.
pub(crate) fn evidence(finding: &Finding, ladder: Option<&Ladder>, limit: usize) -> Vec<String> {
    if finding.evidence.is_empty() {
        return Vec::new();
    }
    let Some(ladder) = ladder else {
        return vec![format!("records {}", text::numbers(&finding.evidence))];
    };
    let mut rows: Vec<(u64, &Row)> = Vec::new();
    let mut unseen = Vec::new();
    for seq in &finding.evidence {
        match ladder.row_of(*seq) {
            Some(row) if rows.iter().any(|(_, r)| std::ptr::eq(*r, row)) => {}
            Some(row) => rows.push((*seq, row)),
            None => unseen.push(*seq),
        }
    }
    let left_out: Vec<u64> = rows.iter().skip(limit).map(|(seq, _)| *seq).collect();
    let mut lines: Vec<String> = rows
        .iter()
        .take(limit)
        .map(|(seq, row)| row_line(*seq, row))
        .collect();
    if !left_out.is_empty() {
        lines.push(format!(
            "and {} more: {}",
            left_out.len(),
            text::numbers(&left_out)
        ));
    }
    if !unseen.is_empty() {
        lines.push(format!("records {}", text::numbers(&unseen)));
    }
    lines
}

fn row_line(seq: u64, row: &Row) -> String {
    let seq = format!("#{seq}");
    let at = row.at.to_string();
    let line = format!(
        "{seq:<5} {at:>10}  {:<12}  {}  {}",
        row.who(),
        row.title,
        row.detail()
    );
    line.trim_end().to_owned()
}
