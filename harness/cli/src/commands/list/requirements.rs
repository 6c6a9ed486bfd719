//! `hil list requirements`.

use crate::{
    args::ListArguments,
    commands::{fail, print, run::TOOL},
    evidence::{dossier, evidence},
    exit::Exit,
    judged,
    library::Library,
};
use hil_reports::{Dossier, requirements_json, requirements_text};
use hil_runner::Filter;
use hil_scenario::Plan;
use hil_trace::Requirement;
use hil_wire::Protocol;
use std::sync::Arc;

pub(super) fn execute(
    library: &Library,
    plans: &[Arc<Plan>],
    filter: &Filter,
    arguments: &ListArguments,
) -> Exit {
    let run = arguments.journal.as_deref().map(|path| {
        let journal = judged::read(path)?;
        judged::judge(&journal, library, false, None)
    });
    let run = match run.transpose() {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let evidence = evidence(library, plans);
    let dossiers: Vec<Dossier<'_>> = library
        .catalogue
        .requirements
        .values()
        .filter(|requirement| selects(filter, requirement))
        .filter_map(|requirement| dossier(requirement, &evidence, run.as_ref()))
        .collect();
    if !arguments.json {
        print(&requirements_text(&dossiers));
        return Exit::Pass;
    }
    match requirements_json(&dossiers, TOOL, &library.catalogue_sha256) {
        Ok(text) => {
            print(&text);
            Exit::Pass
        }
        Err(error) => fail(error, Exit::Unexpected),
    }
}

/// Whether its protocol and its id were asked for.
fn selects(filter: &Filter, requirement: &Requirement) -> bool {
    let id = &requirement.id;
    let protocol = Protocol::of_requirement(id);
    let wanted = filter.protocols.is_empty() || protocol.is_some_and(|p| filter.protocols.contains(&p));
    let asked = |prefix: &String| id.starts_with(prefix.as_str());
    wanted && (filter.requirements.is_empty() || filter.requirements.iter().any(asked))
}
