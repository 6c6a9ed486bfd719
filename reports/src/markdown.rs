//! `summary.md` for merge requests: the verdict, what did not pass and why, coverage; details folded away.

use crate::{
    coverage::{STATES, Tally, state_name},
    exercise, finding, flaky,
    headline::{Headline, counted},
    report::Report,
    rollback::{Cell, rows},
    style::{instance_word, word},
    sweep,
    terminal::clock_word,
    text, timing, waivers,
};
use hil_trace::{Finding, InstanceSummary, Level, Verdict};
use std::fmt::Write as _;

/// Limits that keep the file postable as one comment (65536 characters) on the common forges.
const TABLE_ROWS: usize = 60;
const DETAILED: usize = 20;
const LISTED: usize = 150;
const POINTS: usize = 80;
const EVIDENCE: usize = 8;
const REASON: usize = 240;

/// The run as Markdown with the tables and folds GitHub and GitLab share.
pub fn markdown(report: &Report<'_>) -> String {
    let mut out = String::new();
    headline(&mut out, report);
    not_passed(&mut out, report);
    flaky(&mut out, report);
    sweeps(&mut out, report);
    timing(&mut out, report);
    coverage(&mut out, report);
    exercised(&mut out, report);
    waived(&mut out, report);
    rollback(&mut out, report);
    details(&mut out, report);
    warnings(&mut out, report);
    instances(&mut out, report);
    out
}

fn headline(out: &mut String, report: &Report<'_>) {
    let summary = report.summary;
    let headline = Headline::of(summary);
    let _ = writeln!(out, "## {} hil: {}\n", emblem(headline.verdict), headline.word);
    let counts = summary.counts();
    let mut parts: Vec<String> = counted(&counts).into_iter().map(|(_, words)| words).collect();
    if counts.warnings > 0 {
        parts.push(text::count(counts.warnings as u64, "warning"));
    }
    let _ = writeln!(
        out,
        "**{}.** {}.\n",
        capital(&headline.sentence),
        capital(&parts.join(", "))
    );
    let strict = if summary.strict { ", strict" } else { "" };
    let parts: Vec<String> = summary
        .partitions
        .iter()
        .map(|part| format!(", {part}"))
        .collect();
    let parts = parts.concat();
    let _ = writeln!(
        out,
        "Made by {} with seed {}{strict}{parts}.",
        code(&summary.tool),
        code(&summary.seed.to_string())
    );
}

fn not_passed(out: &mut String, report: &Report<'_>) {
    let rows = undecided(report);
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### What did not pass\n");
    let _ = writeln!(out, "| Verdict | Instance | Requirement | Reason | Blame |");
    let _ = writeln!(out, "| --- | --- | --- | --- | --- |");
    for (instance, finding) in rows.iter().take(TABLE_ROWS) {
        let _ = writeln!(
            out,
            "| {} {}{} | {} | {} | {} | {} |",
            emblem(finding.verdict),
            finding.verdict,
            if instance.is_waived() { " (waived)" } else { "" },
            code(&instance.header.instance),
            prose(&finding::title(finding)),
            prose(&text::short(&finding.text, REASON)),
            finding::blame(finding.blame),
        );
    }
    if rows.len() > TABLE_ROWS {
        let _ = writeln!(out, "\n… and {} more.", rows.len() - TABLE_ROWS);
    }
}

fn flaky(out: &mut String, report: &Report<'_>) {
    let flaky = flaky::flaky(&report.summary.instances);
    if flaky.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### {}\n", flaky::TITLE);
    for flaky in flaky.iter().take(TABLE_ROWS) {
        let _ = writeln!(
            out,
            "- {}: {}",
            code(&flaky.instance.header.instance),
            flaky.words
        );
    }
    if flaky.len() > TABLE_ROWS {
        let _ = writeln!(out, "- … and {} more", flaky.len() - TABLE_ROWS);
    }
}

fn sweeps(out: &mut String, report: &Report<'_>) {
    let sweeps = report.summary.sweeps();
    if sweeps.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Sweeps of power cuts\n");
    let _ = writeln!(out, "| Verdict | Sweep | Kind | Points and outcomes |");
    let _ = writeln!(out, "| --- | --- | --- | --- |");
    for table in &sweeps {
        let verdict = table.verdict();
        let _ = writeln!(
            out,
            "| {} {verdict} | {} | {} | {} |",
            emblem(verdict),
            code(&table.name),
            sweep::kind(table),
            prose(&sweep::words(table)),
        );
    }
    for table in &sweeps {
        let mut body = String::new();
        for row in table.points.iter().take(POINTS) {
            let (outcome, recovery) = (sweep::outcome(row), sweep::recovery(row));
            let verdict = word(row.verdict);
            let _ = writeln!(
                body,
                "{:<8}  {verdict:<6}  {outcome}  back after {recovery}",
                row.label
            );
        }
        if table.points.len() > POINTS {
            let _ = writeln!(body, "… and {} more", table.points.len() - POINTS);
        }
        if !body.is_empty() {
            folded(out, &format!("Points of {}", text::line(&table.name)), &body);
        }
    }
}

fn timing(out: &mut String, report: &Report<'_>) {
    let groups = timing::groups(report).into_iter();
    let rows = groups.flat_map(|(instance, repeats)| {
        let all = repeats.series.iter();
        all.map(move |series| (instance, series))
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Measured times over repeats\n");
    let _ = writeln!(
        out,
        "| Scenario | Time | {} | clock | bounds |",
        timing::HEADS.join(" | ")
    );
    let figures = ["---:"; timing::HEADS.len()].join(" | ");
    let _ = writeln!(out, "| --- | --- | {figures} | --- | --- |");
    for (instance, series) in rows.iter().take(TABLE_ROWS) {
        let bounds = series.bounds.as_deref().map(timing::bounds).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            code(&instance.header.instance),
            code(&series.name),
            timing::cells(series).join(" | "),
            timing::clock(series),
            prose(&bounds),
        );
    }
    if rows.len() > TABLE_ROWS {
        let _ = writeln!(out, "\n… and {} more.", rows.len() - TABLE_ROWS);
    }
}

fn coverage(out: &mut String, report: &Report<'_>) {
    if report.summary.coverage.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Coverage of requirements\n");
    let states: Vec<&str> = STATES.iter().map(|s| state_name(*s)).collect();
    let _ = writeln!(out, "| Protocol | Level | {} |", states.join(" | "));
    let _ = writeln!(out, "| --- | --- | {} |", ["---:"; STATES.len()].join(" | "));
    for (protocol, requirements) in &report.summary.coverage {
        for level in [Level::Must, Level::Should, Level::May] {
            let tally = Tally::of(requirements, Some(level));
            if tally.total() == 0 {
                continue;
            }
            let cells: Vec<String> = STATES
                .iter()
                .map(|state| match tally.get(*state) {
                    0 => String::new(),
                    n => n.to_string(),
                })
                .collect();
            let _ = writeln!(out, "| {protocol} | {level} | {} |", cells.join(" | "));
        }
    }
}

fn exercised(out: &mut String, report: &Report<'_>) {
    if report.summary.exercise.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Exercised\n");
    for (protocol, exercise) in &report.summary.exercise {
        let _ = writeln!(out, "- {protocol}: {}", exercise::line(exercise));
    }
}

fn waived(out: &mut String, report: &Report<'_>) {
    let waivers = &report.summary.waivers;
    if waivers.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Waivers\n");
    let _ = writeln!(
        out,
        "| Standing | Requirement | What became of it, and why it was given |"
    );
    let _ = writeln!(out, "| --- | --- | --- |");
    for outcome in waivers.iter().take(TABLE_ROWS) {
        let sign = if outcome.standing.is_stale() {
            "⚠️ "
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "| {sign}{} | {} | {} |",
            outcome.standing,
            code(&outcome.waiver.requirement),
            prose(&text::short(&waivers::words(outcome), REASON)),
        );
    }
    if waivers.len() > TABLE_ROWS {
        let _ = writeln!(out, "\n… and {} more.", waivers.len() - TABLE_ROWS);
    }
}

fn rollback(out: &mut String, report: &Report<'_>) {
    let rows = rows(report);
    let Some(first) = rows.first() else { return };
    let names: Vec<&str> = first.cells.iter().map(|(protocol, _)| protocol.name()).collect();
    let _ = writeln!(out, "\n### Rollback paths\n");
    let _ = writeln!(out, "| Path | {} |", names.join(" | "));
    let _ = writeln!(out, "| --- | {} |", vec!["---"; names.len()].join(" | "));
    for row in &rows {
        let cells = row.cells.iter().map(|(_, cell)| match cell {
            Cell::None(_) => "none".to_owned(),
            Cell::NotRun(_) => "not run".to_owned(),
            Cell::Ran(verdict, instances) => format!("{} ({})", word(*verdict), instances.len()),
        });
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(out, "| {} | {} |", row.name.replace('-', " "), cells.join(" | "));
    }
}

fn details(out: &mut String, report: &Report<'_>) {
    let mut shown = 0;
    for instance in &report.summary.instances {
        let deciding = finding::deciding(instance, report.summary.strict);
        if deciding.is_empty() || matches!(instance.verdict, Verdict::Pass | Verdict::None) {
            continue;
        }
        if shown == DETAILED {
            let _ = writeln!(out, "\nMore details are in `report.html`.");
            return;
        }
        shown += 1;
        let ladder = report.ladder(instance);
        let mut body = String::new();
        for finding in &deciding {
            for line in finding::lines(report, finding, ladder.as_ref(), EVIDENCE) {
                let _ = writeln!(body, "{}", text::cut(&line, 2 * REASON));
            }
        }
        let verdict = instance_word(instance);
        folded(
            out,
            &format!("{verdict} {}", text::line(&instance.header.instance)),
            &body,
        );
    }
}

fn warnings(out: &mut String, report: &Report<'_>) {
    let mut body = String::new();
    let mut number = 0;
    for instance in &report.summary.instances {
        for finding in instance.warnings(report.summary.strict) {
            number += 1;
            if number <= TABLE_ROWS {
                let name = text::line(&instance.header.instance);
                let reason = text::short(&finding.text, REASON);
                let _ = writeln!(body, "{}  {name}\n  {reason}", finding::title(finding));
            }
        }
    }
    if number > TABLE_ROWS {
        let _ = writeln!(body, "… and {} more", number - TABLE_ROWS);
    }
    if number > 0 {
        folded(out, &capital(&text::count(number as u64, "warning")), &body);
    }
}

fn instances(out: &mut String, report: &Report<'_>) {
    let all = &report.summary.instances;
    let mut body = String::new();
    for instance in all.iter().take(LISTED) {
        let name = text::line(&instance.header.instance);
        let what = match &instance.skipped {
            Some(reason) => text::short(reason, REASON),
            None if instance.repeats.is_some() => {
                let repeats = instance.repeats.as_deref();
                repeats.map(timing::kept).unwrap_or_default()
            }
            None => format!(
                "{}, {} {}",
                text::count(instance.records, "record"),
                text::span(instance.duration),
                clock_word(instance.header.clock)
            ),
        };
        let _ = writeln!(body, "{:<6}  {name}  {what}", instance_word(instance));
    }
    if all.len() > LISTED {
        let _ = writeln!(body, "… and {} more", all.len() - LISTED);
    }
    if !all.is_empty() {
        folded(
            out,
            &format!("All {}", text::count(all.len() as u64, "instance")),
            &body,
        );
    }
}

/// What did not pass, worst first.
fn undecided<'a>(report: &Report<'a>) -> Vec<(&'a InstanceSummary, Finding)> {
    let strict = report.summary.strict;
    let mut rows: Vec<(&InstanceSummary, Finding)> = report
        .summary
        .instances
        .iter()
        .flat_map(|i| finding::deciding(i, strict).into_iter().map(move |f| (i, f)))
        .collect();
    rows.sort_by_key(|(_, f)| match f.effective(strict) {
        Verdict::Fail => 0,
        Verdict::Error => 1,
        _ => 2,
    });
    rows
}

pub(crate) fn folded(out: &mut String, summary: &str, body: &str) {
    // an empty line would end the HTML block
    let lines: Vec<&str> = body.lines().filter(|l| !l.trim().is_empty()).collect();
    let _ = writeln!(
        out,
        "\n<details><summary>{}</summary>\n<pre>\n{}\n</pre>\n</details>",
        html(summary),
        html(&lines.join("\n"))
    );
}

pub(crate) fn emblem(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::None => "⚪",
        Verdict::Pass => "✅",
        Verdict::Inconclusive => "❔",
        Verdict::Fail => "❌",
        Verdict::Error => "💥",
    }
}

/// Text that is shown as it is: no mark-up, no HTML, no mentions or references.
pub(crate) fn prose(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + 16);
    for c in text::line(words).chars() {
        match c {
            // no link without two slashes
            '/' if out.ends_with(":/") => out.push_str("\\/"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // an empty comment after the sign keeps forges from linking people, issues and merge requests
            '@' | '#' | '!' | '%' => {
                out.push(c);
                out.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A code span that holds in a table; a back tick, which could end it, becomes an apostrophe.
pub(crate) fn code(words: &str) -> String {
    let words = text::line(words).replace('`', "'").replace('|', "\\|");
    match words.is_empty() {
        true => "–".to_owned(),
        false => format!("`{words}`"),
    }
}

fn html(words: &str) -> String {
    words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(
            prose("a|b <i> @me #1 [x](y)"),
            "a\\|b &lt;i&gt; @<!-- -->me #<!-- -->1 \\[x\\](y)"
        );
        assert_eq!(code("a`b|c"), "`a'b\\|c`");
        assert_eq!(prose("https://x"), "https:/\\/x");
    }
}
