//! Where findings point: the files of scenarios as people here have them, and the lines of their steps.

use crate::library::Library;
use hil_diagnostic::Source;
use hil_reports::{Place, Places};
use hil_scenario::{Plan, load_source};
use hil_trace::{Finding, ScenarioRef};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Finds places in the scenarios a run kept.
pub(crate) struct Scenarios<'a> {
    library: &'a Library,
    /// Where scenarios were added from.
    folders: &'a [PathBuf],
    /// By digest of their texts; none that this version does not read.
    plans: RefCell<BTreeMap<String, Option<Plan>>>,
}

impl<'a> Scenarios<'a> {
    pub(crate) fn new(library: &'a Library, folders: &'a [PathBuf]) -> Self {
        Scenarios {
            library,
            folders,
            plans: RefCell::default(),
        }
    }

    /// The file as seen from here, if it is here: below a folder that was added, or in a copy of this project.
    fn file(&self, path: &str) -> Option<String> {
        let own = [PathBuf::from(SUITES)];
        let candidates = self
            .folders
            .iter()
            .rev()
            .chain(&own)
            .map(|folder| match folder.is_file() {
                true if folder.file_name() == Path::new(path).file_name() => folder.clone(),
                _ => folder.join(path),
            });
        let mut there = candidates.filter(|file| file.is_file());
        let file = there.next()?.display().to_string();
        Some(file.strip_prefix("./").map(str::to_owned).unwrap_or(file))
    }

    fn step_line(&self, scenario: &ScenarioRef, step: &str) -> Option<usize> {
        let mut plans = self.plans.borrow_mut();
        let plan = plans.entry(scenario.sha256.clone()).or_insert_with(|| {
            let source = Source::new(scenario.path.clone(), scenario.text.clone());
            let (vocabulary, catalogue) = (&self.library.vocabulary, &self.library.catalogue);
            load_source(&scenario.path, source, vocabulary, catalogue).ok()
        });
        plan.as_ref()?.line_of(step)
    }
}

impl Places for Scenarios<'_> {
    /// The line of the step; for what a monitor states, the first one that names the requirement.
    fn place(&self, scenario: &ScenarioRef, finding: &Finding) -> Place {
        let step = finding
            .step
            .as_deref()
            .and_then(|step| self.step_line(scenario, step));
        let named = || {
            let id = finding.requirement.as_deref()?;
            let at = scenario.text.lines().position(|line| line.contains(id));
            at.map(|index| index + 1)
        };
        Place {
            file: self.file(&scenario.path),
            line: step.or_else(named).unwrap_or(1),
        }
    }
}

/// In a copy of this project.
const SUITES: &str = "scenarios/suites";
