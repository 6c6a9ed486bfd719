//! `hil explain`.

use super::{fail, print};
use crate::{
    args::ExplainArguments,
    evidence::{dossier, evidence},
    exit::Exit,
    judged,
    library::Library,
};
use hil_diagnostic::suggest;
use hil_reports::{Command, Dossier, Explanation, Found, explanation_json, explanation_text, wants_color};
use hil_scenario::conditions;
use hil_trace::{InstanceSummary, Requirement, RunSummary, Tier};
use std::{cmp::Reverse, io::IsTerminal};

pub(crate) fn execute(arguments: ExplainArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let id = arguments.id.to_ascii_uppercase();
    let Some(requirement) = library.catalogue.get(&id) else {
        return fail(unknown(&id, &library), Exit::CommandLine);
    };
    let plans = match library.plans(&arguments.scenarios) {
        Ok(plans) => plans,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let run = arguments.journal.as_deref().map(|path| {
        let journal = judged::read(path)?;
        judged::judge(&journal, &library, false, None)
    });
    let run = match run.transpose() {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let evidence = evidence(&library, &plans);
    let Some(dossier) = dossier(requirement, &evidence, run.as_ref()) else {
        return fail(unknown(&id, &library), Exit::CommandLine);
    };
    let sources = requirement.origin.iter();
    let sources = sources.filter_map(|origin| library.catalogue.sources.get(&(dossier.protocol, *origin)));
    let explanation = Explanation {
        source: sources.map(String::as_str).collect(),
        reproduce: commands(&dossier),
        findings: run
            .as_ref()
            .map(|run| findings(requirement, run))
            .unwrap_or_default(),
        dossier,
    };
    if arguments.json {
        return match explanation_json(&explanation) {
            Ok(text) => {
                print(&text);
                Exit::Pass
            }
            Err(error) => fail(error, Exit::Unexpected),
        };
    }
    let terminal = std::io::stdout().is_terminal();
    let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
    let color = wants_color(no_color.as_deref(), term.as_deref(), terminal);
    print(&explanation_text(&explanation, color));
    Exit::Pass
}

/// An id nobody knows: what begins like it, or else the nearest.
fn unknown(id: &str, library: &Library) -> String {
    let known = || library.catalogue.requirements.keys().map(String::as_str);
    let begin: Vec<&str> = known()
        .filter(|known| !id.is_empty() && known.starts_with(id))
        .collect();
    let help = match begin.as_slice() {
        [] => match suggest(id, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`hil list requirements` shows every id".to_owned(),
        },
        [first, .., last] if begin.len() > MANY => {
            format!("{} ids begin so, from {first} to {last}", begin.len())
        }
        begin => format!("these begin so: {}", begin.join(", ")),
    };
    format!("unknown requirement `{id}`\n  = help: {help}")
}

/// Command lines that show the requirement judged, and violated.
fn commands(dossier: &Dossier<'_>) -> Vec<Command> {
    let command = |shows: &str, line: String| Command {
        shows: shows.to_owned(),
        line,
    };
    let id = &dossier.requirement.id;
    let selection = format!("--requirement {id}");
    let long = match dossier.evidence.tier {
        Some(Tier::Long) => " --tag long",
        _ => "",
    };
    // Real time is only waited out by who asks for it.
    let on_yours = match dossier.evidence.tier {
        Some(Tier::Long) => " --tag long --tier long",
        Some(Tier::VirtualTime) => " --tier long",
        _ => "",
    };
    let unit = unit_of(dossier);
    let mut commands = Vec::new();
    if dossier.evidence.tier.is_some() {
        commands.push(command(
            "judge it on a simulated unit",
            format!("hil run {unit}{selection}{long}"),
        ));
        commands.push(command(
            "judge it on yours",
            format!("hil run --unit unit.yaml {selection}{on_yours} --report out"),
        ));
    }
    if let [defect, ..] = dossier.defects.as_slice() {
        commands.push(command(
            "see it violated",
            format!("hil run {unit}{selection}{long} --defect {}", defect.name),
        ));
        commands.push(command(
            "prove that its violation is detected",
            format!("hil selftest --defect {}", defect.name),
        ));
    }
    commands
}

/// The simulated unit it applies to, where it has to be named.
fn unit_of(dossier: &Dossier<'_>) -> String {
    let dialect = conditions(dossier.requirement).find(|(name, _)| *name == "dialect");
    dialect.map_or_else(String::new, |(_, dialect)| {
        format!("--unit sim:{}:{dialect} ", dossier.protocol)
    })
}

/// What a run found about a requirement, the worst first.
fn findings(requirement: &Requirement, run: &RunSummary) -> Vec<Found> {
    let mut found: Vec<Found> = run
        .instances
        .iter()
        .flat_map(|instance| of_instance(requirement, instance, run.seed))
        .collect();
    found.sort_by_key(|found| Reverse(found.verdict));
    found
}

fn of_instance<'a>(
    requirement: &'a Requirement,
    instance: &'a InstanceSummary,
    seed: u64,
) -> impl Iterator<Item = Found> + 'a {
    let own = instance
        .findings
        .iter()
        .filter(|finding| finding.requirement.as_ref() == Some(&requirement.id));
    own.map(move |finding| Found {
        instance: instance.header.instance.clone(),
        verdict: finding.verdict,
        text: finding.text.clone(),
        blame: finding.blame,
        monitor: finding.monitor.clone(),
        step: finding.step.clone(),
        records: finding.evidence.clone(),
        again: again(instance, seed),
    })
}

/// The command that runs an instance again.
fn again(instance: &InstanceSummary, seed: u64) -> String {
    let header = &instance.header;
    let path = header.scenario.path.trim_end_matches(".yaml");
    let mut parts = header.unit.split('+');
    let unit = match parts.next() {
        Some("sim") => {
            let defects: Vec<String> = parts.map(|name| format!(" --defect {name}")).collect();
            format!("sim:{}{}", header.protocol, defects.concat())
        }
        _ => "unit.yaml".to_owned(),
    };
    format!("hil run --unit {unit} --path {path} --seed {seed}")
}

/// More ids than are worth listing.
const MANY: usize = 12;
