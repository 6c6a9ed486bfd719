//! `hil certify --plan`: what would run, how long it may take, and what is missing, before any time is spent.

use super::Request;
use crate::{
    commands::{print, run::default_jobs},
    exit::Exit,
    units,
};
use hil_runner::{BenchKind, Filter, Progress, RunOptions, Stop, applies, run};
use hil_scenario::Plan;
use hil_trace::Level;
use serde_json::Map;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
    time::Duration,
};

/// Prints the plan. The exit is that of a certificate nothing but exercise could stand against.
pub(super) fn execute(request: &Request, jobs: Option<u16>) -> Exit {
    let (mut runs, mut skipped) = (Vec::new(), BTreeMap::new());
    for plan in &request.plans {
        match applies(plan, &request.unit, &request.tier) {
            Ok(()) => runs.push(plan),
            Err(skip) => {
                skipped.insert(plan.path.as_str(), skip.reason());
            }
        }
    }
    let mut text = String::new();
    let profile = &request.profile;
    let _ = writeln!(
        text,
        "{}: {} requirements ({} MUST), {}",
        profile.name,
        profile.requirements.len(),
        profile.count(Level::Must),
        profile.summary
    );
    let instances: u32 = runs.iter().map(|plan| plan.repeat.max(1)).sum();
    let sweeps = runs.iter().filter(|plan| plan.sweep.is_some()).count();
    let _ = write!(text, "runs      {} scenarios, {instances} instances", runs.len());
    if sweeps > 0 {
        let _ = write!(
            text,
            "; {sweeps} of them sweeps, which add a run for each point they find"
        );
    }
    text.push('\n');
    let jobs = jobs.map_or_else(|| default_jobs(std::slice::from_ref(&request.unit)), usize::from);
    let _ = writeln!(text, "takes     {}", time(request, &runs, jobs));
    for (path, reason) in &skipped {
        let _ = writeln!(text, "skips     {path}: {reason}");
    }
    for demand in profile.demands(&request.unit.ics) {
        let _ = writeln!(text, "missing   {demand}");
    }
    let mut missing = !profile.demands(&request.unit.ics).is_empty();
    for (id, level) in &profile.requirements {
        if let Some(said) = profile.excuse(id, &request.unit.ics) {
            let _ = writeln!(text, "not applicable  {id}: {said}");
            continue;
        }
        if *level != Level::Must || has_occasion(request, &runs, id) {
            continue;
        }
        missing = true;
        let _ = writeln!(text, "missing   {id}: {}", why(request, &skipped, id));
    }
    if let Some(untold) = request.untold() {
        missing = true;
        let _ = writeln!(text, "missing   {untold}");
    }
    let _ = write!(
        text,
        "{}",
        match missing {
            true => "no certificate can come of this: mend what is missing first",
            false => "every MUST has an occasion; what comes of it the run will show",
        }
    );
    print(&text);
    if missing { Exit::NotExercised } else { Exit::Pass }
}

/// How long it may take, and how that is known.
fn time(request: &Request, runs: &[&Arc<Plan>], jobs: usize) -> String {
    if request.unit.bench == BenchKind::Virtual {
        return "mostly less than a minute: the time of simulated units is virtual".to_owned();
    }
    let at_a_time = if request.unit.exclusive { 1 } else { jobs.max(1) };
    match rehearsed(request, runs) {
        Some((sum, longest)) => format!(
            "about {}, {at_a_time} at a time: what the same scenarios take on the simulated unit, with the times of this \
             one in the tier `{}`; more if it is slower or fails",
            spoken((sum / divisor(at_a_time)).max(longest)),
            request.tier
        ),
        None => "nobody knows how long: the simulated unit could not rehearse it".to_owned(),
    }
}

fn divisor(jobs: usize) -> u32 {
    u32::try_from(jobs).unwrap_or(u32::MAX).max(1)
}

/// The virtual time the scenarios take on the simulated unit, told the times and options of this one: together, and the
/// longest.
fn rehearsed(request: &Request, runs: &[&Arc<Plan>]) -> Option<(Duration, Duration)> {
    let mut unit = units::defective(request.profile.protocol, None, None).ok()?;
    unit.timing.extend(request.unit.timing.clone());
    unit.ics.extend(request.unit.ics.clone());
    let plans: Vec<Arc<Plan>> = runs.iter().map(|plan| Arc::clone(plan)).collect();
    let filter = Filter {
        paths: plans.iter().map(|plan| plan.path.clone()).collect(),
        ..Filter::default()
    };
    let options = RunOptions {
        seed: 1,
        jobs: std::thread::available_parallelism().map_or(2, usize::from),
        repeat: 1,
        retries: 0,
        partition: None,
        cases: None,
        set: Map::new(),
        tier: Some(request.tier.clone()),
        without_faults: false,
        strict: false,
        waivers: None,
        fail_fast: false,
        tool: String::new(),
        catalogue_sha256: String::new(),
        state_directory: None,
    };
    let catalogue = &request.library.catalogue;
    let units = [Arc::new(unit)];
    let outcome = run(
        &plans,
        &units,
        &filter,
        catalogue,
        &options,
        &Stop::default(),
        Box::new(Quiet),
    );
    let instances = outcome.ok()?.summary.instances;
    let times = instances
        .iter()
        .filter_map(|one| Duration::try_from_secs_f64(one.duration).ok());
    let (sum, longest) = times.fold((Duration::ZERO, Duration::ZERO), |(sum, longest), time| {
        (sum + time, longest.max(time))
    });
    (!sum.is_zero()).then_some((sum, longest))
}

/// Tells nobody.
struct Quiet;

impl Progress for Quiet {}

/// Whether something that runs may show a requirement: a scenario that verifies or provokes it, or, where none is meant
/// for it, any at all, as monitors judge every run.
fn has_occasion(request: &Request, runs: &[&Arc<Plan>], id: &str) -> bool {
    let meant = meant_for(request, id);
    match meant.is_empty() {
        true => !runs.is_empty(),
        false => runs.iter().any(|plan| meant.contains(plan.path.as_str())),
    }
}

/// Paths of the scenarios that verify or provoke a requirement.
fn meant_for<'r>(request: &'r Request, id: &str) -> BTreeSet<&'r str> {
    let stimuli = request.library.catalogue.get(id).map(|one| &one.stimuli);
    let named: BTreeSet<String> = stimuli
        .into_iter()
        .flatten()
        .flat_map(|stimulus| &stimulus.scenarios)
        .map(|name| format!("{}/{name}.yaml", request.profile.protocol))
        .collect();
    let verifies = |plan: &&Arc<Plan>| {
        plan.verifies.iter().any(|own| own == id)
            || plan.provokes.contains_key(id)
            || named.contains(&plan.path)
    };
    request
        .plans
        .iter()
        .filter(verifies)
        .map(|plan| plan.path.as_str())
        .collect()
}

/// What the scenarios of a requirement lack.
fn why(request: &Request, skipped: &BTreeMap<&str, String>, id: &str) -> String {
    let meant = meant_for(request, id);
    let reasons = meant.iter().filter_map(|path| Some((path, skipped.get(path)?)));
    let reasons: Vec<String> = reasons
        .map(|(path, reason)| format!("{path}: {reason}"))
        .collect();
    match reasons.is_empty() {
        true => "nothing runs".to_owned(),
        false => reasons.join("; "),
    }
}

fn spoken(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match minutes {
        0..=99 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}
