//! Which steps of a scenario decide which requirement.

use crate::{Lookup, NOTHING, Plan, Step, Template, Verb, Watch};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What steps decide a requirement, as far as evidence goes.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// Probes whose facts they look at.
    pub(super) probes: BTreeSet<String>,
}

impl Plan {
    /// The requirements that its steps decide. One it only names is shown by a monitor, if by anything.
    pub(super) fn decisions(&self) -> BTreeMap<&str, Decision> {
        let mut decisions = BTreeMap::new();
        self.decide(&self.steps, &mut decisions);
        decisions
    }

    fn decide<'p>(&'p self, steps: &'p [Step], decisions: &mut BTreeMap<&'p str, Decision>) {
        for step in steps {
            let watches: Vec<&Watch> = match &step.verb {
                Verb::Expect(watch) | Verb::Never(watch) => vec![watch],
                Verb::OneOf(branches) => branches.iter().map(|branch| &branch.watch).collect(),
                // What is only measured decides nothing.
                Verb::Measure(measure) if measure.is_bounded() => Vec::new(),
                Verb::ForEach { steps, .. } => {
                    self.decide(steps, decisions);
                    continue;
                }
                Verb::Do { .. } | Verb::Inject { .. } | Verb::Wait(_) | Verb::Measure(_) => continue,
            };
            let probes: BTreeSet<String> = watches.iter().flat_map(|watch| self.probed(watch)).collect();
            for id in self.decided_by(step) {
                let decision = decisions.entry(id).or_default();
                decision.probes.extend(probes.iter().cloned());
            }
            if let Verb::OneOf(branches) = &step.verb {
                for branch in branches {
                    self.decide(&branch.steps, decisions);
                }
            }
        }
    }

    /// The requirements of a step that judges: its own, or the scenario's only one.
    fn decided_by<'p>(&'p self, step: &'p Step) -> impl Iterator<Item = &'p str> {
        let ids = match (step.verifies.as_slice(), self.verifies.as_slice()) {
            ([], only @ [_]) => only,
            (own, _) => own,
        };
        ids.iter().map(String::as_str).filter(|id| *id != NOTHING)
    }

    /// The probes whose facts a step waits for.
    fn probed(&self, watch: &Watch) -> BTreeSet<String> {
        if watch.event != "unit.probed" {
            return BTreeSet::new();
        }
        match self.constant(&watch.matching, "name") {
            Some(name) => BTreeSet::from([name]),
            None => self.arguments_named("unit.probe", "name"),
        }
    }

    fn constant(&self, template: &Template, name: &str) -> Option<String> {
        match template.member_in(name, &Defaults(self))? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Parameters without a tier.
struct Defaults<'p>(&'p Plan);

impl Lookup for Defaults<'_> {
    fn get(&self, path: &str) -> Option<Value> {
        let name = path.strip_prefix("params.")?;
        Some(self.0.params.get(name)?.default.clone())
    }
}
