//! A long ladder made short: what repeats is folded, the rest is kept by weight, and every gap says what it hides.

use super::{Row, Shape};
use std::collections::BTreeSet;

/// The longest group of rows that is recognised as repeating, and how often it must occur.
const LONGEST_GROUP: usize = 6;
const FEWEST_TIMES: usize = 3;

/// A row, or what stands for rows left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item<'a> {
    /// A row; `evidence` if a finding rests on it.
    Row { row: &'a Row, evidence: bool },
    /// The rows just above came again.
    Repeated {
        /// Rows of one occurrence.
        group: usize,
        /// How often it came again.
        times: usize,
        /// Last row hidden.
        last: &'a Row,
        /// Mean seconds from one occurrence to the next.
        every: f64,
    },
    /// Rows not shown for their number.
    LeftOut {
        /// How many.
        rows: usize,
        /// The first of them.
        first: &'a Row,
        /// The last of them.
        last: &'a Row,
    },
}

/// At most about `limit` rows: evidence and its neighbours first, then faults, steps and the unit's life, then
/// messages, then connections; among equals what is near evidence or near the ends of the trace.
pub(crate) fn select<'a>(rows: &'a [Row], evidence: &BTreeSet<u64>, limit: usize) -> Vec<Item<'a>> {
    let is_evidence = |row: &Row| row.records.iter().any(|seq| evidence.contains(seq));
    let folded = fold(rows, &is_evidence);
    if folded.len() <= limit {
        return folded;
    }
    let mut weights: Vec<u8> = folded.iter().map(weight).collect();
    for index in 0..folded.len() {
        if matches!(folded[index], Item::Row { evidence: true, .. }) {
            let near = index.saturating_sub(2)..(index + 3).min(folded.len());
            for weight in &mut weights[near] {
                *weight = (*weight).max(3);
            }
        }
    }
    let proofs: Vec<usize> = (0..folded.len()).filter(|i| weights[*i] == 4).collect();
    let distance = |i: usize| {
        let to_end = i.min(folded.len() - 1 - i);
        let after = proofs.partition_point(|p| *p < i);
        let around = &proofs[after.saturating_sub(1)..(after + 1).min(proofs.len())];
        // twice as much room around evidence as at each end
        around
            .iter()
            .map(|p| p.abs_diff(i))
            .chain([to_end * 2])
            .min()
            .unwrap_or(to_end)
    };
    let mut order: Vec<usize> = (0..folded.len()).collect();
    order.sort_by_key(|i| (u8::MAX - weights[*i], distance(*i), *i));
    let kept: BTreeSet<usize> = order.into_iter().take(limit).collect();

    let mut out = Vec::with_capacity(limit * 2);
    let mut index = 0;
    while index < folded.len() {
        if kept.contains(&index) {
            out.push(folded[index].clone());
            index += 1;
            continue;
        }
        let start = index;
        while index < folded.len() && !kept.contains(&index) {
            index += 1;
        }
        let hidden = &folded[start..index];
        out.push(Item::LeftOut {
            rows: hidden.iter().map(size).sum(),
            first: first_row(&hidden[0]),
            last: last_row(&hidden[hidden.len() - 1]),
        });
    }
    out
}

/// Replaces repetitions of groups of rows; evidence is never folded.
fn fold<'a>(rows: &'a [Row], is_evidence: &impl Fn(&Row) -> bool) -> Vec<Item<'a>> {
    let pinned: Vec<bool> = rows.iter().map(is_evidence).collect();
    let mut out = Vec::with_capacity(rows.len());
    let mut at = 0;
    while at < rows.len() {
        let best = (1..=LONGEST_GROUP)
            .filter(|group| at + group * FEWEST_TIMES <= rows.len())
            .map(|group| (group, occurrences(&rows[at..], &pinned[at..], group)))
            .filter(|(_, times)| *times >= FEWEST_TIMES)
            .max_by_key(|(group, times)| (group * (times - 1), usize::MAX - group));
        let Some((group, times)) = best else {
            out.push(Item::Row {
                row: &rows[at],
                evidence: pinned[at],
            });
            at += 1;
            continue;
        };
        out.extend(
            rows[at..at + group]
                .iter()
                .map(|row| Item::Row { row, evidence: false }),
        );
        let start_of_last = &rows[at + group * (times - 1)];
        out.push(Item::Repeated {
            group,
            times: times - 1,
            last: &rows[at + group * times - 1],
            every: start_of_last.at.since(rows[at].at).as_secs_f64() / (times - 1) as f64,
        });
        at += group * times;
    }
    out
}

/// How often the first `group` rows occur one after the other.
fn occurrences(rows: &[Row], pinned: &[bool], group: usize) -> usize {
    if pinned[..group].contains(&true) {
        return 0;
    }
    let same = (group..rows.len())
        .take_while(|i| !pinned[*i] && alike(&rows[*i], &rows[*i % group]))
        .count();
    1 + same / group
}

/// Rows that look the same but for time; numbers of connections do not count.
fn alike(a: &Row, b: &Row) -> bool {
    let quiet = matches!(a.shape, Shape::Message { quiet: true, .. });
    a.shape == b.shape && a.title == b.title && a.running == b.running && (quiet || a.fields == b.fields)
}

fn weight(item: &Item<'_>) -> u8 {
    match item {
        Item::Row { evidence: true, .. } => 4,
        Item::Row { row, .. } => match row.shape {
            Shape::Message { quiet: true, .. } | Shape::Console => 0,
            Shape::Message { .. } => 1,
            _ => 2,
        },
        Item::Repeated { .. } | Item::LeftOut { .. } => 1,
    }
}

fn size(item: &Item<'_>) -> usize {
    match item {
        Item::Row { .. } => 1,
        Item::Repeated { group, times, .. } => group * times,
        Item::LeftOut { rows, .. } => *rows,
    }
}

fn first_row<'a>(item: &Item<'a>) -> &'a Row {
    match item {
        Item::Row { row, .. } => row,
        Item::Repeated { last, .. } => last,
        Item::LeftOut { first, .. } => first,
    }
}

fn last_row<'a>(item: &Item<'a>) -> &'a Row {
    match item {
        Item::Row { row, .. } => row,
        Item::Repeated { last, .. } | Item::LeftOut { last, .. } => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::Lane;
    use hil_trace::Stamp;

    fn rows(titles: &[&str]) -> Vec<Row> {
        titles
            .iter()
            .enumerate()
            .map(|(i, title)| Row {
                records: vec![i as u64],
                at: Stamp(i as u64 * 1_000_000),
                shape: Shape::Message {
                    from: Lane::Unit,
                    lost: false,
                    quiet: *title == "ping",
                },
                title: (*title).to_owned(),
                fields: Vec::new(),
                running: true,
            })
            .collect()
    }

    fn words(items: &[Item<'_>]) -> Vec<String> {
        items
            .iter()
            .map(|item| match item {
                Item::Row { row, evidence } => format!("{}{}", row.title, if *evidence { "!" } else { "" }),
                Item::Repeated {
                    group, times, every, ..
                } => format!("{group}x{times} every {every}"),
                Item::LeftOut { rows, first, last } => format!("-{rows} {}..{}", first.seq(), last.seq()),
            })
            .collect()
    }

    #[test]
    fn what_repeats_is_folded() {
        let rows = rows(&["boot", "poll", "none", "poll", "none", "poll", "none", "ack"]);
        let items = select(&rows, &BTreeSet::new(), 100);
        assert_eq!(words(&items), ["boot", "poll", "none", "2x2 every 2", "ack"]);
    }

    #[test]
    fn evidence_is_never_folded() {
        let rows = rows(&["poll", "poll", "poll", "poll", "poll", "poll", "poll"]);
        let items = select(&rows, &BTreeSet::from([3]), 100);
        assert_eq!(
            words(&items),
            ["poll", "1x2 every 1", "poll!", "poll", "1x2 every 1"]
        );
    }

    #[test]
    fn evidence_and_its_neighbours_survive_the_limit() {
        let titles: Vec<String> = (0..40).map(|i| format!("m{i}")).collect();
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let rows = rows(&titles);
        let items = select(&rows, &BTreeSet::from([20]), 7);
        assert_eq!(
            words(&items),
            [
                "m0",
                "-17 1..17",
                "m18",
                "m19",
                "m20!",
                "m21",
                "m22",
                "-16 23..38",
                "m39"
            ]
        );
    }

    #[test]
    fn pings_go_first() {
        let rows = rows(&["a", "ping", "b", "ping", "c"]);
        let items = select(&rows, &BTreeSet::new(), 3);
        assert_eq!(words(&items), ["a", "-1 1..1", "b", "-1 3..3", "c"]);
    }
}
