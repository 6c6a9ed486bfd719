//! What shows requirements, joined from scenarios, monitors and the defects of simulated units.

use crate::library::Library;
use hil_reports::{Dossier, Proof, Reached};
use hil_scenario::{Judged, Plan};
use hil_sim::Defect;
use hil_trace::{CoverageState, Evidence, Requirement, RunSummary};
use hil_wire::Protocol;
use std::{collections::BTreeMap, sync::Arc};

/// What each monitor says it judges.
pub(crate) fn judged() -> Judged {
    let monitors = Protocol::ALL.into_iter().flat_map(hil_monitor::judged);
    monitors
        .map(|(name, ids)| (name.to_owned(), ids.iter().map(ToString::to_string).collect()))
        .collect()
}

/// The evidence of every requirement.
pub(crate) fn evidence(library: &Library, plans: &[Arc<Plan>]) -> BTreeMap<String, Evidence> {
    hil_scenario::evidence(&library.catalogue, plans, &judged())
}

/// A requirement with all that is known of it; `run` adds what a run came to.
pub(crate) fn dossier<'a>(
    requirement: &'a Requirement,
    evidence: &'a BTreeMap<String, Evidence>,
    run: Option<&'a RunSummary>,
) -> Option<Dossier<'a>> {
    let protocol = Protocol::of_requirement(&requirement.id)?;
    let proves = |defect: &Defect| defect.primary() == requirement.id;
    let defects = Defect::of(protocol).filter(proves).map(|defect| Proof {
        name: defect.name(),
        summary: defect.summary(),
    });
    let mut dossier = Dossier::new(
        protocol,
        requirement,
        evidence.get(&requirement.id)?,
        defects.collect(),
    );
    dossier.coverage = run.map(|run| reached(requirement, protocol, run));
    Some(dossier)
}

fn reached<'a>(requirement: &Requirement, protocol: Protocol, run: &'a RunSummary) -> Reached<'a> {
    let covered = run.coverage.get(&protocol);
    match covered.and_then(|covered| covered.get(&requirement.id)) {
        Some(covered) => Reached {
            state: covered.state,
            instances: &covered.instances,
        },
        None => Reached {
            state: CoverageState::NotExercised,
            instances: &[],
        },
    }
}
