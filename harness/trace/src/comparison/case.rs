//! What two runs have in common: a scenario on a unit, with all its repeats, retries and points.

use crate::{Attempts, CaseState, Finding, InstanceSummary, Level, RunSummary, Verdict, WaiverStanding};
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A violation or warning: what is violated, and where that is best seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stated {
    pub(super) instance: String,
    pub(super) level: Level,
    pub(super) text: String,
}

/// How often what belongs to a case came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) passed: usize,
    pub(super) waived: usize,
    pub(super) failed: usize,
    pub(super) flaky: usize,
    pub(super) errors: usize,
    pub(super) inconclusive: usize,
}

/// A scenario on a unit in one run.
pub(super) struct Case<'a> {
    pub(super) protocol: Protocol,
    /// Digest of the scenario's text.
    pub(super) scenario: &'a str,
    /// What it ran with.
    pub(super) options: Options<'a>,
    pub(super) times: Times,
    /// Why it did not run, if nothing of it did.
    pub(super) skipped: Option<&'a str>,
    /// Whether it is a sweep, whose points are not the same thing again.
    pub(super) is_sweep: bool,
    /// What failed in it: requirement, step or monitor.
    pub(super) failures: BTreeMap<String, Stated>,
    /// What is violated in it and waived.
    pub(super) waived: BTreeMap<String, Stated>,
    /// SHOULDs and MAYs violated in it.
    pub(super) warnings: BTreeMap<String, Stated>,
    /// What could not be judged or decided, first of all.
    pub(super) undecided: Option<Stated>,
    /// Requirements met in it.
    pub(super) met: BTreeSet<&'a str>,
    /// Values of measured times by repetition, and how far each may be off; microseconds.
    pub(super) measured: BTreeMap<&'a str, Measured>,
}

/// What a scenario ran with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Options<'a> {
    params: &'a Map<String, Value>,
    extra_faults: &'a [String],
    without_faults: bool,
}

/// Values of one measured time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) by_repetition: BTreeMap<u32, Vec<i64>>,
    pub(super) slack_us: i64,
}

/// A case by the name of its scenario and its unit.
pub(super) type CaseName<'a> = (&'a str, &'a str);

impl<'a> Case<'a> {
    /// Every case of a run.
    pub(super) fn all(summary: &'a RunSummary) -> BTreeMap<CaseName<'a>, Case<'a>> {
        let mut cases: BTreeMap<CaseName<'a>, Case<'a>> = BTreeMap::new();
        let attempts = Attempts::of(&summary.instances);
        let used = summary.waivers.iter();
        let used = used.filter(|outcome| outcome.standing == WaiverStanding::Used);
        let waived: BTreeSet<&str> = used.map(|outcome| outcome.waiver.requirement.as_str()).collect();
        for instance in &summary.instances {
            let header = &instance.header;
            let name = header.case();
            let scenario = name.strip_suffix(&format!("@{}", header.unit)).unwrap_or(name);
            let case = cases.entry((scenario, &header.unit)).or_insert_with(|| Case {
                protocol: header.protocol,
                scenario: &header.scenario.sha256,
                options: Options {
                    params: &header.params,
                    extra_faults: &header.extra_faults,
                    without_faults: header.without_faults,
                },
                times: Times::default(),
                skipped: None,
                is_sweep: header.sweep.is_some(),
                failures: BTreeMap::new(),
                waived: BTreeMap::new(),
                warnings: BTreeMap::new(),
                undecided: None,
                met: BTreeSet::new(),
                measured: BTreeMap::new(),
            });
            case.add(instance, attempts.state(instance), summary.strict, &waived);
        }
        cases
    }

    /// Takes in an instance; `verdict` is what all its attempts came to, none for those after the first.
    fn add(
        &mut self,
        instance: &'a InstanceSummary,
        verdict: Option<CaseState>,
        strict: bool,
        waived: &BTreeSet<&str>,
    ) {
        let times = &mut self.times;
        match verdict {
            Some(CaseState::Passed) if instance.repeats.is_none() => times.passed += 1,
            Some(CaseState::Waived) => times.waived += 1,
            Some(CaseState::Failed) => times.failed += 1,
            Some(CaseState::Flaky) => times.flaky += 1,
            Some(CaseState::Error) => times.errors += 1,
            Some(CaseState::Inconclusive) => times.inconclusive += 1,
            Some(CaseState::Skipped) => self.skipped = self.skipped.or(instance.skipped.as_deref()),
            _ => {}
        }
        if let Some(repeats) = &instance.repeats {
            times.passed += repeats.by_figures as usize;
            for series in &repeats.series {
                let measured = self.measured.entry(&series.name).or_default();
                measured.slack_us = micros(series.tolerance + series.resolution);
                measured.by_repetition.clear();
                for value in &series.values {
                    let values = measured.by_repetition.entry(value.repetition).or_default();
                    values.push(micros(value.seconds));
                }
            }
        } else if instance.header.repeat_of.is_none() && instance.verdict == Verdict::Pass {
            for measurement in &instance.measurements {
                let measured = self.measured.entry(&measurement.name).or_default();
                measured.slack_us = measured
                    .slack_us
                    .max(micros(measurement.tolerance + measurement.resolution));
                let values = measured
                    .by_repetition
                    .entry(instance.header.repetition)
                    .or_default();
                values.push(micros(measurement.seconds));
            }
        }
        for finding in &instance.findings {
            self.take(instance, finding, strict, waived);
        }
    }

    fn take(
        &mut self,
        instance: &InstanceSummary,
        finding: &'a Finding,
        strict: bool,
        waived: &BTreeSet<&str>,
    ) {
        let stated = || Stated {
            instance: instance.header.instance.clone(),
            level: finding.level,
            text: finding.text.clone(),
        };
        let is_waived = || {
            finding
                .requirement
                .as_deref()
                .is_some_and(|id| waived.contains(id))
        };
        match finding.effective(strict) {
            _ if finding.verdict == Verdict::Fail && is_waived() => {
                self.waived.entry(subject(finding)).or_insert_with(stated);
            }
            Verdict::Fail => {
                self.failures.entry(subject(finding)).or_insert_with(stated);
            }
            Verdict::Error | Verdict::Inconclusive => {
                self.undecided.get_or_insert_with(stated);
            }
            _ if finding.is_warning(strict) => {
                self.warnings.entry(subject(finding)).or_insert_with(stated);
            }
            _ if finding.verdict == Verdict::Pass => self.met.extend(finding.requirement.as_deref()),
            _ => {}
        }
    }

    /// Whether something is violated in it, however binding or waived.
    pub(super) fn violates(&self, subject: &str) -> bool {
        [&self.failures, &self.waived, &self.warnings]
            .iter()
            .any(|all| all.contains_key(subject))
    }

    /// What it came to.
    pub(super) fn state(&self) -> CaseState {
        let Times {
            passed,
            waived,
            failed,
            flaky,
            errors,
            inconclusive,
        } = self.times;
        match () {
            () if flaky > 0 || (passed > 0 && failed > 0 && !self.is_sweep) => CaseState::Flaky,
            () if failed > 0 => CaseState::Failed,
            () if errors > 0 => CaseState::Error,
            () if inconclusive > 0 => CaseState::Inconclusive,
            () if waived > 0 => CaseState::Waived,
            () if passed > 0 => CaseState::Passed,
            () => CaseState::Skipped,
        }
    }
}

/// What a finding is about: a requirement, else a step, else a monitor.
fn subject(finding: &Finding) -> String {
    match (&finding.requirement, &finding.step) {
        (Some(requirement), _) => requirement.clone(),
        (None, Some(step)) => format!("step {step}"),
        (None, None) => finding.monitor.clone(),
    }
}

/// Stamps are whole microseconds.
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}
