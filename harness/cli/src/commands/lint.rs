//! `hil lint`.

use super::{fail, print};
use crate::{args::LintArguments, exit::Exit, library::Library};
use hil_diagnostic::Diagnostics;
use hil_scenario::load_directory;
use hil_unit::{UnitFile, UnitFileError};
use std::{collections::BTreeMap, fs, io::IsTerminal, path::Path};

pub(crate) fn execute(arguments: LintArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    if arguments.files.is_empty() {
        return match library.plans(&[]) {
            Ok(plans) => {
                print(&format!("{} embedded scenarios, no mistakes", plans.len()));
                Exit::Pass
            }
            Err(error) => fail(error, Exit::Invalid),
        };
    }
    let mut texts = BTreeMap::new();
    let mut mistakes = Diagnostics::default();
    let mut units = 0;
    for path in &arguments.files {
        if path.is_dir() {
            match load_directory(path) {
                Ok(files) => texts.extend(files),
                Err(error) => return fail(error, Exit::Unexpected),
            }
            continue;
        }
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return fail(format!("{}: {error}", path.display()), Exit::Unexpected),
        };
        if !is_unit_file(path, &text) {
            texts.insert(path.display().to_string(), text);
            continue;
        }
        units += 1;
        match UnitFile::load(path) {
            Ok(_) => {}
            Err(UnitFileError::Invalid(more)) => mistakes.extend(more),
            Err(error) => return fail(error, Exit::Unexpected),
        }
    }
    let scenarios = texts.len();
    if let Err(crate::library::LibraryError::Invalid(more)) = library.check(texts) {
        mistakes.extend(more);
    }
    if mistakes.has_errors() {
        return fail(mistakes.render(std::io::stderr().is_terminal()), Exit::Invalid);
    }
    print(&format!(
        "{scenarios} scenarios and {units} unit files, no mistakes"
    ));
    Exit::Pass
}

fn is_unit_file(path: &Path, text: &str) -> bool {
    let named = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().contains("unit"));
    named || text.lines().any(|line| line.starts_with("driver:"))
}
