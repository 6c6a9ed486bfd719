//! A whole run: instances on worker threads, each with a runtime of its own, collected in the order of names.

use crate::{
    Filter, RunError, UnitUnderTest,
    artifact_facts::ArtifactFacts,
    coverage,
    instance::run_instance,
    jobs::{Job, plan_jobs},
    judge::skipped,
    queue::Queue,
    repeats::Keeper,
    sweep::points_after,
};
use hil_link::Clock;
use hil_scenario::Plan;
use hil_trace::{
    Catalogue, Figures, HowClosed, InstanceSummary, Partition, RunSummary, Trace, TraceHeader, Verdict,
    Waivers, exercise,
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread,
};

/// How a run is done.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Run seed.
    pub seed: u64,
    /// Instances at a time.
    pub jobs: usize,
    /// How often each scenario runs, times its own `repeat`.
    pub repeat: u32,
    /// How often an instance that did not pass is run again.
    pub retries: u32,
    /// The part of the run that is done here, if machines share it.
    pub partition: Option<Partition>,
    /// Only some of the selected scenarios.
    pub cases: Option<Cases>,
    /// Parameters set by the user, in seconds where they are durations.
    pub set: Map<String, Value>,
    /// Tier of parameters, such as `quick`.
    pub tier: Option<String>,
    /// Whether faults are armed and none acts.
    pub without_faults: bool,
    /// Whether violated SHOULDs fail.
    pub strict: bool,
    /// Violations that do not fail the run.
    pub waivers: Option<Waivers>,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// `hil` and its version.
    pub tool: String,
    /// Hex SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// Folder for files of real units; each instance gets one inside.
    pub state_directory: Option<PathBuf>,
}

/// Scenarios on their units by name, such as `edge-poll/idle@sim`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cases {
    /// Those.
    Only(BTreeSet<String>),
    /// All but those.
    AllBut(BTreeSet<String>),
}

impl Cases {
    /// Whether the scenario on a unit with that name is one of them.
    pub fn hold(&self, name: &str) -> bool {
        match self {
            Cases::Only(names) => names.contains(name),
            Cases::AllBut(names) => !names.contains(name),
        }
    }
}

/// Asks a run to end cleanly; clones are the same request.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    /// Asks; units are put away in order.
    pub fn ask(&self) {
        self.0.fetch_max(ASKED, Ordering::SeqCst);
    }

    /// Asks not to wait for units: they are killed.
    pub fn hurry(&self) {
        self.0.fetch_max(HURRIED, Ordering::SeqCst);
    }

    /// True once asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= ASKED
    }

    /// True once units are not to be waited for.
    pub fn hurried(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= HURRIED
    }
}

/// Is told how a run goes on; called from worker threads, one call at a time.
pub trait Progress: Send {
    /// So many instances will run; told again when a sweep knows its points.
    fn planned(&mut self, instances: usize) {
        let _ = instances;
    }
    /// An instance begins.
    fn started(&mut self, instance: &str) {
        let _ = instance;
    }
    /// An instance was judged.
    fn finished(&mut self, instance: &InstanceSummary) {
        let _ = instance;
    }
    /// Everything of an instance is kept. Of repeats this may be told long after they finished.
    fn keep(&mut self, trace: &Trace) {
        let _ = trace;
    }
    /// Repeats of a scenario begin; told before anything is kept of them.
    fn keep_group(&mut self, common: &TraceHeader) {
        let _ = common;
    }
    /// Of a repeat its figures are kept, and nothing else.
    fn keep_figures(&mut self, group: &str, figures: &Figures) {
        let _ = (group, figures);
    }
}

/// One instance, run and judged.
#[derive(Clone, Debug)]
pub struct InstanceResult {
    /// Its trace.
    pub trace: Trace,
    /// Its judgement.
    pub summary: InstanceSummary,
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// Everything judged.
    pub summary: RunSummary,
    /// Every trace at hand, in the order of names: not those of repeats that keep their figures only.
    pub traces: Vec<Trace>,
}

/// Runs every selected scenario on every unit that speaks its protocol.
pub fn run(
    plans: &[Arc<Plan>],
    units: &[Arc<UnitUnderTest>],
    filter: &Filter,
    catalogue: &Catalogue,
    options: &RunOptions,
    stop: &Stop,
    progress: Box<dyn Progress>,
) -> Result<RunOutcome, RunError> {
    let clock = Clock::new_real();
    let jobs = plan_jobs(plans, units, filter, options)?;
    let (shared, exclusive): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| !job.unit.exclusive);
    let shared_jobs = shared.len();
    let more = shared.iter().any(Job::may_add);
    let workers = if more { usize::MAX } else { shared_jobs.max(1) };
    let (queue, exclusive) = (Queue::new(shared), Queue::new(exclusive));
    let mut desk = Desk {
        progress,
        keeper: Keeper::default(),
        planned: 0,
        cut: false,
    };
    desk.plan(shared_jobs + exclusive.left());
    let desk = Mutex::new(desk);
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, workers) {
            scope.spawn(|| work(&queue, catalogue, options, stop, &desk));
        }
        // Units that take one instance at a time share one worker of their own.
        scope.spawn(|| work(&exclusive, catalogue, options, stop, &desk));
    });
    let unfinished = queue.left() + exclusive.left() > 0;
    let desk = desk.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Desk {
        mut progress,
        keeper,
        cut,
        ..
    } = desk;
    let (instances, traces) = keeper.finish(catalogue, options.strict, progress.as_mut());
    let summary = RunSummary {
        tool: options.tool.clone(),
        seed: options.seed,
        strict: options.strict,
        interrupted: stop.asked() && (unfinished || cut),
        partitions: options.partition.into_iter().collect(),
        exercise: exercise(&instances, &catalogue.exercise),
        coverage: coverage(&instances, catalogue, options.strict),
        instances,
        waivers: Vec::new(),
        wall_seconds: clock.now().seconds(),
    };
    let summary = match &options.waivers {
        Some(waivers) => summary.waived(waivers),
        None => summary,
    };
    Ok(RunOutcome { summary, traces })
}

/// Where workers bring what they have done, one at a time.
struct Desk {
    progress: Box<dyn Progress>,
    keeper: Keeper,
    /// How many instances will run, as far as is known.
    planned: usize,
    /// An instance was cut short.
    cut: bool,
}

impl Desk {
    fn plan(&mut self, more: usize) {
        self.planned += more;
        self.progress.planned(self.planned);
    }
}

fn at<T>(desk: &Mutex<Desk>, what: impl FnOnce(&mut Desk) -> T) -> T {
    what(&mut desk.lock().unwrap_or_else(PoisonError::into_inner))
}

fn work(queue: &Queue, catalogue: &Catalogue, options: &RunOptions, stop: &Stop, desk: &Mutex<Desk>) {
    let mut own_catalogue = None;
    let artifact_facts = ArtifactFacts::default();
    while !stop.asked() {
        let Some(job) = queue.take() else {
            return;
        };
        let catalogue = own_catalogue.get_or_insert_with(|| Rc::new(catalogue.clone()));
        let header = job.header();
        at(desk, |desk| desk.progress.started(&header.instance));
        let mut result = match &job.skip {
            Some(reason) => InstanceResult {
                summary: skipped(header.clone(), reason.clone()),
                trace: Trace {
                    header,
                    records: Vec::new(),
                    skipped: Some(reason.clone()),
                },
            },
            None => run_instance(&job, header, catalogue, &artifact_facts, options, stop),
        };
        if let Some(waivers) = &options.waivers {
            waivers.apply(&mut result.summary, options.strict);
        }
        let mut added = points_after(&job, &result.trace.header, result.summary.verdict);
        added.extend(job.retry(&result.summary).filter(|_| !stop.asked()));
        if options.fail_fast
            && added.is_empty()
            && matches!(result.summary.unwaived(), Verdict::Fail | Verdict::Error)
        {
            stop.ask();
        }
        at(desk, |desk| {
            if !added.is_empty() {
                desk.plan(added.len());
            }
            desk.cut |=
                result.trace.skipped.is_none() && result.trace.closed() == Some(HowClosed::Interrupted);
            desk.progress.finished(&result.summary);
            desk.keeper.take(result, desk.progress.as_mut());
        });
        queue.done(&job, added);
    }
}

const ASKED: u8 = 1;
const HURRIED: u8 = 2;
