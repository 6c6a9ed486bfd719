//! Journals of parts of one run, or of machines that shared it, joined to one. The order they are given in does not matter.

use super::{Damage, ReadJournal, RepeatFigures, Trace};
use crate::{Partition, TraceHeader, Waivers};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// A journal, and where it was read.
#[derive(Clone, Debug)]
pub struct Part {
    /// For people.
    pub name: String,
    /// What could be read of it.
    pub journal: ReadJournal,
}

/// Several journals as one.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// Traces in the order of their names.
    pub traces: Vec<Trace>,
    /// Repeats that keep their figures only, in the order of the names of their groups.
    pub repeats: Vec<RepeatFigures>,
    /// The waivers of all of them.
    pub waivers: Option<Waivers>,
    /// The parts of a shared run that are here.
    pub partitions: BTreeSet<Partition>,
    /// Whether something that belongs to it is missing.
    pub interrupted: bool,
    /// What whoever reads it should know.
    pub remarks: Vec<Remark>,
}

/// Something that is odd about the journals, and in which.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remark {
    /// Something is missing of a journal; what could be read of it is kept.
    Damaged {
        /// The journal.
        journal: String,
        /// What.
        damage: String,
    },
    /// Its run was cut short.
    CutShort {
        /// The journal.
        journal: String,
    },
    /// Nobody has a part of the run.
    MissingPart(Partition),
    /// The runs were dealt out differently, so that some of it may have run twice and some never.
    DealtTwice(BTreeSet<String>),
    /// The runs differ in something that should be the same: each value with the journals that have it.
    Differs {
        /// What, such as `seed`.
        what: &'static str,
        /// Values, and where they are.
        values: BTreeMap<String, BTreeSet<String>>,
    },
    /// The very same instances are in more than one journal; each is taken once.
    Twice {
        /// How many.
        instances: usize,
        /// Where.
        journals: BTreeSet<String>,
    },
}

/// An instance that ran differently in two journals: which of them is right, nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("`{instance}` is in {first} and in {second}, and not the same", first = .journals.0, second = .journals.1)]
pub struct Conflict {
    /// Its name.
    pub instance: String,
    /// The journals.
    pub journals: (String, String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Remark::Damaged { journal, damage } => {
                write!(f, "{journal}: {damage}; kept is what stands before")
            }
            Remark::CutShort { journal } => write!(f, "{journal}: its run was cut short"),
            Remark::MissingPart(part) => write!(f, "the part {part} of the run is in no journal"),
            Remark::DealtTwice(deals) => write!(
                f,
                "parts of runs that were dealt out differently: {}",
                list(deals)
            ),
            Remark::Differs { what, values } => {
                let values = values
                    .iter()
                    .map(|(value, journals)| format!("{value} in {}", list(journals)));
                write!(
                    f,
                    "not the same {what}: {}",
                    values.collect::<Vec<_>>().join("; ")
                )
            }
            Remark::Twice { instances, journals } => {
                write!(
                    f,
                    "{instances} instances are the same in {}; each is taken once",
                    list(journals)
                )
            }
        }
    }
}

/// Joins journals. An instance that several of them have must be the same in all.
pub fn merge(mut parts: Vec<Part>) -> Result<Merged, Vec<Conflict>> {
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    let mut merged = Merged {
        remarks: remarks(&parts),
        ..Merged::default()
    };
    let mut traces: BTreeMap<String, (String, Trace)> = BTreeMap::new();
    let mut repeats: BTreeMap<String, (String, RepeatFigures)> = BTreeMap::new();
    let mut conflicts = Vec::new();
    let mut twice = (0, BTreeSet::new());
    for Part { name, journal } in parts {
        merged.interrupted |= journal.is_incomplete();
        merged.partitions.extend(&journal.partitions);
        merged.waivers = match (merged.waivers.take(), journal.waivers) {
            (Some(waivers), Some(more)) => Some(waivers.and(more)),
            (waivers, more) => waivers.or(more),
        };
        for trace in journal.traces {
            let instance = trace.header.instance.clone();
            take(&mut traces, instance, &name, trace, &mut conflicts, &mut twice);
        }
        for group in journal.repeats {
            let instance = group.header.instance.clone();
            take(&mut repeats, instance, &name, group, &mut conflicts, &mut twice);
        }
    }
    if !conflicts.is_empty() {
        conflicts.sort();
        return Err(conflicts);
    }
    let missing = missing(&merged.partitions);
    merged.interrupted |= !missing.is_empty();
    merged.remarks.extend(missing);
    if let (instances @ 1.., journals) = twice {
        merged.remarks.push(Remark::Twice { instances, journals });
    }
    if let Some(waivers) = &mut merged.waivers {
        waivers.waivers.sort_by(|a, b| {
            (&a.requirement, a.expires, &a.reason).cmp(&(&b.requirement, b.expires, &b.reason))
        });
    }
    merged.traces = traces.into_values().map(|(_, trace)| trace).collect();
    merged.repeats = repeats.into_values().map(|(_, group)| group).collect();
    Ok(merged)
}

fn take<T: PartialEq>(
    all: &mut BTreeMap<String, (String, T)>,
    instance: String,
    journal: &str,
    what: T,
    conflicts: &mut Vec<Conflict>,
    twice: &mut (usize, BTreeSet<String>),
) {
    match all.get(&instance) {
        None => {
            all.insert(instance, (journal.to_owned(), what));
        }
        Some((other, same)) if *same == what => {
            twice.0 += 1;
            twice.1.extend([other.clone(), journal.to_owned()]);
        }
        Some((other, _)) => conflicts.push(Conflict {
            instance,
            journals: (other.clone(), journal.to_owned()),
        }),
    }
}

fn remarks(parts: &[Part]) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for Part { name, journal } in parts {
        let damage = journal.damage.iter().map(Damage::to_string);
        remarks.extend(damage.map(|damage| Remark::Damaged {
            journal: name.clone(),
            damage,
        }));
        remarks.extend(journal.interrupted.then(|| Remark::CutShort {
            journal: name.clone(),
        }));
    }
    let of_header: [(&'static str, OfHeader); 3] = [
        ("seed", |header| header.seed.to_string()),
        ("tool", |header| header.tool.clone()),
        ("catalogue", |header| {
            header.catalogue_sha256.chars().take(12).collect()
        }),
    ];
    for (what, value) in of_header {
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Part { name, journal } in parts {
            let traces = journal.traces.iter().map(|trace| &trace.header);
            let headers = traces.chain(journal.repeats.iter().map(|group| &group.header));
            for header in headers {
                values.entry(value(header)).or_default().insert(name.clone());
            }
        }
        if values.len() > 1 {
            remarks.push(Remark::Differs { what, values });
        }
    }
    let mut waivers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for Part { name, journal } in parts.iter().filter(|part| !part.journal.traces.is_empty()) {
        let given = journal.waivers.iter().flat_map(|waivers| &waivers.waivers);
        let given: BTreeSet<&str> = given.map(|waiver| waiver.requirement.as_str()).collect();
        let given = given.into_iter().collect::<Vec<_>>().join(" ");
        let given = if given.is_empty() {
            "none".to_owned()
        } else {
            given
        };
        waivers.entry(given).or_default().insert(name.clone());
    }
    if waivers.len() > 1 {
        let (what, values) = ("waivers", waivers);
        remarks.push(Remark::Differs { what, values });
    }
    remarks
}

/// Parts of a shared run that nobody has.
fn missing(partitions: &BTreeSet<Partition>) -> Vec<Remark> {
    let mut deals: BTreeMap<(_, u32), BTreeSet<u32>> = BTreeMap::new();
    for partition in partitions {
        deals
            .entry((partition.deal, partition.of))
            .or_default()
            .insert(partition.part);
    }
    let mut remarks = Vec::new();
    if deals.len() > 1 {
        remarks.push(Remark::DealtTwice(
            partitions.iter().map(ToString::to_string).collect(),
        ));
    }
    for ((deal, of), here) in deals {
        let missing = (1..=of).filter(|part| !here.contains(part));
        // A great number is told by its first ones.
        remarks.extend(
            missing
                .take(TOLD)
                .map(|part| Remark::MissingPart(Partition { deal, part, of })),
        );
    }
    remarks
}

type OfHeader = fn(&TraceHeader) -> String;

const TOLD: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use hil_wire::Protocol;

    fn part(name: &str, seed: u64, partition: &str, instances: &[&str]) -> Part {
        let trace = |instance: &&str| Trace {
            header: TraceHeader {
                instance: (*instance).to_owned(),
                seed,
                partition: partition.parse().ok(),
                ..TraceHeader::bare(Protocol::EdgePoll)
            },
            records: Vec::new(),
            skipped: Some("no power".to_owned()),
        };
        Part {
            name: name.to_owned(),
            journal: ReadJournal {
                traces: instances.iter().map(trace).collect(),
                repeats: Vec::new(),
                damage: Vec::new(),
                interrupted: false,
                partitions: partition.parse().into_iter().collect(),
                waivers: None,
            },
        }
    }

    #[test]
    fn parts_are_joined_in_any_order() {
        let parts = || {
            vec![
                part("one", 7, "slice:1/2", &["a", "c"]),
                part("two", 7, "slice:2/2", &["b"]),
            ]
        };
        let merged = merge(parts()).unwrap();
        let names: Vec<&str> = merged
            .traces
            .iter()
            .map(|trace| trace.header.instance.as_str())
            .collect();
        assert_eq!(
            (names.as_slice(), merged.interrupted),
            (&["a", "b", "c"][..], false)
        );
        assert_eq!(merged.remarks, []);
        let mut turned = parts();
        turned.reverse();
        assert_eq!(merge(turned).unwrap().traces, merged.traces);
    }

    #[test]
    fn what_is_odd_is_said_with_the_journal() {
        let merged = merge(vec![
            part("one", 7, "slice:1/3", &["a"]),
            part("two", 8, "slice:2/3", &["b"]),
        ])
        .unwrap();
        assert!(merged.interrupted);
        let said: Vec<String> = merged.remarks.iter().map(Remark::to_string).collect();
        assert_eq!(
            said,
            [
                "not the same seed: 7 in one; 8 in two",
                "the part slice:3/3 of the run is in no journal"
            ]
        );
    }

    #[test]
    fn the_same_instance_is_taken_once_and_another_of_that_name_is_refused() {
        let merged = merge(vec![part("one", 7, "", &["a", "b"]), part("two", 7, "", &["a"])]).unwrap();
        assert_eq!(merged.traces.len(), 2);
        assert!(matches!(
            &merged.remarks[..],
            [Remark::Twice { instances: 1, .. }]
        ));
        let refused = merge(vec![part("one", 7, "", &["a", "b"]), part("two", 8, "", &["a"])]).unwrap_err();
        assert_eq!(
            refused[0].to_string(),
            "`a` is in one and in two, and not the same"
        );
    }
}
