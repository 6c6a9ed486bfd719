//! Ladder rows as the template wants them: classes, labels and fragments.

use super::{anchors, raw::raw};
use crate::{
    ladder::{Item, Ladder, Lane, Row, Shape, select},
    text,
};
use hil_trace::Trace;
use std::collections::BTreeSet;

/// Gaps from this many seconds on are drawn.
const GAP: f64 = 1.0;

/// A ladder, shortened.
pub(super) struct LadderView {
    pub(super) items: Vec<ItemView>,
    /// Rows of the whole ladder and rows not drawn.
    pub(super) total: usize,
    pub(super) hidden: usize,
    /// The records a link may lead to.
    pub(super) linkable: BTreeSet<u64>,
}

/// One line of a ladder.
pub(super) struct ItemView {
    /// Space-separated classes that decide how it is drawn.
    pub(super) class: String,
    /// Fragments of its records; the first belongs to the line itself.
    pub(super) id: String,
    pub(super) other_ids: Vec<String>,
    pub(super) time: String,
    pub(super) seq: String,
    /// How long nothing happened before it, and how wide that is drawn (1 to 4).
    pub(super) gap: Option<(String, u8)>,
    /// True if the unit did not run in that time.
    pub(super) after_dark: bool,
    pub(super) title: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) raw: Option<String>,
}

impl LadderView {
    /// At most about `limit` lines; evidence comes with its raw records.
    pub(super) fn of(
        ladder: &Ladder,
        trace: &Trace,
        anchor: &str,
        evidence: &BTreeSet<u64>,
        limit: usize,
    ) -> Self {
        let mut view = LadderView {
            items: Vec::new(),
            total: ladder.rows.len(),
            hidden: 0,
            linkable: BTreeSet::new(),
        };
        let mut before = None;
        for item in select(&ladder.rows, evidence, limit) {
            match item {
                Item::Row {
                    row,
                    evidence: is_evidence,
                } => {
                    let drawn = view.row(row, before, trace, anchor, is_evidence.then_some(evidence));
                    view.items.push(drawn);
                    before = Some(row);
                }
                Item::Repeated {
                    group,
                    times,
                    last,
                    every,
                } => {
                    view.hidden += group * times;
                    let what = match group {
                        1 => "the same".to_owned(),
                        n => format!("the same {n} rows"),
                    };
                    let again = match times {
                        1 => "once more".to_owned(),
                        n => format!("{n} more times"),
                    };
                    let title = format!("{what} {again}, every {}", text::span(every));
                    view.items.push(fold("fold", title, last));
                    before = Some(last);
                }
                Item::LeftOut { rows, first, last } => {
                    view.hidden += rows;
                    let title = format!(
                        "{} left out (records {}–{})",
                        text::count(rows as u64, "row"),
                        first.seq(),
                        last.seq()
                    );
                    view.items.push(fold("fold out", title, last));
                    before = Some(last);
                }
            }
        }
        view
    }

    fn row(
        &mut self,
        row: &Row,
        before: Option<&Row>,
        trace: &Trace,
        anchor: &str,
        evidence: Option<&BTreeSet<u64>>,
    ) -> ItemView {
        let mut class = shape_class(row.shape).to_owned();
        if !row.running {
            class.push_str(" off");
        }
        let seq = row.seq();
        self.linkable.insert(seq);
        let mut other_ids = Vec::new();
        let mut raws = Vec::new();
        if let Some(evidence) = evidence {
            class.push_str(" ev");
            for record in row.records.iter().filter(|r| **r != seq && evidence.contains(r)) {
                if self.linkable.insert(*record) {
                    other_ids.push(anchors::record(anchor, *record));
                }
            }
            for record in &row.records {
                let found = usize::try_from(*record).ok().and_then(|i| trace.records.get(i));
                raws.extend(found.map(|r| format!("#{record}  {}\n{}", r.at, raw(r))));
            }
        }
        let gap = before
            .map(|b| row.at.since(b.at).as_secs_f64())
            .filter(|gap| *gap >= GAP)
            .map(|gap| {
                let width = match gap {
                    g if g < 5.0 => 1,
                    g if g < 30.0 => 2,
                    g if g < 300.0 => 3,
                    _ => 4,
                };
                (text::span(gap), width)
            });
        ItemView {
            class,
            id: anchors::record(anchor, seq),
            other_ids,
            time: format!("{:.3}", row.at.seconds()),
            seq: format!("#{seq}"),
            gap,
            after_dark: before.is_some_and(|b| !b.running),
            title: row.title.clone(),
            fields: row
                .fields
                .iter()
                .map(|(name, value)| match name.as_str() {
                    "→" => (String::new(), format!("→ {value}")),
                    name => (name.to_owned(), value.clone()),
                })
                .collect(),
            raw: (!raws.is_empty()).then(|| raws.join("\n\n")),
        }
    }
}

fn fold(class: &str, title: String, last: &Row) -> ItemView {
    ItemView {
        class: match last.running {
            true => class.to_owned(),
            false => format!("{class} off"),
        },
        id: String::new(),
        other_ids: Vec::new(),
        time: format!("{:.3}", last.at.seconds()),
        seq: String::new(),
        gap: None,
        after_dark: false,
        title,
        fields: Vec::new(),
        raw: None,
    }
}

fn shape_class(shape: Shape) -> &'static str {
    match shape {
        Shape::Message { from, lost, quiet } => match (from, lost, quiet) {
            (Lane::Unit, true, _) => "m u lost",
            (Lane::Unit, false, true) => "m u quiet",
            (Lane::Unit, false, false) => "m u",
            (Lane::Cloud, true, _) => "m c lost",
            (Lane::Cloud, false, true) => "m c quiet",
            (Lane::Cloud, false, false) => "m c",
        },
        Shape::Note(Lane::Unit) => "n u",
        Shape::Note(Lane::Cloud) => "n c",
        Shape::Harness(Lane::Unit) => "n u harness",
        Shape::Harness(Lane::Cloud) => "n c harness",
        Shape::Life => "n u life",
        Shape::Console => "n u console",
        Shape::Fault => "fault",
        Shape::Step => "step",
        Shape::Trouble => "trouble",
        Shape::End => "step end",
    }
}
