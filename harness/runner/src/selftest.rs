//! The test of the tests: every suite on clean units, then each defect where its primary requirement passes on a clean unit.

use crate::{Filter, Progress, RunError, RunOptions, RunOutcome, Stop, UnitUnderTest, run};
use hil_link::Clock;
use hil_scenario::Plan;
use hil_trace::{
    Alarm, Catalogue, CleanRun, DefectLine, DefectOutcome, DefectRun, InstanceSummary, Level, SelftestMatrix,
    Verdict,
};
use hil_wire::Protocol;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A unit with one defect.
#[derive(Clone)]
pub struct Specimen {
    /// Name of the defect.
    pub name: String,
    /// The requirement it must trip.
    pub primary: String,
    /// What such a unit does, in one sentence.
    pub summary: String,
    /// The unit, once for each clean unit of its protocol and in their order: all dialects.
    pub units: Vec<Arc<UnitUnderTest>>,
}

impl Specimen {
    fn protocol(&self) -> Option<Protocol> {
        self.units.first().map(|unit| unit.protocol)
    }
}

/// What a selftest is done with.
pub struct Selftest<'a> {
    /// Every scenario.
    pub plans: &'a [Arc<Plan>],
    /// Units without defects, one for each dialect of each protocol.
    pub clean: &'a [Arc<UnitUnderTest>],
    /// Units with one defect each.
    pub specimens: &'a [Specimen],
    /// Whether the specimens are all there are, so that what is missing can be told and clean units are judged.
    pub is_whole: bool,
    /// Requirements.
    pub catalogue: &'a Catalogue,
    /// How instances are run; the seed is not used.
    pub options: &'a RunOptions,
    /// Each is one round.
    pub seeds: &'a [u64],
}

/// Is told how a selftest goes on; called from worker threads.
pub trait SelftestProgress: Sync {
    /// So many runs lie ahead: one for each seed, and one for each defect and seed.
    fn planned(&self, runs: usize);
    /// A run of clean units ended.
    fn clean(&self, run: &CleanRun);
    /// A defect was tried with one seed.
    fn tried(&self, specimen: &Specimen, run: &DefectRun);
}

/// Runs it all.
pub fn selftest(
    test: &Selftest<'_>,
    stop: &Stop,
    progress: &dyn SelftestProgress,
) -> Result<SelftestMatrix, RunError> {
    let clock = Clock::new_real();
    progress.planned(test.seeds.len() * (1 + test.specimens.len()));
    let mut clean = Vec::new();
    let mut lines: Vec<DefectLine> = test
        .specimens
        .iter()
        .filter_map(|specimen| line(specimen, test.catalogue))
        .collect();
    for seed in test.seeds {
        let outcome = run_clean(test, *seed, stop)?;
        let alarms = outcome.summary.instances.iter().flat_map(alarms).collect();
        let round = CleanRun {
            seed: *seed,
            instances: outcome.summary.counts().ran(),
            alarms,
        };
        progress.clean(&round);
        clean.push(round);
        let grounds = Grounds::of(test, &outcome);
        for (line, run) in lines
            .iter_mut()
            .zip(try_all(test, *seed, &grounds, stop, progress))
        {
            line.runs.push(run);
        }
    }
    Ok(SelftestMatrix {
        tool: test.options.tool.clone(),
        catalogue_sha256: test.options.catalogue_sha256.clone(),
        seeds: test.seeds.to_vec(),
        clean: if test.is_whole { clean } else { Vec::new() },
        without_defect: if test.is_whole {
            without_defect(test)
        } else {
            BTreeMap::new()
        },
        defects: lines,
        interrupted: stop.asked(),
        wall_seconds: clock.now().seconds(),
    })
}

fn line(specimen: &Specimen, catalogue: &Catalogue) -> Option<DefectLine> {
    Some(DefectLine {
        name: specimen.name.clone(),
        protocol: specimen.protocol()?,
        summary: specimen.summary.clone(),
        primary: specimen.primary.clone(),
        level: catalogue.level(&specimen.primary),
        runs: Vec::new(),
    })
}

fn run_clean(test: &Selftest<'_>, seed: u64, stop: &Stop) -> Result<RunOutcome, RunError> {
    let options = RunOptions {
        seed,
        ..test.options.clone()
    };
    run(
        test.plans,
        test.clean,
        &Filter::default(),
        test.catalogue,
        &options,
        stop,
        Box::new(Silent),
    )
}

/// What a clean instance is accused of.
fn alarms(instance: &InstanceSummary) -> Vec<Alarm> {
    let alarm = |verdict, requirement: Option<&String>, text: &str| Alarm {
        instance: instance.header.instance.clone(),
        verdict,
        requirement: requirement.cloned(),
        text: text.to_owned(),
    };
    let odd = instance
        .findings
        .iter()
        .filter(|f| matches!(f.verdict, Verdict::Fail | Verdict::Error | Verdict::Inconclusive));
    let mut alarms: Vec<Alarm> = odd
        .map(|f| alarm(f.effective(false), f.requirement.as_ref(), &f.text))
        .collect();
    let undecided = !matches!(instance.verdict, Verdict::Pass | Verdict::None);
    if undecided && alarms.is_empty() {
        alarms.push(alarm(instance.verdict, None, "no finding says why"));
    }
    alarms
}

/// Where each requirement passes on clean units: the scenarios and on which unit of the protocol, those written for it
/// first, then by their length.
struct Grounds(BTreeMap<String, Vec<Ground>>);

/// A scenario on one of the units of its protocol.
#[derive(Clone)]
struct Ground {
    plan: Arc<Plan>,
    unit: usize,
}

impl Grounds {
    fn of(test: &Selftest<'_>, clean: &RunOutcome) -> Self {
        let by_path: BTreeMap<&str, &Arc<Plan>> =
            test.plans.iter().map(|plan| (plan.path.as_str(), plan)).collect();
        let mut lengths: BTreeMap<(&str, usize), u64> = BTreeMap::new();
        let mut passing: BTreeMap<&str, BTreeSet<(&str, usize)>> = BTreeMap::new();
        for instance in &clean.summary.instances {
            let header = &instance.header;
            let of_protocol = test.clean.iter().filter(|unit| unit.protocol == header.protocol);
            let Some(unit) = of_protocol.clone().position(|unit| unit.name == header.unit) else {
                continue;
            };
            let place = (header.scenario.path.as_str(), unit);
            *lengths.entry(place).or_default() += instance.records;
            let passes = instance.findings.iter().filter(|f| f.verdict == Verdict::Pass);
            for requirement in passes.filter_map(|f| f.requirement.as_deref()) {
                passing.entry(requirement).or_default().insert(place);
            }
        }
        let ordered = passing.into_iter().map(|(requirement, places)| {
            let mut found: Vec<(&str, usize, &Arc<Plan>)> = places
                .into_iter()
                .filter_map(|(path, unit)| Some((path, unit, *by_path.get(path)?)))
                .collect();
            found.sort_by_key(|(path, unit, plan)| {
                let written_for = plan.verifies.iter().any(|id| id == requirement);
                (!written_for, *unit, lengths.get(&(*path, *unit)).copied(), *path)
            });
            let grounds = found.into_iter().map(|(_, unit, plan)| Ground {
                plan: plan.clone(),
                unit,
            });
            (requirement.to_owned(), grounds.collect())
        });
        Grounds(ordered.collect())
    }

    fn for_requirement(&self, id: &str) -> &[Ground] {
        self.0.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Every specimen with one seed, on as many threads as there are jobs; in the order of specimens.
fn try_all(
    test: &Selftest<'_>,
    seed: u64,
    grounds: &Grounds,
    stop: &Stop,
    progress: &dyn SelftestProgress,
) -> Vec<DefectRun> {
    let next = AtomicUsize::new(0);
    let runs = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..test.options.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(specimen) = test.specimens.get(index) else {
                        return;
                    };
                    let run = try_one(test, specimen, seed, grounds, stop);
                    progress.tried(specimen, &run);
                    let mut runs = runs.lock().unwrap_or_else(PoisonError::into_inner);
                    runs.insert(index, run);
                }
            });
        }
    });
    let runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.into_values().collect()
}

fn try_one(test: &Selftest<'_>, specimen: &Specimen, seed: u64, grounds: &Grounds, stop: &Stop) -> DefectRun {
    let mut also = BTreeSet::new();
    let mut tried = Vec::new();
    let options = RunOptions {
        seed,
        jobs: 1,
        ..test.options.clone()
    };
    let candidates = grounds.for_requirement(&specimen.primary);
    for Ground { plan, unit } in candidates.iter().take(MOST_SCENARIOS) {
        let Some(unit) = specimen.units.get(*unit) else {
            continue;
        };
        let filter = Filter {
            paths: vec![plan.path.clone()],
            ..Filter::default()
        };
        let ran = run(
            std::slice::from_ref(plan),
            std::slice::from_ref(unit),
            &filter,
            test.catalogue,
            &options,
            stop,
            Box::new(Silent),
        );
        // Nothing of the command line goes into these runs, so none can fail to begin.
        let Ok(outcome) = ran else { continue };
        if stop.asked() {
            break;
        }
        tried.push(plan.path.clone());
        let mut caught = None;
        for instance in &outcome.summary.instances {
            for finding in instance.findings.iter().filter(|f| f.verdict == Verdict::Fail) {
                match &finding.requirement {
                    Some(id) if *id == specimen.primary => {
                        caught.get_or_insert_with(|| DefectOutcome::Detected {
                            instance: instance.header.instance.clone(),
                            text: finding.text.clone(),
                            evidence: finding.evidence.clone(),
                        });
                    }
                    Some(id) => {
                        also.insert(id.clone());
                    }
                    None => {}
                }
            }
        }
        if let Some(outcome) = caught {
            return DefectRun { seed, outcome, also };
        }
    }
    let outcome = if stop.asked() {
        DefectOutcome::NotRun
    } else if candidates.is_empty() {
        DefectOutcome::NotExercised
    } else {
        DefectOutcome::Missed { tried }
    };
    DefectRun { seed, outcome, also }
}

/// MUSTs of the clean units' protocols that no specimen is there for.
fn without_defect(test: &Selftest<'_>) -> BTreeMap<Protocol, Vec<String>> {
    let covered: BTreeSet<&str> = test.specimens.iter().map(|s| s.primary.as_str()).collect();
    let of = |protocol: Protocol| {
        let prefix = format!("{}-", protocol.requirement_prefix());
        let all = test.catalogue.requirements.values();
        all.filter(|r| r.id.starts_with(&prefix) && r.level == Level::Must)
            .filter(|r| !covered.contains(r.id.as_str()))
            .map(|r| r.id.clone())
            .collect::<Vec<_>>()
    };
    let protocols: BTreeSet<Protocol> = test.clean.iter().map(|unit| unit.protocol).collect();
    protocols
        .into_iter()
        .map(|protocol| (protocol, of(protocol)))
        .filter(|(_, ids)| !ids.is_empty())
        .collect()
}

struct Silent;

impl Progress for Silent {}

/// A defect that so many scenarios do not catch is missed.
const MOST_SCENARIOS: usize = 24;
