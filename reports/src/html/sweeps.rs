//! Sweeps of power cuts: a table of their points, and a picture of what they came to along the update.

use super::anchors::Anchors;
use crate::{
    style::{verdict_class, word},
    sweep, text,
};
use hil_trace::{SweepKind, SweepRow, SweepTable, Verdict};

const WIDTH: f64 = 1000.0;
/// Height of the part that shows recovery times.
const PLOT: f64 = 70.0;
/// Height of one strip of points.
const STRIP: f64 = 20.0;
/// Colours of outcomes, in the order of their first appearance.
const TINTS: [&str; 5] = ["o0", "o1", "o2", "o3", "o4"];

/// One sweep.
pub(super) struct SweepView {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) words: String,
    pub(super) span: String,
    pub(super) legend: Vec<(&'static str, String)>,
    pub(super) strips: Vec<Strip>,
    pub(super) dots: Vec<Dot>,
    /// The longest recovery in words.
    pub(super) top: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) height: String,
    /// Where the words below the picture stand.
    pub(super) foot: String,
    pub(super) rows: Vec<RowView>,
    pub(super) anchor: Option<String>,
}

/// Points of one kind, in a row.
pub(super) struct Strip {
    pub(super) name: &'static str,
    pub(super) y: String,
    pub(super) text_y: String,
    pub(super) cells: Vec<Cell>,
}

/// One point in a strip.
pub(super) struct Cell {
    pub(super) x: String,
    pub(super) width: String,
    pub(super) class: String,
    pub(super) anchor: String,
    pub(super) words: String,
}

/// One recovery time.
pub(super) struct Dot {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// One line of the table.
pub(super) struct RowView {
    pub(super) label: String,
    pub(super) anchor: String,
    pub(super) class: &'static str,
    pub(super) verdict: &'static str,
    pub(super) outcome: String,
    pub(super) recovery: String,
}

impl SweepView {
    pub(super) fn of(table: &SweepTable, anchors: &Anchors) -> Self {
        let outcomes = outcomes(table);
        let plotted: Vec<&SweepRow> = table.points.iter().collect();
        let count = plotted.iter().filter(|row| !row.torn).count().max(1);
        let torn = plotted.iter().any(|row| row.torn);
        let slowest = table.slowest().and_then(|row| row.result.recovery).unwrap_or(0.0);
        let mut strips = vec![strip(
            "whole",
            PLOT + 8.0,
            &plotted,
            false,
            count,
            &outcomes,
            anchors,
        )];
        if torn {
            let y = PLOT + 12.0 + STRIP;
            strips.push(strip("torn", y, &plotted, true, count, &outcomes, anchors));
        }
        if table.cut == SweepKind::Time {
            strips[0].name = "time";
        }
        let height = PLOT + 12.0 + strips.len() as f64 * (STRIP + 4.0) + 14.0;
        let anchor = |row: &SweepRow| anchors.get(&row.instance).unwrap_or_default().to_owned();
        SweepView {
            name: text::line(&table.name),
            title: text::line(&table.title),
            kind: sweep::kind(table),
            words: sweep::words(table),
            span: sweep::span(table),
            legend: outcomes
                .iter()
                .map(|(word, count, tint)| (*tint, format!("{count} {word}")))
                .collect(),
            strips,
            dots: dots(&plotted, count, slowest),
            top: text::span(slowest),
            from: text::short(&table.from, 40),
            to: text::short(&table.to, 40),
            height: format!("{height:.0}"),
            foot: format!("{:.0}", height - 3.0),
            rows: table
                .points
                .iter()
                .map(|row| RowView {
                    label: row.label.clone(),
                    anchor: anchor(row),
                    class: verdict_class(row.verdict),
                    verdict: word(row.verdict),
                    outcome: sweep::outcome(row),
                    recovery: sweep::recovery(row),
                })
                .collect(),
            anchor: table.reference.as_ref().map(anchor),
        }
    }
}

/// Every outcome with its number of points and its colour.
fn outcomes(table: &SweepTable) -> Vec<(String, usize, &'static str)> {
    let mut outcomes: Vec<(String, usize, &'static str)> = Vec::new();
    for row in table.ran() {
        let word = sweep::outcome(row);
        let next = TINTS[outcomes.len().min(TINTS.len() - 1)];
        match outcomes.iter_mut().find(|(known, ..)| *known == word) {
            Some((_, count, _)) => *count += 1,
            None => outcomes.push((word, 1, next)),
        }
    }
    outcomes
}

fn strip(
    name: &'static str,
    y: f64,
    rows: &[&SweepRow],
    torn: bool,
    count: usize,
    outcomes: &[(String, usize, &'static str)],
    anchors: &Anchors,
) -> Strip {
    let width = WIDTH / count as f64;
    let gap = (width * 0.15).min(2.0);
    let cells = rows.iter().filter(|row| row.torn == torn).enumerate();
    let cells = cells.map(|(index, row)| {
        let word = sweep::outcome(row);
        let tint = outcomes.iter().find(|(known, ..)| *known == word);
        let tint = tint.map_or("left", |(_, _, tint)| tint);
        Cell {
            x: format!("{:.2}", index as f64 * width + gap / 2.0),
            width: format!("{:.2}", (width - gap).max(0.5)),
            class: match row.verdict {
                Verdict::Pass | Verdict::None => tint.to_owned(),
                _ => format!("{tint} bad"),
            },
            anchor: anchors.get(&row.instance).unwrap_or_default().to_owned(),
            words: format!(
                "{}: {word}, {}, back after {}",
                row.label,
                row.verdict,
                sweep::recovery(row)
            ),
        }
    });
    Strip {
        name,
        y: format!("{y:.0}"),
        text_y: format!("{:.0}", y + STRIP * 0.7),
        cells: cells.collect(),
    }
}

fn dots(rows: &[&SweepRow], count: usize, slowest: f64) -> Vec<Dot> {
    let width = WIDTH / count as f64;
    let (mut whole, mut torn) = (0, 0);
    let mut dots = Vec::new();
    for row in rows {
        let index = if row.torn { &mut torn } else { &mut whole };
        let x = (*index as f64 + if row.torn { 0.75 } else { 0.35 }) * width;
        *index += 1;
        if let Some(seconds) = row.result.recovery {
            let share = if slowest > 0.0 { seconds / slowest } else { 0.0 };
            dots.push(Dot {
                x: format!("{x:.1}"),
                y: format!("{:.1}", PLOT - share * (PLOT - 8.0)),
                class: if row.torn { "half" } else { "" },
                words: format!("{}: back after {}", row.label, text::span(seconds)),
            });
        }
    }
    dots
}
