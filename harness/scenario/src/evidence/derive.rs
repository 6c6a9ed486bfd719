//! The evidence of every requirement of a catalogue.

use crate::Plan;
use hil_trace::{Catalogue, Evidence, Requirement, ScenarioEvidence, Tier};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The requirements that monitors judge, by name of the monitor.
pub type Judged = BTreeMap<String, BTreeSet<String>>;

/// What shows each requirement, by id; every id of the catalogue is there.
pub fn evidence(catalogue: &Catalogue, plans: &[Arc<Plan>], judged: &Judged) -> BTreeMap<String, Evidence> {
    let mut all: BTreeMap<String, Evidence> = catalogue
        .requirements
        .keys()
        .map(|id| (id.clone(), Evidence::default()))
        .collect();
    for (monitor, ids) in judged {
        for id in ids {
            if let Some(evidence) = all.get_mut(id) {
                evidence.monitors.push(monitor.clone());
            }
        }
    }
    for plan in plans {
        let mut decisions = plan.decisions();
        for id in &plan.verifies {
            let decision = decisions.remove(id.as_str());
            if let Some(evidence) = all.get_mut(id) {
                evidence.scenarios.push(ScenarioEvidence {
                    path: plan.path.clone(),
                    decides: decision.is_some(),
                    tier: tier(plan),
                    probes: decision.unwrap_or_default().probes,
                });
            }
        }
    }
    for (id, evidence) in &mut all {
        evidence.scenarios.sort_by(|a, b| a.path.cmp(&b.path));
        evidence.tier = least(catalogue.get(id), evidence);
    }
    all
}

/// What it takes to run a scenario.
fn tier(plan: &Plan) -> Tier {
    let tagged = |tag: Tier| plan.tags.iter().any(|own| own == tag.name());
    match () {
        () if tagged(Tier::Real) => Tier::Real,
        () if tagged(Tier::Long) => Tier::Long,
        () if plan.needs.iter().any(|need| need == Tier::VirtualTime.name()) => Tier::VirtualTime,
        () => Tier::Quick,
    }
}

/// A monitor that needs no stimulus judges in every run; else it takes one of the scenarios.
fn least(requirement: Option<&Requirement>, evidence: &Evidence) -> Option<Tier> {
    let at_rest = requirement.is_some_and(|requirement| requirement.stimuli.is_empty());
    if !evidence.monitors.is_empty() && (at_rest || evidence.scenarios.is_empty()) {
        return Some(Tier::Quick);
    }
    let judged = !evidence.monitors.is_empty();
    let showing = evidence
        .scenarios
        .iter()
        .filter(|scenario| judged || scenario.decides);
    showing.map(|scenario| scenario.tier).min()
}
