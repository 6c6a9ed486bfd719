//! Sweeps of power cuts in words, for every report.

use crate::text;
use hil_trace::{NO_OUTCOME, SweepKind, SweepRow, SweepTable, Verdict};

/// Points named in one line at most.
const NAMED: usize = 12;

/// What kind of sweep it is.
pub(crate) fn kind(table: &SweepTable) -> &'static str {
    match table.cut {
        SweepKind::FlashWrites => "flash writes",
        SweepKind::Time => "time sweep",
    }
}

/// Such as `33 flash writes in 1 min 20 s between update and settled`.
pub(crate) fn span(table: &SweepTable) -> String {
    let (from, to) = (text::line(&table.from), text::line(&table.to));
    match table.span {
        None => format!("between {from} and {to}"),
        Some(span) => {
            let seconds = text::span(span.seconds);
            let what = match (table.cut, span.writes) {
                (SweepKind::FlashWrites, Some(writes)) => {
                    format!("{} in {seconds}", text::count(writes, "flash write"))
                }
                _ => seconds,
            };
            format!("{what} between {from} and {to}")
        }
    }
}

/// Such as `66 points: 60 new version, 6 old version; 2 failed; slowest back after 12.1 s (w07t)`; or why there are none.
pub(crate) fn words(table: &SweepTable) -> String {
    if let Some(reason) = &table.not_judged {
        return text::line(reason);
    }
    let mut parts = vec![text::count(table.ran().count() as u64, "point")];
    let outcomes = table.outcomes();
    let told = outcomes.iter().any(|(word, _)| *word != NO_OUTCOME);
    if told {
        let outcomes: Vec<String> = outcomes
            .iter()
            .map(|(word, count)| format!("{count} {}", text::line(word)))
            .collect();
        parts[0] = format!("{}: {}", parts[0], outcomes.join(", "));
    }
    for (verdict, word) in [
        (Verdict::Fail, "failed"),
        (Verdict::Error, "not judged"),
        (Verdict::Inconclusive, "inconclusive"),
    ] {
        match table.ran().filter(|point| point.verdict == verdict).count() {
            0 => {}
            count => parts.push(format!("{count} {word}")),
        }
    }
    if let Some((row, seconds)) = table.slowest().and_then(|row| Some((row, row.result.recovery?))) {
        parts.push(format!(
            "slowest back after {} ({})",
            text::span(seconds),
            row.label
        ));
    }
    if let Some(left_out) = left_out(table) {
        parts.push(left_out);
    }
    if let Some(wear) = wear(table) {
        parts.push(wear);
    }
    parts.join("; ")
}

/// The points that were left out, by name.
pub(crate) fn left_out(table: &SweepTable) -> Option<String> {
    let names: Vec<&str> = table.left_out().map(|point| point.label.as_str()).collect();
    let more = names.len().saturating_sub(NAMED);
    let mut words = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if more > 0 {
        words = format!("{words} and {more} more");
    }
    (!names.is_empty()).then(|| format!("{} left out: {words}", names.len()))
}

/// What it cost.
fn wear(table: &SweepTable) -> Option<String> {
    let spent = table.spent?;
    let wear = table.wear?;
    let beyond = if spent > wear {
        ", which is more than allowed"
    } else {
        ""
    };
    Some(format!("{spent} of {wear} flash writes spent{beyond}"))
}

/// The outcome of a point.
pub(crate) fn outcome(row: &SweepRow) -> String {
    let word = row.result.outcome.as_deref().map(text::line);
    match (&row.skipped, row.verdict, word) {
        (Some(_), _, _) => "left out".to_owned(),
        (_, _, Some(word)) => word,
        (_, Verdict::Pass, None) => "recovered".to_owned(),
        _ => NO_OUTCOME.to_owned(),
    }
}

/// The time from the return of power to the first contact.
pub(crate) fn recovery(row: &SweepRow) -> String {
    match row.result.recovery {
        Some(seconds) => text::span(seconds),
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hil_trace::{SweepResult, SweepSpan};

    fn row(label: &str, verdict: Verdict, outcome: Option<&str>, recovery: Option<f64>) -> SweepRow {
        SweepRow {
            instance: format!("x#{label}"),
            label: label.to_owned(),
            share: 0.0,
            torn: label.ends_with('t'),
            verdict,
            skipped: (verdict == Verdict::None).then(|| "not exercised: left out".to_owned()),
            result: SweepResult {
                cut_at: recovery,
                recovery,
                outcome: outcome.map(str::to_owned),
            },
        }
    }

    #[test]
    fn a_sweep_in_one_line() {
        let mut table = SweepTable {
            name: "x".to_owned(),
            title: "t".to_owned(),
            cut: SweepKind::FlashWrites,
            from: "update".to_owned(),
            to: "settled".to_owned(),
            span: Some(SweepSpan {
                seconds: 80.0,
                writes: Some(2),
            }),
            reference: Some(row("reference", Verdict::Pass, Some("new"), None)),
            not_judged: None,
            points: vec![
                row("w1", Verdict::Pass, Some("old"), Some(1.0)),
                row("w1t", Verdict::Fail, None, Some(3.5)),
                row("w2", Verdict::Pass, Some("old"), Some(2.0)),
                row("w2t", Verdict::None, None, None),
            ],
            wear: Some(100),
            spent: Some(120),
        };
        assert_eq!(
            words(&table),
            "3 points: 2 old, 1 neither; 1 failed; slowest back after 3.50 s (w1t); 1 left out: w2t; \
             120 of 100 flash writes spent, which is more than allowed"
        );
        assert_eq!(
            span(&table),
            "2 flash writes in 80.0 s between update and settled"
        );
        assert_eq!(table.verdict(), Verdict::Fail);
        let told: Vec<String> = table.points.iter().map(outcome).collect();
        assert_eq!(told, ["old", "neither", "old", "left out"]);
        table.not_judged = Some("not exercised: because".to_owned());
        assert_eq!(words(&table), "not exercised: because");
    }
}
