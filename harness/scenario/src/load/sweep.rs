//! `sweep` at the top level of a scenario.

use super::scenario::Loader;
use crate::{CUT_AT_WRITE, Condition, Sweep, SweepCut};
use hil_diagnostic::{MapReader, Node};
use std::time::Duration;

impl<'a> Loader<'a> {
    /// Reads it; every step has been read before.
    pub(super) fn sweep(&mut self, map: &mut MapReader<'a>, scenario: &'a Node) -> Option<Sweep> {
        let node = map.optional("sweep")?;
        let mut map = MapReader::new(self.collector, node, "`sweep`")?;
        let cut = map.required_word("cut", [WRITES, TIME]);
        let cut = self.points(&mut map, cut);
        let from = map.required("from");
        let to = map.required("to");
        let (first, last) = (self.end_of(from, "`from`"), self.end_of(to, "`to`"));
        self.in_order(from.zip(to), first.as_deref(), last.as_deref());
        let power_back_after = map.optional_duration("power_back_after");
        let wear = self.wear(&mut map);
        let outcomes = self.outcomes(&mut map);
        map.finish();
        if let Some(steps) = scenario.get("steps") {
            self.cuts_of_its_own(steps);
        }
        let sweep = Sweep {
            cut: cut?,
            from: first?,
            to: last?,
            power_back_after: power_back_after.unwrap_or(POWER_BACK_AFTER),
            wear,
            outcomes,
        };
        match sweep.cut {
            SweepCut::FlashWrites { .. } => self.needs.insert("stimulate".to_owned()),
            SweepCut::Every(_) | SweepCut::Points(_) => self.needs.insert("power".to_owned()),
        };
        if sweep.counts_writes() {
            self.needs.insert("probe".to_owned());
        }
        Some(sweep)
    }

    /// Where the points lie.
    fn points(&self, map: &mut MapReader<'a>, cut: Option<&str>) -> Option<SweepCut> {
        let (torn, every, points) = (map.entry("torn"), map.entry("every"), map.entry("points"));
        match cut? {
            WRITES => {
                for entry in [every, points].into_iter().flatten() {
                    let title = format!("`{}` belongs to points in time", entry.key);
                    let help = Some(format!("remove it, or write `cut: {TIME}`"));
                    let label = "this sweep cuts power at every flash write";
                    self.collector.error(&entry.key_span, title, label, help);
                }
                let torn = torn.and_then(|entry| self.collector.boolean(&entry.value, "`torn`"));
                Some(SweepCut::FlashWrites {
                    torn: torn.unwrap_or(false),
                })
            }
            _ => {
                if let Some(entry) = torn {
                    let help = Some(format!("remove it, or write `cut: {WRITES}`"));
                    let title = "`torn` belongs to flash writes";
                    let label = "a point in time tears whatever is under way";
                    self.collector.error(&entry.key_span, title, label, help);
                }
                match (every, points) {
                    (Some(every), None) => self.every(&every.value),
                    (None, Some(points)) => self.number_of_points(&points.value),
                    (Some(every), Some(points)) => {
                        let diagnostic = self
                            .collector
                            .at(&points.key_span, "points in time are given twice")
                            .label("again here")
                            .related(&every.key_span, "first here")
                            .help("keep one of `every` and `points`".to_owned());
                        self.collector.report(diagnostic);
                        None
                    }
                    (None, None) => {
                        let help = Some("write `every: 500ms` or `points: 20`".to_owned());
                        let title = "a sweep over time needs its points";
                        self.collector
                            .error(map.head(), title, "`every` or `points` is missing", help);
                        None
                    }
                }
            }
        }
    }

    fn every(&self, node: &Node) -> Option<SweepCut> {
        let every = self.collector.duration(node, "`every`")?;
        if every.is_zero() {
            let label = "expected more than nothing";
            self.collector
                .error(&node.span, "`every` leaves no time between points", label, None);
            return None;
        }
        Some(SweepCut::Every(every))
    }

    fn number_of_points(&self, node: &Node) -> Option<SweepCut> {
        let points = self.collector.integer(node, "`points`")?;
        let fits = |points: &u32| (1..=MOST_POINTS).contains(points);
        let points = u32::try_from(points).ok().filter(fits);
        if points.is_none() {
            let label = format!("expected a number from 1 to {MOST_POINTS}");
            self.collector
                .error(&node.span, "`points` is out of range", label, None);
        }
        points.map(SweepCut::Points)
    }

    fn wear(&self, map: &mut MapReader<'a>) -> Option<u64> {
        let node = map.optional("wear")?;
        let wear = self.collector.integer(node, "`wear`")?;
        let wear = u64::try_from(wear).ok().filter(|wear| *wear > 0);
        if wear.is_none() {
            let label = "expected how many flash writes the sweep may cost, 1 or more";
            self.collector
                .error(&node.span, "`wear` leaves nothing to write", label, None);
        }
        wear
    }

    /// A step with a name that ends at some time: one that does, sees or waits.
    fn end_of(&self, node: Option<&Node>, what: &str) -> Option<String> {
        let node = node?;
        let name = self.collector.string(node, what)?;
        let Some(named) = self.scope.get(name) else {
            if self.scope.elsewhere(name).is_some() {
                let title = format!("step `{name}` need not happen, or happens several times");
                let label = "expected a step outside of loops, and of branches that others take";
                self.collector.error(&node.span, title, label, None);
            } else {
                let names = self.scope.names();
                self.collector.unknown(&node.span, "step", name, names);
            }
            return None;
        };
        if !matches!(named.verb, "do" | "expect" | "wait") {
            let title = format!("no points can be counted from a `{}` step", named.verb);
            let label = "expected a step that does something, sees an event, or waits";
            self.collector.error(&node.span, title, label, None);
            return None;
        }
        Some(name.to_owned())
    }

    fn in_order(&self, nodes: Option<(&Node, &Node)>, from: Option<&str>, to: Option<&str>) {
        let (Some((first, last)), Some(from), Some(to)) = (nodes, from, to) else {
            return;
        };
        let place = |name: &str| self.scope.get(name).map(|named| named.span.start);
        if place(from) >= place(to) {
            let diagnostic = self
                .collector
                .at(&last.span, format!("nothing lies between `{from}` and `{to}`"))
                .label("this step does not come after it")
                .related(&first.span, "the points begin here")
                .help("`to` names a later step than `from`".to_owned());
            self.collector.report(diagnostic);
        }
    }

    /// Words with the conditions that tell them.
    fn outcomes(&self, map: &mut MapReader<'a>) -> Vec<(String, String)> {
        let mut outcomes = Vec::new();
        for entry in map.entries_of("outcomes") {
            if let Some(condition) = self.outcome(&entry.value) {
                outcomes.push((entry.key.clone(), condition.text().to_owned()));
            }
        }
        outcomes
    }

    fn outcome(&self, node: &Node) -> Option<Condition> {
        let help = "outcomes are CEL over named steps, such as `after.value == before.value`";
        let condition = self.expression(node, "an outcome", help)?;
        for path in condition.paths() {
            let span = self.locate(node, &path);
            let root = path.split('.').next().unwrap_or_default();
            if crate::ROOTS.contains(&root) {
                let title = format!("an outcome cannot speak of `{root}`");
                let label = "expected what named steps gave";
                self.collector.error(&span, title, label, None);
            } else {
                self.reference(&path, &span);
            }
        }
        Some(condition)
    }

    /// Steps that cut power themselves would be taken for the cut of the sweep.
    fn cuts_of_its_own(&self, node: &'a Node) {
        for element in node.elements().into_iter().flatten() {
            self.cuts_of_its_own(element);
        }
        for entry in node.entries().into_iter().flatten() {
            if !matches!(entry.key.as_str(), "with" | "match") {
                self.cuts_of_its_own(&entry.value);
            }
        }
        let text = |node: Option<&'a Node>| node.and_then(Node::scalar).map(|scalar| scalar.text.as_str());
        let (action, fault) = (node.get("do"), node.get("inject"));
        let name = node.get("with").and_then(|with| with.get("name"));
        let cut = match text(action) {
            Some(called) if POWER.contains(&called) => action,
            Some("unit.stimulate") if text(name) == Some(CUT_AT_WRITE) => name,
            _ => fault.filter(|_| text(fault).is_some_and(|fault| POWER_FAULTS.contains(&fault))),
        };
        if let Some(cut) = cut {
            let title = "a step of a sweep cuts power itself";
            let label = "the sweep does so, once in each of its runs";
            let help = Some("remove the step; what must hold afterwards follows it".to_owned());
            self.collector.error(&cut.span, title, label, help);
        }
    }
}

const WRITES: &str = "flash_writes";
const TIME: &str = "time";
const POWER: [&str; 2] = ["unit.cut_power", "unit.restore_power"];
const POWER_FAULTS: [&str; 4] = [
    "unit.power_cut",
    "unit.power_cut_at_write",
    "unit.brown_out",
    "unit.reset",
];
const POWER_BACK_AFTER: Duration = Duration::from_secs(2);
const MOST_POINTS: u32 = 10_000;
