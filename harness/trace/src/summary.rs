//! The fold of journals that every report prints.

use crate::{
    Attempts, Bounds, CaseState, Exercised, Finding, Level, Partition, ProtocolExercise, Repeats,
    SweepResult, SweepTable, TraceHeader, Verdict, WaiverOutcome, Waivers,
};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is known about one requirement after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// Exercised and met.
    Verified,
    /// Exercised and violated, level MUST (or SHOULD under `--strict`).
    Violated,
    /// Exercised and violated, level SHOULD or MAY.
    Warned,
    /// Exercised without a decision.
    Inconclusive,
    /// No stimulus reached the unit.
    NotExercised,
    /// The unit has not the optional feature, or speaks another dialect.
    NotApplicable,
    /// Exercised and violated, and that is waived.
    Waived,
}

/// One requirement in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequirementCoverage {
    /// Level of the requirement.
    pub level: Level,
    /// What it says; later catalogues may word it otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// Its state.
    pub state: CoverageState,
    /// Instances that exercised it.
    pub instances: Vec<String>,
}

/// A measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Its name.
    pub name: String,
    /// Seconds.
    pub seconds: f64,
    /// How far it may be off, in seconds.
    pub tolerance: f64,
    /// Smallest step of the clock, in seconds.
    pub resolution: f64,
    /// What it is held against; none if it is only measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Box<Bounds>>,
    /// The two records it lies between.
    pub evidence: Vec<u64>,
}

/// One instance, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceSummary {
    /// What it ran, on which unit, with which seed.
    pub header: TraceHeader,
    /// Its verdict.
    pub verdict: Verdict,
    /// What the verdict would be without the violations that are waived; none if nothing is. A waived failure stays one:
    /// it is counted by itself, never as a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Verdict>,
    /// Why it did not run; such an instance has the verdict none.
    pub skipped: Option<String>,
    /// Everything stated about it.
    pub findings: Vec<Finding>,
    /// Measured values.
    pub measurements: Vec<Measurement>,
    /// What of the protocol it exercised; told of all instances together only.
    #[serde(skip)]
    pub exercised: Exercised,
    /// What it came to as a run of a sweep, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepResult>,
    /// Figures of all repeats, if this stands for them together; the instances among them that keep their evidence are
    /// listed on their own, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Box<Repeats>>,
    /// Length on the bench's clock, seconds.
    pub duration: f64,
    /// Number of records.
    pub records: u64,
}

impl InstanceSummary {
    /// The verdict without the violations that are waived.
    pub fn unwaived(&self) -> Verdict {
        self.left.unwrap_or(self.verdict)
    }

    /// Whether it failed, and every violation in it is waived.
    pub fn is_waived(&self) -> bool {
        self.left == Some(Verdict::Pass)
    }

    /// The findings that decide the verdict, worst first.
    pub fn deciding(&self, strict: bool) -> Vec<&Finding> {
        let mut findings: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|f| f.effective(strict) > Verdict::Pass)
            .collect();
        findings.sort_by_key(|f| std::cmp::Reverse(f.effective(strict)));
        findings
    }

    /// Violated SHOULDs and MAYs.
    pub fn warnings(&self, strict: bool) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |f| f.is_warning(strict))
    }
}

/// Instances by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Not judged because of lab, harness or scenario.
    pub errors: usize,
    /// Not decided.
    pub inconclusive: usize,
    /// Failed, and every violation is waived.
    #[serde(default)]
    pub waived: usize,
    /// Did not pass, and passed when run again.
    #[serde(default)]
    pub flaky: usize,
    /// Not run.
    pub skipped: usize,
    /// Violated SHOULDs and MAYs in all instances.
    pub warnings: usize,
}

impl Counts {
    /// Everything that ran.
    pub fn ran(&self) -> usize {
        self.passed + self.failed + self.errors + self.inconclusive + self.waived + self.flaky
    }
}

/// A whole run, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// `hil` and its version.
    pub tool: String,
    /// Run seed.
    pub seed: u64,
    /// Whether violated SHOULDs fail.
    pub strict: bool,
    /// Whether the run was cut short.
    pub interrupted: bool,
    /// The parts of a run that machines share, those that are here.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub partitions: BTreeSet<Partition>,
    /// Every instance in the order of names.
    pub instances: Vec<InstanceSummary>,
    /// Every requirement of the protocols that ran, by protocol and id.
    pub coverage: BTreeMap<Protocol, BTreeMap<String, RequirementCoverage>>,
    /// What of each protocol that ran was exercised.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exercise: BTreeMap<Protocol, ProtocolExercise>,
    /// Every waiver of the protocols that ran, and what became of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverOutcome>,
    /// Wall time of the run, seconds; 0 of a journal, which does not say it.
    pub wall_seconds: f64,
}

impl RunSummary {
    /// Applies waivers to what was judged.
    #[must_use]
    pub fn waived(mut self, waivers: &Waivers) -> Self {
        for instance in &mut self.instances {
            waivers.apply(instance, self.strict);
        }
        self.waivers = waivers.outcomes(&mut self.coverage);
        self
    }

    /// Every sweep of power cuts in it.
    pub fn sweeps(&self) -> Vec<SweepTable> {
        SweepTable::all(&self.instances)
    }

    /// Instances by verdict; one that was run again counts once, by what all its attempts come to.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let attempts = Attempts::of(&self.instances);
        for instance in &self.instances {
            match attempts.state(instance) {
                // Repeats judged together count as one more only if that judgement is worse.
                Some(CaseState::Passed) if instance.repeats.is_some() => {}
                Some(CaseState::Passed) => counts.passed += 1,
                Some(CaseState::Waived) => counts.waived += 1,
                Some(CaseState::Failed) => counts.failed += 1,
                Some(CaseState::Error) => counts.errors += 1,
                Some(CaseState::Inconclusive) => counts.inconclusive += 1,
                Some(CaseState::Flaky) => counts.flaky += 1,
                Some(CaseState::Skipped) => counts.skipped += 1,
                Some(CaseState::Absent) | None => {}
            }
            counts.passed += instance
                .repeats
                .as_ref()
                .map_or(0, |repeats| repeats.by_figures as usize);
            counts.warnings += instance.warnings(self.strict).count();
        }
        counts
    }

    /// The exit code of the run, as [`exit_code`] says. A run cut short has not passed, whatever passed in it.
    pub fn exit_code(&self) -> u8 {
        match exit_code(&self.counts()) {
            0 | 13 if self.interrupted => 5,
            code => code,
        }
    }
}

/// Exit code of a run: 4 if anything failed, else 6 (error), 5 (inconclusive), 13 (flaky), 7 (nothing ran), 0.
pub fn exit_code(counts: &Counts) -> u8 {
    match counts {
        Counts { failed: 1.., .. } => 4,
        Counts { errors: 1.., .. } => 6,
        Counts {
            inconclusive: 1.., ..
        } => 5,
        Counts { flaky: 1.., .. } => 13,
        Counts {
            passed: 0, waived: 0, ..
        } => 7,
        _ => 0,
    }
}
