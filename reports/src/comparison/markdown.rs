//! A comparison for a merge request: what it comes to, what decides in tables, everything else folded away.

use super::{ComparisonReport, sections, words};
use crate::markdown::{code, emblem, folded, prose};
use hil_trace::{Outcome, Verdict};
use std::fmt::Write as _;

/// The comparison as Markdown that GitHub and GitLab share, short enough for one comment.
pub fn comparison_markdown(report: &ComparisonReport<'_>) -> String {
    let mut out = String::new();
    let word = sections::word(report);
    let verdict = match word {
        "no worse" => Verdict::Pass,
        "undecided" => Verdict::Inconclusive,
        _ => Verdict::Fail,
    };
    let _ = writeln!(out, "## {} hil: {word} than the baseline\n", emblem(verdict));
    if word == "undecided" {
        out = format!("## {} hil: not comparable with the baseline\n\n", emblem(verdict));
    } else if word == "failing" {
        out = format!("## {} hil: failing\n\n", emblem(verdict));
    }
    let _ = writeln!(
        out,
        "**{}.**\n",
        prose(&sections::capital(&sections::sentence(report)))
    );
    if let Some(baseline) = &report.comparison.baseline {
        let _ = writeln!(out, "- Baseline: {}", prose(&words::side(baseline)));
    }
    let _ = writeln!(out, "- New: {}", prose(&words::side(&report.comparison.new)));
    for section in sections::sections(report) {
        let heading = match section.items.len() {
            0 => section.title,
            n => format!("{} ({n})", section.title),
        };
        let decides = section
            .outcome
            .filter(|outcome| report.blocking.contains(outcome));
        match decides {
            Some(outcome) => {
                let code = format!("{}, exit code {}", outcome.name(), Outcome::exit_code(outcome));
                let _ = writeln!(out, "\n### {heading}\n\n{}\n", self::code(&code));
                for item in section.items.iter().take(LISTED) {
                    let text = match item.text.as_str() {
                        "" => String::new(),
                        text => format!("<br>{}", prose(text)),
                    };
                    let _ = writeln!(out, "- {}{text}", prose(&item.title));
                }
                if section.items.len() > LISTED {
                    let _ = writeln!(out, "- … and {} more", section.items.len() - LISTED);
                }
            }
            None if section.items.is_empty() => {}
            None => {
                let mut body = String::new();
                for item in section.items.iter().take(LISTED) {
                    let _ = writeln!(body, "{}", item.title);
                    if !item.text.is_empty() {
                        let _ = writeln!(body, "    {}", item.text);
                    }
                }
                if section.items.len() > LISTED {
                    let _ = writeln!(body, "… and {} more", section.items.len() - LISTED);
                }
                folded(&mut out, &heading, &body);
            }
        }
    }
    out
}

/// Of one list; seventeen of them fit a comment of 65536 characters all but surely.
const LISTED: usize = 30;
