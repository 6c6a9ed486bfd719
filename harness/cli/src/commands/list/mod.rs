//! `hil list`.

mod requirements;

use crate::{
    args::{ListArguments, Listed},
    commands::{fail, print, run::filter},
    exit::Exit,
    library::Library,
    profiles::profiles,
};
use hil_certify::Profile;
use hil_runner::Filter;
use hil_scenario::Plan;
use hil_sim::{Defect, default_artifacts, default_timing};
use hil_trace::{Level, RollbackCell, TimingTable};
use hil_unit::unit_file::dialects_of;
use hil_wire::Protocol;
use std::{fmt::Write, sync::Arc};

pub(crate) fn execute(arguments: ListArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let plans = match library.plans(&arguments.filter.scenarios) {
        Ok(plans) => plans,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let filter = filter(&arguments.filter).widened(&library.catalogue, &plans);
    let selected: Vec<&Arc<Plan>> = plans.iter().filter(|plan| filter.selects(plan)).collect();
    let mut text = String::new();
    match arguments.what {
        Listed::Scenarios => {
            let width = selected.iter().map(|plan| plan.path.len()).max().unwrap_or(0);
            for plan in &selected {
                let _ = writeln!(text, "{:width$}  {}", plan.path, plan.name);
            }
            let _ = writeln!(text, "{} scenarios", selected.len());
        }
        Listed::Units => {
            for protocol in Protocol::ALL {
                let artifacts = default_artifacts(protocol).0;
                if artifacts.is_empty() {
                    continue;
                }
                let roles = artifacts.keys().cloned().collect::<Vec<_>>().join(", ");
                let timing = default_timing(protocol);
                let times = timing.iter().map(|(name, value)| format!("{name} {value} s"));
                let times = times.collect::<Vec<_>>().join(", ");
                let _ = writeln!(text, "sim:{protocol}\n  artifacts: {roles}\n  timing: {times}");
                let dialects = dialects_of(protocol).iter();
                let dialects = dialects.map(|dialect| format!("sim:{protocol}:{dialect}"));
                let dialects = dialects.collect::<Vec<_>>();
                if !dialects.is_empty() {
                    let _ = writeln!(text, "  dialects: {}", dialects.join(", "));
                }
                let defects = Defect::of(protocol).map(Defect::name).collect::<Vec<_>>();
                if !defects.is_empty() {
                    let _ = writeln!(text, "  --defect: {}", defects.join(", "));
                }
            }
        }
        Listed::Profiles => match profiles(&library) {
            Ok(profiles) => list_profiles(&profiles, &filter, &mut text),
            Err(error) => return fail(error, Exit::Invalid),
        },
        Listed::Defects => defects(&filter, &mut text),
        Listed::RollbackPaths => rollback_paths(&library.catalogue.timing, &filter.protocols, &mut text),
        Listed::Requirements => return requirements::execute(&library, &plans, &filter, &arguments),
    }
    print(&text);
    Exit::Pass
}

/// Profiles by name, with what their rules come to.
fn list_profiles(profiles: &[Profile], filter: &Filter, text: &mut String) {
    let wanted = |protocol: Protocol| filter.protocols.is_empty() || filter.protocols.contains(&protocol);
    for profile in profiles.iter().filter(|profile| wanted(profile.protocol)) {
        let counts = [Level::Must, Level::Should, Level::May].map(|level| profile.count(level));
        let [must, should, may] = counts;
        let _ = writeln!(
            text,
            "{:22} {must:3} MUST {should:3} SHOULD {may:2} MAY  {:2} may be not applicable  {}",
            profile.name,
            profile.excuses.len(),
            profile.summary
        );
    }
}

/// Defects by protocol: name, requirement, what such a unit does.
fn defects(filter: &Filter, text: &mut String) {
    let wanted = |defect: &Defect| {
        let asked = |prefix: &String| defect.primary().starts_with(prefix.as_str());
        let protocol = defect.protocol().is_none_or(|p| filter.protocols.contains(&p));
        (filter.protocols.is_empty() || protocol)
            && (filter.requirements.is_empty() || filter.requirements.iter().any(asked))
    };
    let listed: Vec<Defect> = Defect::all().filter(wanted).collect();
    let width = listed.iter().map(|defect| defect.name().len()).max().unwrap_or(0);
    for defect in &listed {
        let _ = writeln!(
            text,
            "{defect:width$}  {:18}  {}",
            defect.primary(),
            defect.summary()
        );
    }
    let _ = writeln!(text, "{} defects", listed.len());
}

/// Every path with what shows it in each protocol, then every requirement on time.
fn rollback_paths(timing: &TimingTable, protocols: &[Protocol], text: &mut String) {
    let wanted = |protocol: &Protocol| protocols.is_empty() || protocols.contains(protocol);
    for path in &timing.rollback_paths {
        let _ = writeln!(text, "{}: {}", path.name, path.summary);
        for (protocol, cell) in path.shown.iter().filter(|(protocol, _)| wanted(protocol)) {
            let shown = match cell {
                RollbackCell::Scenarios(names) => names.join(", "),
                RollbackCell::None(reason) => format!("none: {reason}"),
            };
            let _ = writeln!(text, "  {protocol:14}  {shown}");
        }
    }
    let _ = writeln!(text, "\nRequirements on time, and what times them:");
    for (id, names) in &timing.requirements {
        if Protocol::of_requirement(id).is_some_and(|protocol| wanted(&protocol)) {
            let names = match names.is_empty() {
                true => "a monitor, in every run".to_owned(),
                false => names.join(", "),
            };
            let _ = writeln!(text, "  {id:16}  {names}");
        }
    }
}
