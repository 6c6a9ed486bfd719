//! Which scenarios run on a unit, and why the others do not.

use crate::{BenchKind, UnitUnderTest};
use hil_scenario::Plan;
use hil_unit::Capability;
use hil_wire::Protocol;
use serde_json::Value;

/// What the user asked for; empty lists ask for everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Protocols.
    pub protocols: Vec<Protocol>,
    /// Parts of paths.
    pub paths: Vec<String>,
    /// Tags; all must be there.
    pub tags: Vec<String>,
    /// Requirement ids or prefixes of them.
    pub requirements: Vec<String>,
}

impl Filter {
    /// True if a scenario was asked for. Scenarios tagged `long` must be asked for by tag or by path.
    pub fn selects(&self, plan: &Plan) -> bool {
        let protocol = self.protocols.is_empty() || self.protocols.contains(&plan.protocol);
        let path = self.paths.is_empty() || self.paths.iter().any(|part| plan.path.contains(part));
        let tags = self.tags.iter().all(|tag| plan.tags.contains(tag));
        let verifies = |asked: &String| plan.verifies.iter().any(|id| id.starts_with(asked.as_str()));
        let requirements = self.requirements.is_empty() || self.requirements.iter().any(verifies);
        let long = plan.tags.iter().any(|tag| tag == "long");
        let long_asked = !long || self.tags.iter().any(|tag| tag == "long") || !self.paths.is_empty();
        protocol && path && tags && requirements && long_asked
    }
}

/// Why a selected scenario does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Driver or lab lack a capability: not exercised.
    Lacks(Vec<String>),
    /// The unit file has no command for these probes or stimuli: not exercised.
    LacksHooks(Vec<String>),
    /// Nobody gave the unit's images of these roles: not exercised.
    LacksArtifacts(Vec<String>),
    /// The ICS denies a feature or names another dialect: not applicable.
    NotApplicable(String),
}

impl Skip {
    /// One sentence for reports.
    pub fn reason(&self) -> String {
        match self {
            Skip::Lacks(names) => format!("not exercised: the unit's driver has no {}", names.join(", ")),
            Skip::LacksHooks(names) => {
                format!("not exercised: the unit file has no {}", names.join(", "))
            }
            Skip::LacksArtifacts(roles) => {
                format!(
                    "not exercised: the unit file gives no artifact {}",
                    roles.join(", ")
                )
            }
            Skip::NotApplicable(why) => format!("not applicable: {why}"),
        }
    }
}

/// Whether a scenario can run on a unit.
pub fn applies(plan: &Plan, unit: &UnitUnderTest) -> Result<(), Skip> {
    for (name, wanted) in &plan.applies_when {
        let said = unit.ics.get(name);
        let fits = match wanted {
            Value::Bool(true) => said != Some(&Value::Bool(false)),
            wanted => said == Some(wanted),
        };
        if !fits {
            let said = said.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            return Err(Skip::NotApplicable(format!(
                "`{name}` must be {wanted} and the ICS says {said}"
            )));
        }
    }
    let has = |need: &str| {
        let virtual_time = need == Capability::VirtualTime.name() && unit.bench == BenchKind::Virtual;
        virtual_time
            || unit
                .capabilities
                .iter()
                .any(|capability| capability.name() == need)
    };
    let lacks: Vec<String> = plan.needs.iter().filter(|need| !has(need)).cloned().collect();
    if !lacks.is_empty() {
        return Err(Skip::Lacks(lacks));
    }
    let lacks = lacking_hooks(plan, unit);
    if !lacks.is_empty() {
        return Err(Skip::LacksHooks(lacks));
    }
    let artifacts = plan.artifacts().into_iter();
    let lacks: Vec<String> = artifacts
        .filter(|role| !unit.artifact_roles.contains(role))
        .collect();
    if lacks.is_empty() {
        Ok(())
    } else {
        Err(Skip::LacksArtifacts(lacks))
    }
}

/// Probes and stimuli a scenario calls and the unit does not have, such as "probe `installs`".
fn lacking_hooks(plan: &Plan, unit: &UnitUnderTest) -> Vec<String> {
    let kinds = [
        ("probe", "unit.probe", &unit.probes),
        ("stimulus", "unit.stimulate", &unit.stimuli),
    ];
    let mut lacks = Vec::new();
    for (noun, action, known) in kinds {
        let Some(known) = known else { continue };
        let called = plan.arguments_named(action, "name").into_iter();
        lacks.extend(
            called
                .filter(|name| !known.contains(name))
                .map(|name| format!("{noun} `{name}`")),
        );
    }
    lacks
}
