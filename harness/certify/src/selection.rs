//! Which scenarios a profile needs.

use crate::Profile;
use hil_scenario::Plan;
use hil_trace::{Catalogue, Level};
use std::{collections::BTreeSet, sync::Arc};

/// Every scenario that verifies or provokes a requirement of the profile; all of them where it has one that monitors
/// judge in every run and nothing else shows. Scenarios tagged `long` are needed only where
/// nothing else shows a MUST.
pub fn needed(profile: &Profile, catalogue: &Catalogue, plans: &[Arc<Plan>]) -> Vec<Arc<Plan>> {
    let provoking = provoking(profile, catalogue);
    let everywhere = judged_everywhere(profile, catalogue, plans);
    let own = plans.iter().filter(|plan| plan.protocol == profile.protocol);
    let (long, mut needed): (Vec<&Arc<Plan>>, Vec<&Arc<Plan>>) = own
        .filter(|plan| {
            everywhere
                || provoking.contains(&plan.path)
                || plan
                    .provokes
                    .keys()
                    .any(|id| profile.requirements.contains_key(id))
                || verified(plan, profile).next().is_some()
        })
        .partition(|plan| plan.tags.iter().any(|tag| tag == "long"));
    let shown: BTreeSet<&String> = needed.iter().flat_map(|plan| verified(plan, profile)).collect();
    let only_here = |plan: &&Arc<Plan>| {
        let mut ids = verified(plan, profile).filter(|id| !shown.contains(id));
        ids.any(|id| profile.requirements.get(id) == Some(&Level::Must))
    };
    needed.extend(long.into_iter().filter(only_here));
    needed.sort_by(|a, b| a.path.cmp(&b.path));
    needed.into_iter().cloned().collect()
}

/// Whether a requirement of a profile needs nothing to happen, and no scenario says that it shows it.
fn judged_everywhere(profile: &Profile, catalogue: &Catalogue, plans: &[Arc<Plan>]) -> bool {
    let shown: BTreeSet<&String> = plans.iter().flat_map(|plan| verified(plan, profile)).collect();
    let mut hidden = profile.requirements.keys().filter(|id| !shown.contains(id));
    hidden.any(|id| {
        catalogue
            .get(id)
            .is_some_and(|requirement| requirement.stimuli.is_empty())
    })
}

/// The requirements of a profile that a scenario verifies.
fn verified<'p>(plan: &'p Plan, profile: &'p Profile) -> impl Iterator<Item = &'p String> {
    plan.verifies
        .iter()
        .filter(|id| profile.requirements.contains_key(*id))
}

/// Paths of the scenarios that make happen what requirements of the profile need.
fn provoking(profile: &Profile, catalogue: &Catalogue) -> BTreeSet<String> {
    let requirements = profile.requirements.keys().filter_map(|id| catalogue.get(id));
    let stimuli = requirements.flat_map(|requirement| &requirement.stimuli);
    let names = stimuli.flat_map(|stimulus| &stimulus.scenarios);
    names
        .map(|name| format!("{}/{name}.yaml", profile.protocol))
        .collect()
}
