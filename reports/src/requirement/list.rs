//! Requirements on a terminal, a line each, with what has to be provoked below it.

use super::Dossier;
use crate::coverage::{state_name, state_sign};
use hil_trace::{Stimulus, Tier};
use std::fmt::Write;

/// The list, and what its columns mean as the last line.
pub fn requirements_text(dossiers: &[Dossier<'_>]) -> String {
    let mut out = String::new();
    for dossier in dossiers {
        let requirement = dossier.requirement;
        let state = dossier.coverage.map(|reached| {
            let words = format!("{} {}", state_sign(reached.state), state_name(reached.state));
            format!("{words:17}")
        });
        let _ = writeln!(
            out,
            "{:18} {:6} {:12} {:>4}  {}{}",
            requirement.id,
            requirement.level,
            dossier.evidence.tier.map_or("-", Tier::name),
            shown(dossier),
            state.unwrap_or_default(),
            requirement.sentence
        );
        for stimulus in &requirement.stimuli {
            let _ = writeln!(out, "{:44} {}", "", provoked(stimulus));
        }
        if let Some(reason) = &requirement.unobservable {
            let _ = writeln!(out, "{:44} unobservable: {reason}", "");
        }
    }
    let noun = match dossiers.len() {
        1 => "requirement",
        _ => "requirements",
    };
    let _ = writeln!(
        out,
        "{} {noun}: level, least it takes to judge, number of scenarios that verify it and m for a monitor that judges \
         every run, sentence, what has to be provoked",
        dossiers.len()
    );
    out
}

/// Such as `2m`: two scenarios, and a monitor.
fn shown(dossier: &Dossier<'_>) -> String {
    let monitor = match dossier.evidence.monitors.as_slice() {
        [] => "",
        _ => "m",
    };
    match (dossier.evidence.scenarios.len(), monitor) {
        (0, "") => "-".to_owned(),
        (0, monitor) => monitor.to_owned(),
        (count, monitor) => format!("{count}{monitor}"),
    }
}

/// Such as `F-STATUS 503: backoff, recovery`.
pub(super) fn provoked(stimulus: &Stimulus) -> String {
    let by = match stimulus.scenarios.as_slice() {
        [] => "no scenario".to_owned(),
        scenarios => scenarios.join(", "),
    };
    match &stimulus.simulated_only {
        None => format!("{}: {by}", stimulus.name),
        Some(reason) => format!("{}: {by} (simulated units only: {reason})", stimulus.name),
    }
}
