//! Whether every requirement has evidence, and whether what counts as evidence is any: monitors name requirements of the
//! catalogue, scenarios decide what they verify, or leave it to a monitor, and provoke something it needs.

use super::{
    derive::{Judged, evidence},
    place::verified_at,
};
use crate::{Plan, stimuli::Code};
use hil_diagnostic::{Collector, Diagnostic, Diagnostics, Node, Source, did_you_mean, parse_yaml};
use hil_trace::{Catalogue, Evidence, Requirement};
use hil_wire::Protocol;
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::Path,
    sync::Arc,
};

/// The embedded catalogue against these scenarios and monitors.
pub fn check_embedded_evidence(catalogue: &Catalogue, plans: &[Arc<Plan>], judged: &Judged) -> Diagnostics {
    let mut mistakes = check_requirements(crate::embedded::requirements(), catalogue, plans, judged);
    mistakes.extend(check_evidence(catalogue, plans, judged));
    mistakes
}

/// Scenarios as evidence for what they verify.
pub fn check_evidence(catalogue: &Catalogue, plans: &[Arc<Plan>], judged: &Judged) -> Diagnostics {
    let by_monitors: BTreeSet<&String> = judged.values().flatten().collect();
    let mut mistakes = Diagnostics::default();
    for plan in plans {
        let decisions = plan.decisions();
        for id in &plan.verifies {
            let shown = decisions.contains_key(id.as_str()) || by_monitors.contains(id);
            let requirement = catalogue.get(id);
            if !shown {
                mistakes.push(undecided(plan, id));
            } else if let Some(requirement) = requirement.filter(|r| !is_provoked(plan, r)) {
                mistakes.push(unprovoked(plan, requirement));
            }
        }
    }
    mistakes
}

/// Requirement files, each a path and a text, against all evidence there is.
pub fn check_requirements(
    files: impl IntoIterator<Item = (String, String)>,
    catalogue: &Catalogue,
    plans: &[Arc<Plan>],
    judged: &Judged,
) -> Diagnostics {
    let evidence = evidence(catalogue, plans, judged);
    let mut mistakes = Diagnostics::default();
    for (path, text) in files {
        let collector = Collector::new(Source::new(path, text));
        let unread = Collector::new(Arc::clone(collector.source()));
        if let Some(file) = parse_yaml(&unread) {
            check_file(&collector, &file, catalogue, &evidence, judged);
        }
        mistakes.extend(collector.into_diagnostics());
    }
    mistakes
}

fn check_file(
    collector: &Collector,
    file: &Node,
    catalogue: &Catalogue,
    evidence: &BTreeMap<String, Evidence>,
    judged: &Judged,
) {
    let protocol = file.get("protocol");
    let name = protocol.and_then(Node::scalar);
    if let (Some(node), Some(Ok(protocol))) = (protocol, name.map(|name| name.text.parse::<Protocol>())) {
        unknown_of_monitors(collector, node, protocol, catalogue, judged);
    }
    let requirements = file.get("requirements").and_then(Node::elements);
    for node in requirements.unwrap_or_default() {
        let Some(id) = node.get("id") else { continue };
        let Some(requirement) = id.scalar().and_then(|id| catalogue.get(&id.text)) else {
            continue;
        };
        let Some(evidence) = evidence.get(&requirement.id) else {
            continue;
        };
        match node.get("unobservable") {
            None if evidence.is_empty() => {
                let title = format!("nothing shows {}", requirement.id);
                let help = "add a scenario whose steps decide it, a monitor that lists it, or \
                            `unobservable:` with the reason";
                collector.error(&id.span, title, "no evidence", Some(help.to_owned()));
            }
            Some(reason) if !evidence.is_empty() => {
                let title = format!("{} is unobservable, and yet something shows it", requirement.id);
                let shown = shown_by(evidence);
                let help = format!("remove `unobservable`, or what shows it: {shown}");
                collector.error(&reason.span, title, "", Some(help));
            }
            _ => {}
        }
    }
}

/// Ids that monitors of a protocol list and the catalogue has not.
fn unknown_of_monitors(
    collector: &Collector,
    node: &Node,
    protocol: Protocol,
    catalogue: &Catalogue,
    judged: &Judged,
) {
    let prefix = format!("{protocol}/");
    for (monitor, ids) in judged.iter().filter(|(name, _)| name.starts_with(&prefix)) {
        for id in ids.iter().filter(|id| catalogue.get(id).is_none()) {
            let title = format!("monitor `{monitor}` judges `{id}`, which is not in the catalogue");
            let help = did_you_mean(id, catalogue.requirements.keys().map(String::as_str));
            let label = "no requirement here has that id";
            collector.error(&node.span, title, label, help);
        }
    }
}

fn shown_by(evidence: &Evidence) -> String {
    let deciding = evidence.scenarios.iter().filter(|scenario| scenario.decides);
    let paths = deciding.map(|scenario| scenario.path.as_str());
    let monitors = evidence.monitors.iter().map(String::as_str);
    monitors.chain(paths).collect::<Vec<_>>().join(", ")
}

fn undecided(plan: &Plan, id: &str) -> Diagnostic {
    let title = format!("nothing in this scenario decides {id}");
    let help = format!(
        "write `verifies: [{id}]` at the step that decides it; no monitor judges it, and a step that names no \
         requirement decides only where the scenario verifies a single one"
    );
    Diagnostic::error(&plan.source, &verified_at(&plan.source, id), title)
        .label("it could pass here, and never fail")
        .help(help)
}

/// Whether a scenario does something that a requirement needs to be judged: one of its stimuli names the scenario, the
/// scenario uses a word that does what an F-name of them says, or it says itself what it provokes.
fn is_provoked(plan: &Plan, requirement: &Requirement) -> bool {
    // By the name of its file, wherever it was read from: alone, or with the folders it lies in.
    let own = Path::new(&plan.path).file_stem().and_then(OsStr::to_str);
    let named = |name: &String| own == Some(name.as_str());
    let stimuli = &requirement.stimuli;
    stimuli.is_empty()
        || plan.provokes.contains_key(&requirement.id)
        || stimuli
            .iter()
            .any(|stimulus| stimulus.scenarios.iter().any(named))
        || stimuli
            .iter()
            .flat_map(|stimulus| Code::all_in(&stimulus.name).flatten())
            .any(|code| code.provoked_by(plan))
}

fn unprovoked(plan: &Plan, requirement: &Requirement) -> Diagnostic {
    let id = &requirement.id;
    let names: Vec<&str> = requirement.stimuli.iter().map(|s| s.name.as_str()).collect();
    let title = format!("this scenario provokes nothing that {id} needs");
    let help = format!(
        "{id} is shown by: {}; say `provokes: {{{id}: …}}` if something else does, or do not verify it here",
        names.join("; ")
    );
    Diagnostic::error(&plan.source, &verified_at(&plan.source, id), title)
        .label("none of its stimuli names or is done by this scenario")
        .help(help)
}
