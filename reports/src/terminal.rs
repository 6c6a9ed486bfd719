//! The summary at the end of a run, for a terminal or a log.

use crate::{
    coverage::Tally,
    exercise, finding, flaky,
    headline::{Headline, counted},
    ladder::Ladder,
    report::Report,
    style::{Paint, Painter, instance_paint, instance_word, word},
    sweep, text, timing, waivers,
};
use hil_trace::{ClockKind, CoverageState, Finding, InstanceSummary, Level, Verdict};
use std::{fmt::Write as _, path::PathBuf};

/// Evidence records shown for one finding.
const EVIDENCE: usize = 6;
/// Text is wrapped to between these widths.
const NARROWEST: usize = 60;
const WIDEST: usize = 120;

/// Renders a run as text.
#[derive(Clone, Copy, Debug)]
pub struct TerminalReport<'a> {
    /// What to render.
    pub report: &'a Report<'a>,
    /// Leave out the list of all instances, for example because live progress has named them.
    pub brief: bool,
    /// Where the other reports were written.
    pub written: &'a [PathBuf],
}

impl TerminalReport<'_> {
    /// The whole text with a line end after each line, in `width` columns, with ANSI colours or without.
    pub fn render(&self, width: usize, color: bool) -> String {
        let painter = Painter { color };
        let width = width.clamp(NARROWEST, WIDEST);
        let mut out = String::new();
        if !self.brief {
            self.instances(&mut out, painter);
        }
        self.not_passed(&mut out, painter, width);
        self.flaky(&mut out, painter);
        self.warnings(&mut out, painter, width);
        self.sweeps(&mut out, painter, width);
        self.timing(&mut out, painter);
        self.coverage(&mut out, painter);
        self.exercise(&mut out, painter);
        self.waivers(&mut out, painter, width);
        self.footer(&mut out, painter);
        out
    }

    fn instances(&self, out: &mut String, painter: Painter) {
        let names = self.report.summary.instances.iter();
        let width = names
            .map(|i| text::line(&i.header.instance).chars().count())
            .max()
            .unwrap_or(0)
            .min(60);
        for instance in &self.report.summary.instances {
            let _ = writeln!(out, "{}", instance_line(instance, painter, width));
        }
    }

    fn not_passed(&self, out: &mut String, painter: Painter, width: usize) {
        for instance in &self.report.summary.instances {
            if matches!(instance.verdict, Verdict::Pass | Verdict::None) {
                continue;
            }
            let verdict = painter.paint(instance_paint(instance), instance_word(instance));
            let name = painter.paint(Paint::Bold, &text::line(&instance.header.instance));
            let _ = writeln!(out, "\n{verdict}  {name}");
            let ladder = self.report.ladder(instance);
            let deciding = finding::deciding(instance, self.report.summary.strict);
            if deciding.is_empty() {
                let _ = writeln!(out, "  no finding explains this verdict");
            }
            for finding in deciding {
                self.finding(out, &finding, ladder.as_ref(), painter, width);
            }
        }
    }

    fn flaky(&self, out: &mut String, painter: Painter) {
        let flaky = flaky::flaky(&self.report.summary.instances);
        if !flaky.is_empty() {
            let title = painter.paint(Paint::Verdict(Verdict::Inconclusive), flaky::TITLE);
            let _ = writeln!(out, "\n{title}");
        }
        for flaky in flaky {
            let name = text::line(&flaky.instance.header.instance);
            let _ = writeln!(out, "  {name}  {}", flaky.words);
        }
    }

    fn finding(
        &self,
        out: &mut String,
        finding: &Finding,
        ladder: Option<&Ladder>,
        painter: Painter,
        width: usize,
    ) {
        let verdict = painter.paint(Paint::Verdict(finding.verdict), finding.verdict.name());
        let _ = writeln!(
            out,
            "  {}  {verdict}  {}",
            finding::title(finding),
            painter.paint(Paint::Dim, &finding::origin(finding))
        );
        for line in text::wrap(&text::line(&finding.text), width - 4) {
            let _ = writeln!(out, "    {line}");
        }
        let sentence = finding
            .requirement
            .as_deref()
            .and_then(|id| self.report.sentence(id));
        if let Some(sentence) = sentence {
            for line in text::wrap(&format!("required: {}", text::line(sentence)), width - 4) {
                let _ = writeln!(out, "    {}", painter.paint(Paint::Dim, &line));
            }
        }
        for note in finding::notes(self.report, finding) {
            for line in text::wrap(&note, width - 4) {
                let _ = writeln!(out, "    {}", painter.paint(Paint::Warning, &line));
            }
        }
        for line in finding::evidence(finding, ladder, EVIDENCE) {
            let _ = writeln!(out, "      {}", text::cut(&line, width - 6));
        }
    }

    fn warnings(&self, out: &mut String, painter: Painter, width: usize) {
        let strict = self.report.summary.strict;
        let mut first = true;
        for instance in &self.report.summary.instances {
            for finding in instance.warnings(strict) {
                if std::mem::take(&mut first) {
                    let _ = writeln!(out, "\n{}", painter.paint(Paint::Warning, "Warnings"));
                }
                let _ = writeln!(
                    out,
                    "  {}  {}",
                    finding::title(finding),
                    text::line(&instance.header.instance)
                );
                for line in text::wrap(&text::line(&finding.text), width - 4) {
                    let _ = writeln!(out, "    {line}");
                }
            }
        }
    }

    fn sweeps(&self, out: &mut String, painter: Painter, width: usize) {
        let sweeps = self.report.summary.sweeps();
        if sweeps.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{}", painter.paint(Paint::Bold, "Sweeps of power cuts"));
        for table in &sweeps {
            let verdict = painter.paint(Paint::Verdict(table.verdict()), word(table.verdict()));
            let kind = painter.paint(Paint::Dim, sweep::kind(table));
            let _ = writeln!(out, "  {verdict}  {}  {kind}", text::line(&table.name));
            for line in text::wrap(&sweep::words(table), width - 4) {
                let _ = writeln!(out, "    {line}");
            }
        }
    }

    fn timing(&self, out: &mut String, painter: Painter) {
        let groups = timing::groups(self.report);
        if groups.iter().all(|(_, repeats)| repeats.series.is_empty()) {
            return;
        }
        let title = painter.paint(Paint::Bold, "Measured times over repeats");
        let _ = writeln!(out, "\n{title}");
        for (instance, repeats) in groups {
            let name = text::line(&instance.header.instance);
            let _ = writeln!(out, "  {name}  {}", timing::kept(repeats));
            for series in &repeats.series {
                let name = painter.paint(Paint::Bold, &text::short(&series.name, 60));
                let clock = painter.paint(Paint::Dim, &timing::clock(series));
                let _ = writeln!(out, "    {name}  {clock}");
                let cells = timing::HEADS.into_iter().zip(timing::cells(series));
                let cells: Vec<String> = cells.map(|(head, cell)| format!("{head} {cell}")).collect();
                // Two lines, so that they fit.
                for part in cells.chunks(5) {
                    let _ = writeln!(out, "      {}", part.join("  "));
                }
            }
        }
    }

    fn coverage(&self, out: &mut String, painter: Painter) {
        let coverage = &self.report.summary.coverage;
        if coverage.is_empty() {
            return;
        }
        let _ = writeln!(
            out,
            "\n{}",
            painter.paint(Paint::Bold, "Coverage of requirements")
        );
        for (protocol, requirements) in coverage {
            for level in [Level::Must, Level::Should, Level::May] {
                let tally = Tally::of(requirements, Some(level));
                if tally.total() == 0 {
                    continue;
                }
                let name = match level {
                    Level::Must => protocol.name(),
                    _ => "",
                };
                let _ = writeln!(out, "  {name:<15} {level:<7} {}", tally_line(&tally, painter));
            }
        }
    }

    fn exercise(&self, out: &mut String, painter: Painter) {
        let exercised = &self.report.summary.exercise;
        if exercised.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{}", painter.paint(Paint::Bold, "Exercised"));
        for (protocol, exercise) in exercised {
            let _ = writeln!(out, "  {:<15} {}", protocol.name(), exercise::line(exercise));
        }
    }

    /// Those somebody should look after in the colour of a failure.
    fn waivers(&self, out: &mut String, painter: Painter, width: usize) {
        let waivers = &self.report.summary.waivers;
        if waivers.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{}", painter.paint(Paint::Bold, "Waivers"));
        for outcome in waivers {
            let paint = match outcome.standing.is_stale() {
                true => Paint::Verdict(Verdict::Fail),
                false => Paint::Warning,
            };
            let word = painter.paint(paint, &outcome.standing.to_string());
            let _ = writeln!(out, "  {word}  {}", text::line(&outcome.waiver.requirement));
            for line in text::wrap(&waivers::words(outcome), width - 4) {
                let _ = writeln!(out, "    {line}");
            }
        }
    }

    fn footer(&self, out: &mut String, painter: Painter) {
        let summary = self.report.summary;
        let headline = Headline::of(summary);
        let word = painter.paint(Paint::Verdict(headline.verdict), headline.word);
        let _ = writeln!(out, "\n{word}: {}", headline.sentence);
        let counts = summary.counts();
        let mut parts: Vec<String> = counted(&counts)
            .into_iter()
            .map(|(verdict, words)| painter.paint(Paint::Verdict(verdict), &words))
            .collect();
        if counts.warnings > 0 {
            parts.push(painter.paint(Paint::Warning, &text::count(counts.warnings as u64, "warning")));
        }
        let stale = waivers::stale(summary);
        if stale > 0 {
            let words = text::count(stale as u64, "stale waiver");
            parts.push(painter.paint(Paint::Verdict(Verdict::Fail), &words));
        }
        parts.push(format!("seed {}", summary.seed));
        parts.extend(summary.partitions.iter().map(ToString::to_string));
        if summary.wall_seconds > 0.0 {
            parts.push(text::span(summary.wall_seconds));
        }
        let _ = writeln!(out, "{}", parts.join(", "));
        for (index, path) in self.written.iter().enumerate() {
            let label = if index == 0 { "Reports:" } else { "" };
            let _ = writeln!(out, "{label:<8} {}", text::line(&path.display().to_string()));
        }
    }
}

/// One instance on one line, its name padded to `width`: `PASS    edge-poll/idle@sim  12 records  300.2 s virtual`.
pub(crate) fn instance_line(instance: &InstanceSummary, painter: Painter, width: usize) -> String {
    let padded = format!("{:<6}", instance_word(instance));
    let verdict = painter.paint(instance_paint(instance), &padded);
    let name = text::line(&instance.header.instance);
    let mut line = format!("{verdict}  {name:<width$}");
    match &instance.skipped {
        Some(reason) => {
            let _ = write!(line, "  {}", painter.paint(Paint::Dim, &text::short(reason, 100)));
        }
        None if instance.repeats.is_some() => {
            let repeats = instance.repeats.as_deref();
            let words = repeats.map(timing::kept).unwrap_or_default();
            let _ = write!(line, "  {}", painter.paint(Paint::Dim, &words));
        }
        None => {
            let clock = clock_word(instance.header.clock);
            let records = text::count(instance.records, "record");
            let padding = if width > 0 { 12 } else { 0 };
            let _ = write!(
                line,
                "  {records:>padding$}  {} {clock}",
                text::span(instance.duration)
            );
        }
    }
    let warnings = instance.warnings(false).count() as u64;
    if warnings > 0 {
        let words = text::count(warnings, "warning");
        let _ = write!(line, "  {}", painter.paint(Paint::Warning, &words));
    }
    line
}

/// Which clock measured a duration.
pub(crate) fn clock_word(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Virtual => "virtual",
        ClockKind::Real => "real",
    }
}

/// `41 of 63 verified, 1 violated, 19 not exercised`; what does not apply is not counted in the total.
fn tally_line(tally: &Tally, painter: Painter) -> String {
    let mut parts = Vec::new();
    if tally.applicable() > 0 {
        parts.push(format!(
            "{} of {} verified",
            tally.get(CoverageState::Verified),
            tally.applicable()
        ));
    }
    let mut add = |state, paint, word: &str| {
        let n = tally.get(state);
        if n > 0 {
            parts.push(painter.paint(paint, &format!("{n} {word}")));
        }
    };
    add(CoverageState::Violated, Paint::Verdict(Verdict::Fail), "violated");
    add(CoverageState::Waived, Paint::Warning, "waived");
    add(CoverageState::Warned, Paint::Warning, "warned");
    add(
        CoverageState::Inconclusive,
        Paint::Verdict(Verdict::Inconclusive),
        "inconclusive",
    );
    add(CoverageState::NotExercised, Paint::Dim, "not exercised");
    add(CoverageState::NotApplicable, Paint::Dim, "not applicable");
    parts.join(", ")
}
