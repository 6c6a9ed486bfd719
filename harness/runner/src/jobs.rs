//! Which instances a run has, and the head of each one's trace.

use crate::{BenchKind, Filter, RunOptions, UnitUnderTest, applies, sweep::reference_of};
use hil_scenario::Plan;
use hil_trace::{ClockKind, ScenarioRef, TraceHeader};
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
    /// The head of its trace.
    pub(crate) header: TraceHeader,
    /// Why it does not run.
    pub(crate) skip: Option<String>,
}

impl Job {
    /// Whether others may follow from it: it is the reference run of a sweep.
    pub(crate) fn may_add(&self) -> bool {
        let sweep = self.header.sweep.as_ref();
        self.skip.is_none() && sweep.is_some_and(|run| run.point.is_none())
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
    for unit in units {
        for plan in selected.iter().filter(|plan| plan.protocol == unit.protocol) {
            let skip = applies(plan, unit).err().map(|skip| skip.reason());
            let repeat = if skip.is_some() {
                1
            } else {
                plan.repeat.max(1).saturating_mul(options.repeat.max(1))
            };
            for repetition in 0..repeat {
                let mut header = header(plan, unit, options, repetition, repeat);
                if let Some(sweep) = plan.sweep.as_ref().filter(|_| skip.is_none()) {
                    reference_of(sweep, &mut header);
                }
                jobs.push(Job {
                    plan: (*plan).clone(),
                    unit: unit.clone(),
                    header,
                    skip: skip.clone(),
                });
            }
        }
    }
    Ok(jobs)
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

fn header(plan: &Plan, unit: &UnitUnderTest, options: &RunOptions, repetition: u32, of: u32) -> TraceHeader {
    let stem = plan.path.trim_end_matches(".yaml").trim_end_matches(".yml");
    let mut instance = format!("{stem}@{}", unit.name);
    if of > 1 {
        let width = (of - 1).to_string().len();
        instance = format!("{instance}#{repetition:0width$}");
    }
    let params = plan.params.iter().map(|(name, parameter)| {
        let tier = options.tier.as_ref().and_then(|tier| parameter.tiers.get(tier));
        let set = options
            .set
            .get(name)
            .map(|value| fitted(value, &parameter.default));
        let value = set.unwrap_or_else(|| tier.unwrap_or(&parameter.default).clone());
        (name.clone(), value)
    });
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance,
        protocol: plan.protocol,
        scenario: ScenarioRef {
            path: plan.path.clone(),
            name: plan.name.clone(),
            text: plan.text.to_string(),
            sha256: sha256_hex(plan.text.as_bytes()),
            verifies: plan.verifies.clone(),
        },
        seed: options.seed,
        repetition,
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
        params: params.collect(),
        extra_faults: plan.extra_faults.clone(),
        without_faults: options.without_faults,
        sweep: None,
    }
}
