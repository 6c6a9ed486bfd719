//! What two runs were not made alike in, and which units of theirs are held against each other.

use super::{
    Comparison, Condition, SideFacts,
    case::{Case, CaseName},
};
use hil_wire::Protocol;
use std::collections::{BTreeMap, BTreeSet};

/// The name in the new run of a unit of the baseline that has another there.
pub(super) type OtherNames<'a> = BTreeMap<(Protocol, &'a str), &'a str>;

/// Units of the same name belong together, and, of a protocol for which each side has one more, those two.
pub(super) fn matching_units<'a>(
    before: &BTreeMap<CaseName<'a>, Case<'a>>,
    now: &BTreeMap<CaseName<'a>, Case<'a>>,
) -> OtherNames<'a> {
    let units = |cases: &BTreeMap<CaseName<'a>, Case<'a>>| {
        let mut units: BTreeMap<Protocol, BTreeSet<&'a str>> = BTreeMap::new();
        for ((_, unit), case) in cases {
            units.entry(case.protocol).or_default().insert(unit);
        }
        units
    };
    let (before, now) = (units(before), units(now));
    let mut others = BTreeMap::new();
    for (protocol, earlier) in &before {
        let Some(later) = now.get(protocol) else { continue };
        let mut gone = earlier.difference(later);
        let mut new = later.difference(earlier);
        if let (Some(gone), None, Some(new), None) = (gone.next(), gone.next(), new.next(), new.next()) {
            others.insert((*protocol, *gone), *new);
        }
    }
    others
}

/// Everything worth saying, in the order of [`Condition`].
pub(super) fn conditions(
    comparison: &Comparison,
    units: &OtherNames<'_>,
    pairs: &BTreeMap<CaseName<'_>, (Option<&Case<'_>>, Option<&Case<'_>>)>,
) -> Vec<Condition> {
    let Some(before) = &comparison.baseline else {
        return Vec::new();
    };
    let now = &comparison.new;
    // Of a run without instances nothing is known.
    if before.tools.is_empty() || now.tools.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if before.tools != now.tools {
        let [before, now] = [before, now].map(|side| side.tools.iter().cloned().collect());
        found.push(Condition::Tool { before, now });
    }
    if before.seeds != now.seeds {
        let [before, now] = [before, now].map(|side| side.seeds.iter().copied().collect());
        found.push(Condition::Seed { before, now });
    }
    if before.catalogues != now.catalogues {
        let [before, now] = [before, now].map(|side| side.catalogues.iter().cloned().collect());
        found.push(Condition::Catalogue { before, now });
    }
    if before.strict != now.strict {
        found.push(Condition::Strict { now: now.strict });
    }
    let names: BTreeSet<(&str, &str)> = units.iter().map(|((_, before), now)| (*before, *now)).collect();
    for (before, now) in &names {
        let (before, now) = ((*before).to_owned(), (*now).to_owned());
        found.push(Condition::Unit { before, now });
    }
    facts(before, now, &names, &mut found);
    let differing = |differs: fn(&Case<'_>, &Case<'_>) -> bool| {
        let pairs = pairs.iter().filter_map(|((scenario, unit), pair)| {
            let (before, now) = (pair.0?, pair.1?);
            differs(before, now).then(|| format!("{scenario}@{unit}"))
        });
        pairs.collect::<Vec<String>>()
    };
    let cases = differing(|before, now| before.scenario != now.scenario);
    if !cases.is_empty() {
        found.push(Condition::Scenarios { cases });
    }
    let cases = differing(|before, now| before.scenario == now.scenario && before.options != now.options);
    if !cases.is_empty() {
        found.push(Condition::Parameters { cases });
    }
    let cases = pairs
        .values()
        .filter(|(before, now)| before.is_none() && now.is_some())
        .count();
    if cases > 0 {
        found.push(Condition::Added { cases });
    }
    found
}

fn facts(before: &SideFacts, now: &SideFacts, renamed: &BTreeSet<(&str, &str)>, found: &mut Vec<Condition>) {
    for (name, unit) in &now.units {
        let earlier = renamed
            .iter()
            .find(|(_, now)| now == name)
            .map_or(name.as_str(), |(before, _)| before);
        let Some(earlier) = before.units.get(earlier) else {
            continue;
        };
        let names: BTreeSet<&String> = earlier.facts.keys().chain(unit.facts.keys()).collect();
        for fact in names {
            let (before, now) = (earlier.facts.get(fact), unit.facts.get(fact));
            if before != now {
                found.push(Condition::Fact {
                    unit: name.clone(),
                    name: fact.clone(),
                    before: before.cloned(),
                    now: now.cloned(),
                });
            }
        }
    }
}
