//! Which instances a run has, and the head of each one's trace.

use crate::{BenchKind, Filter, RunOptions, UnitUnderTest, applies, sweep::reference_of, tier_of};
use hil_scenario::{Plan, Sweep};
use hil_trace::{ClockKind, InstanceSummary, RepeatOf, RetryOf, ScenarioRef, TraceHeader, Verdict};
use hil_wire::digest::sha256_hex;
use serde_json::{Map, Value};
use std::{collections::BTreeSet, sync::Arc};

/// One instance to run: a scenario on a unit.
#[derive(Clone)]
pub(crate) struct Job {
    /// The scenario.
    pub(crate) plan: Arc<Plan>,
    /// The unit.
    pub(crate) unit: Arc<UnitUnderTest>,
    /// Which repetition of how many, from 0.
    repetition: u32,
    /// Which attempt, from 0, and how many may follow the first one.
    attempt: u32,
    retries: u32,
    /// What the heads of all its repeats have in common.
    common: Arc<TraceHeader>,
    /// Why it does not run.
    pub(crate) skip: Option<String>,
}

impl Job {
    /// Whether others may follow from it: it is the reference run of a sweep, or may be run again.
    pub(crate) fn may_add(&self) -> bool {
        self.may_add_points() || self.may_retry()
    }

    /// Whether it is the reference run of a sweep.
    pub(crate) fn may_add_points(&self) -> bool {
        let sweep = self.common.sweep.as_ref();
        self.skip.is_none() && sweep.is_some_and(|run| run.point.is_none())
    }

    /// Whether it may be run again. Runs of a sweep may not: their randomness is that of the sweep, and each is one of many
    /// like it.
    fn may_retry(&self) -> bool {
        self.skip.is_none() && self.common.sweep.is_none() && self.attempt < self.retries
    }

    /// The next attempt after this one, which came to that.
    pub(crate) fn retry(&self, summary: &InstanceSummary) -> Option<Job> {
        let again = self.may_retry() && summary.unwaived() > Verdict::Pass;
        again.then(|| Job {
            attempt: self.attempt + 1,
            ..self.clone()
        })
    }

    /// Another instance of the same scenario on the same unit, with a head of its own.
    pub(crate) fn like(&self, header: TraceHeader, skip: Option<String>) -> Job {
        Job {
            common: Arc::new(header),
            skip,
            ..self.clone()
        }
    }

    /// The head of its trace.
    pub(crate) fn header(&self) -> TraceHeader {
        let common = &*self.common;
        let instance = match &common.repeat_of {
            None => common.instance.clone(),
            Some(repeat_of) => numbered(repeat_of, self.repetition),
        };
        let first = TraceHeader {
            instance,
            repetition: self.repetition,
            ..common.clone()
        };
        match self.attempt {
            0 => first,
            attempt => again(first, attempt),
        }
    }
}

/// Why a run could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A parameter was set that no selected scenario has.
    #[error("no selected scenario has a parameter `{name}`; {known}")]
    UnknownParameter {
        /// The name.
        name: String,
        /// The parameters there are.
        known: String,
    },
    /// A parameter was set to a value of another type than its default.
    #[error("parameter `{name}` of {scenario} is {default} unless it is set; it cannot be {value}")]
    UnfitParameter {
        /// The name.
        name: String,
        /// Path of the scenario.
        scenario: String,
        /// Its default.
        default: String,
        /// What it was set to.
        value: String,
    },
}

/// Every instance of a run, in the order it begins.
pub(crate) fn plan_jobs(
    plans: &[Arc<Plan>],
    units: &[Arc<UnitUnderTest>],
    filter: &Filter,
    options: &RunOptions,
) -> Result<Vec<Job>, RunError> {
    let selected: Vec<&Arc<Plan>> = plans.iter().filter(|plan| filter.selects(plan)).collect();
    check_set(&selected, &options.set)?;
    let mut jobs = Vec::new();
    let mut index = 0;
    for unit in units {
        for plan in selected.iter().filter(|plan| plan.protocol == unit.protocol) {
            let name = case_name(plan, unit);
            let is_meant = options.cases.as_ref().is_none_or(|cases| cases.hold(&name));
            let is_here = |index| options.partition.is_none_or(|part| part.holds(index, &name));
            index += usize::from(is_meant);
            if !is_meant || !is_here(index - 1) {
                continue;
            }
            let skip = applies(plan, unit, tier_of(unit, options.tier.as_deref()))
                .err()
                .map(|skip| skip.reason());
            let repeat = if skip.is_some() {
                1
            } else {
                plan.repeat.max(1).saturating_mul(options.repeat.max(1))
            };
            let common = Arc::new(header(plan, unit, options, repeat));
            for repetition in 0..repeat {
                let common = match plan.sweep.as_ref().filter(|_| skip.is_none()) {
                    Some(sweep) => Arc::new(swept(sweep, &common, repetition)),
                    None => common.clone(),
                };
                jobs.push(Job {
                    plan: (*plan).clone(),
                    unit: unit.clone(),
                    repetition,
                    attempt: 0,
                    retries: options.retries,
                    common,
                    skip: skip.clone(),
                });
            }
        }
    }
    Ok(jobs)
}

/// The head of a later attempt. Its name is another one, and so is the randomness that comes from it: in virtual time the
/// same would only happen again.
fn again(mut header: TraceHeader, attempt: u32) -> TraceHeader {
    let first = header.instance;
    let mark = if header.repeat_of.is_some() { '-' } else { '#' };
    header.instance = format!("{first}{mark}retry-{attempt}");
    header.retry_of = Some(RetryOf { first, attempt });
    header
}

/// The name of one repeat.
fn numbered(repeat_of: &RepeatOf, repetition: u32) -> String {
    let width = repeat_of.times.saturating_sub(1).to_string().len();
    format!("{}#{repetition:0width$}", repeat_of.group)
}

/// The head of the reference run of a sweep. A sweep that is repeated is several sweeps: each of its runs is another one.
fn swept(sweep: &Sweep, common: &TraceHeader, repetition: u32) -> TraceHeader {
    let mut header = common.clone();
    if let Some(repeat_of) = header.repeat_of.take() {
        header.instance = numbered(&repeat_of, repetition);
    }
    header.repetition = repetition;
    reference_of(sweep, &mut header);
    header
}

/// Every parameter that is set belongs to a selected scenario and has the type of its default there.
fn check_set(selected: &[&Arc<Plan>], set: &Map<String, Value>) -> Result<(), RunError> {
    for (name, value) in set {
        let mut known = false;
        for plan in selected {
            let Some(parameter) = plan.params.get(name) else {
                continue;
            };
            known = true;
            let default = &parameter.default;
            if std::mem::discriminant(&fitted(value, default)) != std::mem::discriminant(default) {
                return Err(RunError::UnfitParameter {
                    name: name.clone(),
                    scenario: plan.path.clone(),
                    default: default.to_string(),
                    value: value.to_string(),
                });
            }
        }
        if !known {
            let names: BTreeSet<&str> = selected
                .iter()
                .flat_map(|plan| plan.params.keys().map(String::as_str))
                .collect();
            let known = match names.len() {
                0 => "none of them has any".to_owned(),
                _ => format!("there are {}", names.into_iter().collect::<Vec<_>>().join(", ")),
            };
            let name = name.clone();
            return Err(RunError::UnknownParameter { name, known });
        }
    }
    Ok(())
}

/// A value as it was typed, where text is wanted.
fn fitted(value: &Value, default: &Value) -> Value {
    match (default, value) {
        (Value::String(_), Value::Number(_) | Value::Bool(_) | Value::Null) => {
            Value::String(value.to_string())
        }
        _ => value.clone(),
    }
}

/// The name of a scenario on a unit, such as `edge-poll/idle@sim`.
fn case_name(plan: &Plan, unit: &UnitUnderTest) -> String {
    let stem = plan.path.trim_end_matches(".yaml").trim_end_matches(".yml");
    format!("{stem}@{}", unit.name)
}

/// The head of an instance; what differs between repeats is left to them.
fn header(plan: &Plan, unit: &UnitUnderTest, options: &RunOptions, times: u32) -> TraceHeader {
    let instance = case_name(plan, unit);
    let repeat_of = (times > 1).then(|| RepeatOf {
        group: instance.clone(),
        times,
    });
    let tier = tier_of(unit, options.tier.as_deref());
    let params = plan.params.iter().map(|(name, parameter)| {
        let in_tier = parameter.tiers.get(tier).unwrap_or(&parameter.default);
        let set = options
            .set
            .get(name)
            .map(|value| fitted(value, &parameter.default));
        let value = set.unwrap_or_else(|| in_tier.clone());
        (name.clone(), value)
    });
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance,
        protocol: plan.protocol,
        scenario: Arc::new(ScenarioRef {
            path: plan.path.clone(),
            name: plan.name.clone(),
            text: plan.source.text().to_string(),
            sha256: sha256_hex(plan.source.text().as_bytes()),
            verifies: plan.verifies.clone(),
        }),
        seed: options.seed,
        repetition: 0,
        repeat_of,
        retry_of: None,
        partition: options.partition,
        tool: options.tool.clone(),
        catalogue_sha256: options.catalogue_sha256.clone(),
        clock: match unit.bench {
            BenchKind::Virtual => ClockKind::Virtual,
            BenchKind::Real => ClockKind::Real,
        },
        epoch_unix_us: 0,
        tolerances: unit.tolerances,
        unit: unit.name.clone(),
        facts: unit.facts.clone(),
        ics: unit.ics.clone(),
        timing: unit.timing.clone(),
        prepare: plan.prepare.clone(),
        params: params.collect(),
        extra_faults: plan.extra_faults.clone(),
        without_faults: options.without_faults,
        sweep: None,
    }
}
