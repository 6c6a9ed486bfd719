//! Which scenarios run on a unit, and why the others do not.

use crate::{BenchKind, Preparation, UnitUnderTest};
use hil_scenario::{CUT_AT_WRITE, FLASH_WRITES, Plan, Sweep, SweepCut, UnitFact, walk};
use hil_trace::Catalogue;
use hil_unit::{Capability, unit_file::faces_of_feature};
use hil_wire::Protocol;
use serde_json::Value;
use std::sync::Arc;

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
    /// Protocols of whose scenarios each shows a requirement asked for; see [`Filter::widened`].
    pub everywhere: Vec<Protocol>,
}

impl Filter {
    /// Where no scenario verifies a requirement asked for, monitors judge it in every run of its protocol: each of its
    /// scenarios is selected.
    #[must_use]
    pub fn widened(mut self, catalogue: &Catalogue, plans: &[Arc<Plan>]) -> Filter {
        for asked in &self.requirements {
            let mut verified = plans.iter().flat_map(|plan| &plan.verifies);
            if !verified.any(|id| id.starts_with(asked.as_str())) {
                let known = |protocol: &Protocol| {
                    let own = format!("{}-", protocol.requirement_prefix());
                    let mut ids = catalogue.requirements.keys();
                    ids.any(|id| id.starts_with(&own) && id.starts_with(asked.as_str()))
                };
                self.everywhere.extend(Protocol::ALL.into_iter().filter(known));
            }
        }
        self
    }

    /// True if a scenario was asked for. Scenarios tagged `long` must be asked for by tag or by path.
    pub fn selects(&self, plan: &Plan) -> bool {
        let protocol = self.protocols.is_empty() || self.protocols.contains(&plan.protocol);
        let path = self.paths.is_empty() || self.paths.iter().any(|part| plan.path.contains(part));
        let tags = self.tags.iter().all(|tag| plan.tags.contains(tag));
        let verifies = |asked: &String| plan.verifies.iter().any(|id| id.starts_with(asked.as_str()));
        let requirements = self.requirements.is_empty()
            || self.requirements.iter().any(verifies)
            || self.everywhere.contains(&plan.protocol);
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
    /// The unit file has no command for these probes or stimuli, or none that takes their effect back: not exercised.
    LacksHooks(Vec<String>),
    /// The unit's adapter does not name these probes or stimuli, or cannot take their effect back: not exercised.
    NotNamed(Vec<String>),
    /// The unit file does not say these times and facts: not exercised.
    LacksFacts(Vec<String>),
    /// The unit cannot be put in a declared state: not exercised.
    LacksState(String),
    /// The unit file gives no address for these faces: not exercised.
    LacksFaces(Vec<String>),
    /// The unit runs already, and cannot know the authority that would be made for the mock cloud: not exercised.
    LacksAuthority,
    /// Nobody gave the unit's images of these roles: not exercised.
    LacksArtifacts(Vec<String>),
    /// The ICS denies a feature or names another dialect: not applicable.
    NotApplicable(String),
}

impl Skip {
    /// One sentence for reports.
    pub fn reason(&self) -> String {
        match self {
            Skip::Lacks(names) if names.iter().any(|name| name == Capability::VirtualTime.name()) => {
                "not exercised: it needs virtual time, or `--tier long`, as this unit lives in real time"
                    .to_owned()
            }
            Skip::Lacks(names) => {
                format!("not exercised: driver and lab have no {}", names.join(", "))
            }
            Skip::LacksHooks(names) => {
                format!("not exercised: the unit file has no {}", names.join(", "))
            }
            Skip::NotNamed(names) => {
                format!("not exercised: the unit's adapter has no {}", names.join(", "))
            }
            Skip::LacksFacts(names) => {
                format!("not exercised: the unit file says no {}", names.join(", "))
            }
            Skip::LacksState(why) => format!("not exercised: {why}"),
            Skip::LacksFaces(names) => {
                format!("not exercised: the unit file gives no face {}", names.join(", "))
            }
            Skip::LacksAuthority => {
                "not exercised: the unit runs already and cannot trust an authority made for this run; \
                                     name a folder with one it trusts as `cloud: {pki: …}` in the unit file"
                    .to_owned()
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

/// The tier of parameters a unit runs in: the one asked for, or what its clock has time for. A day costs virtual time
/// nothing; nobody who does not ask for it waits a day at a board.
pub fn tier_of<'a>(unit: &UnitUnderTest, asked: Option<&'a str>) -> &'a str {
    asked.unwrap_or(match unit.bench {
        BenchKind::Virtual => DEFAULT_TIER,
        BenchKind::Real => QUICK_TIER,
    })
}

/// Whether a scenario can run on a unit in a tier of its parameters. The tier `long` has time for all that takes long.
pub fn applies(plan: &Plan, unit: &UnitUnderTest, tier: &str) -> Result<(), Skip> {
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
    let faces: Vec<String> = wanted_faces(plan, unit)
        .filter(|any| !any.iter().any(|face| unit.faces.contains_key(*face)))
        .map(|any| any.join(" or "))
        .collect();
    if !faces.is_empty() {
        return Err(Skip::LacksFaces(faces));
    }
    if wants_other_transport(plan, unit) {
        let why = "it needs TLS, and this unit runs on plain http (else `ics: {lab-mode: false}`)";
        return Err(Skip::LacksState(why.to_owned()));
    }
    for (name, value) in &plan.prepare {
        can_prepare(&unit.prepare, name, value).map_err(Skip::LacksState)?;
    }
    if let Some(why) = lacks_signed_image(plan, unit) {
        return Err(Skip::LacksState(why));
    }
    let has = |need: &str| {
        let has_time = unit.bench == BenchKind::Virtual || tier == LONG_TIER;
        need == Capability::VirtualTime.name() && has_time
            || unit
                .capabilities
                .iter()
                .any(|capability| capability.name() == need)
    };
    let lacks = plan.needs.iter().filter(|need| !has(need)).cloned();
    let lacks: Vec<String> = lacks.collect();
    if let Some(why) = lacks.iter().find_map(|need| unit.lab_lacks.get(need.as_str())) {
        return Err(Skip::LacksState(why.clone()));
    }
    let lacks = lacks.into_iter();
    // What can only be had from the unit file is told as what the unit file would have to say.
    let (from_hooks, lacks): (Vec<String>, Vec<String>) = lacks.partition(|need| is_from_hooks(need));
    if !lacks.is_empty() {
        return Err(Skip::Lacks(lacks));
    }
    let lacks = lacking_hooks(plan, unit);
    if let Some(why) = lacks
        .iter()
        .find_map(|hook| unit.lab_lacks.get(hook.split('`').nth(1)?))
    {
        return Err(Skip::LacksState(why.clone()));
    }
    if !lacks.is_empty() {
        return Err(match unit.facts.contains_key("adapter") {
            true => Skip::NotNamed(lacks),
            false => Skip::LacksHooks(lacks),
        });
    }
    if !from_hooks.is_empty() {
        return Err(Skip::Lacks(from_hooks));
    }
    let facts = plan.unit_facts.iter().filter(|(path, _)| !knows(unit, path));
    let facts: Vec<String> = facts
        .map(|(path, kind)| match kind {
            UnitFact::Time => format!("`timing: {{{path}: …}}`"),
            UnitFact::Fact => format!("fact `{path}`"),
        })
        .collect();
    if !facts.is_empty() {
        return Err(Skip::LacksFacts(facts));
    }
    let speaks_tls = plan.cloud.get("tls") == Some(&Value::Bool(true));
    let runs_already = matches!(unit.prepare, Preparation::Fixed(_));
    if speaks_tls && runs_already && unit.authority_directory.is_none() {
        return Err(Skip::LacksAuthority);
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

/// Whether a scenario needs a cloud that speaks TLS and the unit cannot be told so: it was given one URL for all of them.
fn wants_other_transport(plan: &Plan, unit: &UnitUnderTest) -> bool {
    let over_tls = plan.cloud.get("tls") == Some(&Value::Bool(true));
    let is_plain = unit.ics.get("lab-mode") != Some(&Value::Bool(false));
    unit.reports_to_cloud() && unit.runs_already() && over_tls && is_plain
}

/// A unit that runs already has keys of its own: it takes only what its vendor signed.
fn lacks_signed_image(plan: &Plan, unit: &UnitUnderTest) -> Option<String> {
    let mask = plan.prepare.get("sig_req_mask").and_then(Value::as_i64);
    let own = unit.capabilities.contains(&Capability::OwnImages);
    let lacks = mask.is_some_and(|mask| mask >= 0) && unit.runs_already() && !own;
    lacks.then(|| "it needs an image signed for the unit (`artifacts: {next: …}`)".to_owned())
}

/// Whether something is known of the unit.
fn knows(unit: &UnitUnderTest, path: &str) -> bool {
    [&unit.timing, &unit.facts, &unit.ics].into_iter().any(|known| {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        known
            .get(name)
            .is_some_and(|value| rest.is_empty() || walk(value, rest).is_some())
    })
}

/// Whether a capability comes from commands in the unit file.
fn is_from_hooks(capability: &str) -> bool {
    [Capability::Probe, Capability::Stimulate]
        .iter()
        .any(|from_hooks| from_hooks.name() == capability)
}

/// Probes and stimuli a scenario calls, those behind its faults included, and the unit does not have, such as
/// "probe `installs`".
fn lacking_hooks(plan: &Plan, unit: &UnitUnderTest) -> Vec<String> {
    let mut probes = plan.arguments_named("unit.probe", "name");
    let mut stimuli = plan.arguments_named("unit.stimulate", "name");
    stimuli.extend(plan.arguments_named("unit.stimulus", "name"));
    let behind = plan.faults();
    let behind = behind.iter().filter_map(|fault| hil_fault::stimulus_of(fault));
    stimuli.extend(behind.map(str::to_owned));
    let sweep = plan.sweep.as_ref();
    let counts = sweep.is_some_and(Sweep::counts_writes);
    let at_writes = sweep.is_some_and(|sweep| matches!(sweep.cut, SweepCut::FlashWrites { .. }));
    probes.extend(counts.then(|| FLASH_WRITES.to_owned()));
    stimuli.extend(at_writes.then(|| CUT_AT_WRITE.to_owned()));
    let kinds = [
        ("probe", probes, &unit.probes),
        ("stimulus", stimuli, &unit.stimuli),
    ];
    let mut lacks = Vec::new();
    for (noun, called, known) in kinds {
        let Some(known) = known else { continue };
        let called = called.into_iter().filter(|name| !known.contains(name));
        lacks.extend(called.map(|name| format!("{noun} `{name}`")));
    }
    if lacks.is_empty() {
        lacks = lacking_undos(plan, unit);
    }
    lacks
}

/// Commands that take back what a scenario does to the unit before it goes on. What happens to a unit that runs already
/// must not outlive the scenario either.
fn lacking_undos(plan: &Plan, unit: &UnitUnderTest) -> Vec<String> {
    let Some(undoable) = &unit.undoable else {
        return Vec::new();
    };
    let faults = match unit.runs_already() {
        true => plan.faults(),
        false => plan.ending_faults(),
    };
    let stimuli = faults.iter().filter_map(|fault| hil_fault::stimulus_of(fault));
    let lasting = stimuli.filter(|name| !undoable.contains(*name));
    lasting
        .map(|name| format!("`undo` of stimulus `{name}`"))
        .collect()
}

/// Faces behind the features a scenario asks for; one of each will do.
fn wanted_faces<'a>(
    plan: &'a Plan,
    unit: &'a UnitUnderTest,
) -> impl Iterator<Item = &'static [&'static str]> + 'a {
    let wanted = plan.applies_when.iter();
    let wanted = wanted.filter(|(_, value)| **value == Value::Bool(true));
    wanted
        .map(|(feature, _)| faces_of_feature(unit.protocol, feature))
        .filter(|any| !any.is_empty())
}

fn can_prepare(can: &Preparation, name: &str, value: &Value) -> Result<(), String> {
    match can {
        Preparation::Any => Ok(()),
        // Which image runs is for the driver to say, and a fresh unit is committed with an empty store.
        Preparation::Named(_) if COMMON_STATES.contains(&name) => Ok(()),
        Preparation::Named(names) if names.contains(name) => Ok(()),
        Preparation::Named(_) => Err(format!("`prepare` of the unit file has no `{name}`")),
        Preparation::Fixed(states) => match states.get(name) {
            Some(state) if state == value => Ok(()),
            Some(state) => Err(format!("the unit has `{name}: {state}`, not {value}")),
            None => Err(format!(
                "`prepare` of the unit file does not say `{name}: {value}`"
            )),
        },
    }
}

/// The tier in which a scenario may take hours of real time.
const DEFAULT_TIER: &str = "default";
const QUICK_TIER: &str = "quick";
const LONG_TIER: &str = "long";
const COMMON_STATES: [&str; 3] = ["running", "committed", "store"];
