//! A comparison for a terminal or a log: first what it comes to, then why.

use super::{ComparisonReport, sections, words};
use crate::{
    style::{Paint, Painter},
    text,
};
use hil_trace::{Outcome, Verdict};
use std::fmt::Write as _;

/// The comparison as text with a line end after each line, with ANSI colours or without.
pub fn comparison_text(report: &ComparisonReport<'_>, color: bool) -> String {
    let painter = Painter { color };
    let mut out = String::new();
    let word = sections::word(report);
    let verdict = match word {
        "no worse" => Verdict::Pass,
        "undecided" => Verdict::Inconclusive,
        _ => Verdict::Fail,
    };
    let word = painter.paint(Paint::Verdict(verdict), word);
    let _ = writeln!(out, "{word}: {}", sections::sentence(report));
    if let Some(baseline) = &report.comparison.baseline {
        let _ = writeln!(out, "baseline  {}", words::side(baseline));
    }
    let _ = writeln!(out, "new       {}", words::side(&report.comparison.new));
    for section in sections::sections(report) {
        let heading = match section.items.len() {
            0 => section.title,
            n => format!("{} ({n})", section.title),
        };
        let code = section
            .outcome
            .filter(|outcome| report.blocking.contains(outcome));
        let code =
            code.map(|outcome| format!("  {}, exit code {}", outcome.name(), Outcome::exit_code(outcome)));
        let _ = writeln!(
            out,
            "\n{}{}",
            painter.paint(Paint::Bold, &heading),
            painter.paint(Paint::Dim, &code.unwrap_or_default())
        );
        for item in section.items.iter().take(LISTED) {
            let _ = writeln!(out, "  {}", item.title);
            let lines = text::wrap(&item.text, WIDTH).into_iter();
            for line in lines.filter(|line| !line.is_empty()) {
                let _ = writeln!(out, "      {}", painter.paint(Paint::Dim, &line));
            }
        }
        if section.items.len() > LISTED {
            let _ = writeln!(out, "  … and {} more", section.items.len() - LISTED);
        }
    }
    out
}

/// Of one list.
const LISTED: usize = 40;
const WIDTH: usize = 100;
