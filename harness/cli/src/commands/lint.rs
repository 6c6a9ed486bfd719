//! `hil lint`.

use super::{fail, print, tell};
use crate::{
    args::LintArguments,
    exit::Exit,
    files::Files,
    library::{Library, LibraryError},
};
use hil_diagnostic::Diagnostics;
use hil_scenario::{check_embedded_stimuli, check_embedded_timing};
use hil_unit::{UnitFile, UnitFileError};
use std::{io::IsTerminal, path::PathBuf};

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
    let (scenarios, units) = (files.scenarios.len(), files.units.len());
    let mut mistakes = check_units(&library, &files.units, &mut unreadable);
    if let Err(LibraryError::Invalid(more)) = library.check(files.scenarios, files.mistakes) {
        mistakes.extend(more);
    }
    if scenarios + units == 0 && mistakes.is_empty() && unreadable.is_empty() {
        unreadable.push("there is no scenario or unit file here: they end in .yaml or .yml".to_owned());
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
    print(&format!(
        "{}, {}: no mistakes",
        counted(scenarios, "scenario"),
        counted(units, "unit file")
    ));
    Exit::Pass
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
