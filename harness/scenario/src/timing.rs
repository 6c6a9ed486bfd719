//! `scenarios/timing.yaml`: the table of rollback paths and the requirements on time, read and checked against the
//! scenarios it names.

use crate::Plan;
use hil_diagnostic::{Collector, Diagnostics, Entry, MapReader, Node, Source, did_you_mean, parse_yaml};
use hil_trace::{Catalogue, RollbackCell, RollbackPath, TimingTable};
use hil_wire::Protocol;
use std::{collections::BTreeMap, sync::Arc};

/// Reads the table; every protocol has a cell in every path, and every requirement is in the catalogue.
pub(crate) fn read_timing(source: Arc<Source>, catalogue: &Catalogue) -> Result<TimingTable, Diagnostics> {
    let collector = Collector::new(source);
    let table = parse_yaml(&collector).and_then(|node| table(&collector, &node, catalogue));
    let diagnostics = collector.into_diagnostics();
    match table {
        Some(table) if !diagnostics.has_errors() => Ok(table),
        _ => Err(diagnostics),
    }
}

fn table(collector: &Collector, node: &Node, catalogue: &Catalogue) -> Option<TimingTable> {
    let mut map = MapReader::new(collector, node, "the table of rollback paths")?;
    let paths = map.entries_of("rollback_paths").iter();
    let rollback_paths = paths.filter_map(|entry| path(collector, entry)).collect();
    let timed = map.entries_of("timing_requirements").iter();
    let requirements = timed.filter_map(|entry| {
        if catalogue.get(&entry.key).is_none() {
            let ids = catalogue.requirements.keys().map(String::as_str);
            let title = format!("unknown requirement `{}`", entry.key);
            let help = did_you_mean(&entry.key, ids);
            collector.error(&entry.key_span, title, "not in the catalogue", help);
            return None;
        }
        Some((entry.key.clone(), scenarios(collector, &entry.value)))
    });
    let requirements = requirements.collect();
    map.finish();
    Some(TimingTable {
        rollback_paths,
        requirements,
    })
}

fn path(collector: &Collector, entry: &Entry) -> Option<RollbackPath> {
    let mut map = MapReader::new(collector, &entry.value, "a rollback path")?;
    let summary = map.required_string("summary").unwrap_or_default();
    let mut shown = BTreeMap::new();
    for protocol in Protocol::ALL {
        if let Some(node) = map.required(protocol.name()) {
            shown.extend(cell(collector, node).map(|cell| (protocol, cell)));
        }
    }
    map.finish();
    Some(RollbackPath {
        name: entry.key.clone(),
        summary,
        shown,
    })
}

/// Scenarios, or `{none: why}`.
fn cell(collector: &Collector, node: &Node) -> Option<RollbackCell> {
    if node.elements().is_some() {
        let names = scenarios(collector, node);
        if names.is_empty() {
            let label = "expected one or more scenarios";
            collector.error(&node.span, "no scenario shows it", label, None);
        }
        return Some(RollbackCell::Scenarios(names));
    }
    let mut map = MapReader::new(collector, node, "a cell of the table")?;
    let reason = map.required_string("none");
    map.finish();
    reason.map(RollbackCell::None)
}

fn scenarios(collector: &Collector, node: &Node) -> Vec<String> {
    let nodes = collector.list(node, "the scenarios").unwrap_or_default();
    let names = nodes
        .iter()
        .filter_map(|node| collector.string(node, "a scenario"));
    names.map(str::to_owned).collect()
}

/// The embedded table against these scenarios: each it names exists, and those that time a requirement verify it.
pub fn check_embedded_timing(catalogue: &Catalogue, plans: &[Arc<Plan>]) -> Diagnostics {
    let (path, text) = crate::embedded::timing();
    check_timing(Source::new(path, text), &catalogue.timing, plans)
}

fn check_timing(source: Arc<Source>, table: &TimingTable, plans: &[Arc<Plan>]) -> Diagnostics {
    let collector = Collector::new(source);
    let known = |protocol: Protocol, name: &str| {
        let path = format!("{protocol}/{name}.yaml");
        plans.iter().find(|plan| plan.path == path)
    };
    let report = |name: &str, title: String| {
        let at = collector.source().text().find(name).unwrap_or(0);
        collector.error(&(at..at + name.len()), title, "named here", None);
    };
    for path in &table.rollback_paths {
        for (protocol, cell) in &path.shown {
            let RollbackCell::Scenarios(names) = cell else {
                continue;
            };
            for name in names.iter().filter(|name| known(*protocol, name).is_none()) {
                report(name, format!("{protocol} has no scenario `{name}`"));
            }
        }
    }
    for (id, names) in &table.requirements {
        let protocol = Protocol::of_requirement(id);
        for name in names {
            let plan = protocol.and_then(|protocol| known(protocol, name));
            if plan.is_none_or(|plan| !plan.verifies.contains(id)) {
                report(id, format!("scenario `{name}` does not verify {id}"));
            }
        }
    }
    collector.into_diagnostics()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_in_the_table_are_shown() {
        let text = "rollback_paths:\n  missed-commit:\n    summary: x\n    edge-poll: []\n    ota-rpc: {non: y}\ntiming_requirements:\n  POLL-NONE-001: [a]\n";
        let told = read_timing(Source::new("timing.yaml", text), &Catalogue::default());
        insta::assert_snapshot!(told.map_or_else(|mistakes| mistakes.render(false), |_| String::new()));
    }

    #[test]
    fn scenarios_that_are_not_there_are_named() {
        let table = TimingTable {
            rollback_paths: vec![RollbackPath {
                name: "missed-commit".to_owned(),
                summary: String::new(),
                shown: BTreeMap::from([(
                    Protocol::OtaRpc,
                    RollbackCell::Scenarios(vec!["nowhere".to_owned()]),
                )]),
            }],
            requirements: BTreeMap::from([("OTA-TIME-001".to_owned(), vec!["nowhere".to_owned()])]),
        };
        let told = check_timing(Source::new("timing.yaml", "nowhere OTA-TIME-001"), &table, &[]);
        insta::assert_snapshot!(told.render(false));
    }
}
