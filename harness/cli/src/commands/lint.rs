//! `hil lint`.

use super::{fail, print, tell};
use crate::{
    args::LintArguments,
    evidence::judged,
    exit::Exit,
    files::Files,
    library::{Library, LibraryError},
    profiles::profiles,
};
use hil_adapter::AdapterDriver;
use hil_certify::read_profile;
use hil_diagnostic::{Diagnostics, did_you_mean};
use hil_scenario::{
    check_embedded_evidence, check_embedded_stimuli, check_embedded_timing, check_evidence, read_waivers,
};
use hil_unit::{UnitFile, UnitFileError, unit_file::DriverKind};
use std::{
    collections::BTreeSet,
    io::IsTerminal,
    path::{Path, PathBuf},
};

pub(crate) fn execute(arguments: LintArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    if arguments.files.is_empty() {
        return match library.plans(&[]) {
            Ok(plans) => {
                let mut mistakes = check_embedded_stimuli(&plans);
                mistakes.extend(check_embedded_timing(&library.catalogue, &plans));
                let judged = judged();
                mistakes.extend(check_embedded_evidence(&library.catalogue, &plans, &judged));
                if let Err(LibraryError::Invalid(more)) = profiles(&library) {
                    mistakes.extend(more);
                }
                if mistakes.has_errors() {
                    return fail(mistakes.render(std::io::stderr().is_terminal()), Exit::Invalid);
                }
                print(&format!("{} embedded scenarios, no mistakes", plans.len()));
                Exit::Pass
            }
            Err(error) => fail(error, Exit::Invalid),
        };
    }
    let mut unreadable = Vec::new();
    let mut files = Files::default();
    for path in &arguments.files {
        if let Err(error) = files.add(path) {
            unreadable.push(error.to_string());
        }
    }
    let (scenarios, units, waivers) = (files.scenarios.len(), files.units.len(), files.waivers.len());
    let profiles = files.profiles.len();
    let mut mistakes = check_units(&library, &files.units, &mut unreadable);
    if arguments.adapter {
        for path in &files.units {
            match introduced(&library, path) {
                Ok(said) if said.is_empty() => {}
                Ok(said) => print(&said),
                Err(problems) => unreadable.extend(problems),
            }
        }
    }
    for source in files.waivers {
        mistakes.extend(read_waivers(source, &library.catalogue).err().unwrap_or_default());
    }
    for source in files.profiles {
        let read = read_profile(source, &library.catalogue, &library.vocabulary);
        mistakes.extend(read.err().unwrap_or_default());
    }
    match library.check(files.scenarios, files.mistakes) {
        Ok(plans) => mistakes.extend(check_evidence(&library.catalogue, &plans, &judged())),
        Err(LibraryError::Invalid(more)) => mistakes.extend(more),
        Err(error) => unreadable.push(error.to_string()),
    }
    if scenarios + units + waivers + profiles == 0 && mistakes.is_empty() && unreadable.is_empty() {
        unreadable.push(
            "there is no scenario, unit, waiver or profile file here: they end in .yaml or .yml".to_owned(),
        );
    }
    for error in &unreadable {
        fail(error, Exit::Invalid);
    }
    if mistakes.has_errors() {
        fail(mistakes.render(std::io::stderr().is_terminal()), Exit::Invalid);
        tell(&format!("\n{}", summary(&mistakes)));
        return Exit::Invalid;
    }
    if !unreadable.is_empty() {
        return Exit::Invalid;
    }
    let mut checked = vec![counted(scenarios, "scenario"), counted(units, "unit file")];
    if waivers > 0 {
        checked.push(counted(waivers, "file of waivers"));
    }
    if profiles > 0 {
        checked.push(counted(profiles, "profile"));
    }
    print(&format!("{}: no mistakes", checked.join(", ")));
    Exit::Pass
}

/// What the adapter of a unit file says of itself, in a few lines; nothing for other units and for files with mistakes, which
/// are told anyway.
fn introduced(library: &Library, path: &Path) -> Result<String, Vec<String>> {
    let Ok(file) = UnitFile::load(path, &|protocol| library.unit_names(protocol)) else {
        return Ok(String::new());
    };
    if file.driver != DriverKind::Adapter {
        return Ok(String::new());
    }
    let base = path.parent().unwrap_or(Path::new(""));
    let place = path.display();
    let hello = AdapterDriver::introduce(&file, base).map_err(|error| vec![format!("{place}: {error}")])?;
    let known = library.unit_names(file.protocol);
    let unknown = |noun: &str, named: BTreeSet<String>, known: &[String]| -> Vec<String> {
        let strange = named.into_iter().filter(|name| !known.contains(name));
        let told = strange.map(|name| {
            let near = did_you_mean(&name, known.iter().map(String::as_str));
            let near = near.map(|near| format!("; {near}")).unwrap_or_default();
            format!(
                "{place}: the adapter names {noun} `{name}`, which {} has not{near}",
                file.protocol
            )
        });
        told.collect()
    };
    let mut problems = unknown("probe", hello.all_probes(), &known.probes);
    problems.extend(unknown("stimulus", hello.stimuli.clone(), &known.stimuli));
    if !problems.is_empty() {
        return Err(problems);
    }
    let list = |names: BTreeSet<String>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.into_iter().collect::<Vec<_>>().join(", "),
    };
    Ok(format!(
        "{place}: {}\n  implements {}\n  probes {}\n  stimuli {}",
        format!("{} {}", hello.name, hello.version.as_deref().unwrap_or_default()).trim_end(),
        list(hello.implements.clone()),
        list(hello.all_probes()),
        list(hello.all_stimuli()),
    ))
}

fn check_units(library: &Library, paths: &[PathBuf], unreadable: &mut Vec<String>) -> Diagnostics {
    let mut mistakes = Diagnostics::default();
    for path in paths {
        match UnitFile::load(path, &|protocol| library.unit_names(protocol)) {
            Ok(_) => {}
            Err(UnitFileError::Invalid(more)) => mistakes.extend(more),
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    mistakes
}

/// The last line: how much is wrong.
fn summary(mistakes: &Diagnostics) -> String {
    let mut files: Vec<&str> = mistakes.iter().map(|mistake| mistake.path()).collect();
    files.dedup();
    format!(
        "{} in {}",
        counted(mistakes.len(), "mistake"),
        counted(files.len(), "file")
    )
}

fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
