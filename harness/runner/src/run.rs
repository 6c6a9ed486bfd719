//! A whole run: instances on worker threads, each with a runtime of its own, collected in the order of names.

use crate::{
    Filter, RunError, UnitUnderTest, coverage,
    instance::run_instance,
    jobs::{Job, plan_jobs},
    judge::skipped,
    queue::Queue,
    sweep::points_after,
};
use hil_link::Clock;
use hil_scenario::Plan;
use hil_trace::{Catalogue, HowClosed, InstanceSummary, RunSummary, Trace, Verdict};
use serde_json::{Map, Value};
use std::{
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
        mpsc,
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
    /// Parameters set by the user, in seconds where they are durations.
    pub set: Map<String, Value>,
    /// Tier of parameters, such as `quick`.
    pub tier: Option<String>,
    /// Whether faults are armed and none acts.
    pub without_faults: bool,
    /// Whether violated SHOULDs fail.
    pub strict: bool,
    /// Whether the first failure ends the run.
    pub fail_fast: bool,
    /// `hil` and its version.
    pub tool: String,
    /// Hex SHA-256 of the catalogue.
    pub catalogue_sha256: String,
    /// Folder for files of real units; each instance gets one inside.
    pub state_directory: Option<PathBuf>,
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
    fn finished(&mut self, result: &InstanceResult) {
        let _ = result;
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
    /// Every trace, in the order of names.
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
    let progress = Mutex::new(progress);
    let (shared, exclusive): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| !job.unit.exclusive);
    let shared_jobs = shared.len();
    let more = shared.iter().any(Job::may_add);
    let workers = if more { usize::MAX } else { shared_jobs.max(1) };
    let (queue, exclusive) = (Queue::new(shared), Queue::new(exclusive));
    let planned = AtomicUsize::new(shared_jobs + exclusive.left());
    let (results, collected) = mpsc::channel();
    thread::scope(|scope| {
        with(&progress, |progress| {
            progress.planned(planned.load(Ordering::SeqCst))
        });
        for _ in 0..options.jobs.clamp(1, workers) {
            let (results, queue, progress, planned) = (results.clone(), &queue, &progress, &planned);
            scope.spawn(move || work(queue, catalogue, options, stop, progress, planned, &results));
        }
        // Units that take one instance at a time share one worker of their own.
        let (results, exclusive, progress, planned) = (results, &exclusive, &progress, &planned);
        scope.spawn(move || work(exclusive, catalogue, options, stop, progress, planned, &results));
    });
    let mut results: Vec<InstanceResult> = collected.into_iter().collect();
    results.sort_by(|a, b| a.trace.header.instance.cmp(&b.trace.header.instance));
    let unfinished = queue.left() + exclusive.left() > 0;
    let cut = results
        .iter()
        .any(|r| r.trace.skipped.is_none() && r.trace.closed() == Some(HowClosed::Interrupted));
    let (traces, instances): (Vec<Trace>, Vec<InstanceSummary>) = results
        .into_iter()
        .map(|result| (result.trace, result.summary))
        .unzip();
    let summary = RunSummary {
        tool: options.tool.clone(),
        seed: options.seed,
        strict: options.strict,
        interrupted: stop.asked() && (unfinished || cut),
        coverage: coverage(&instances, catalogue, options.strict),
        instances,
        wall_seconds: clock.now().seconds(),
    };
    Ok(RunOutcome { summary, traces })
}

fn with<T>(progress: &Mutex<Box<dyn Progress>>, tell: impl FnOnce(&mut dyn Progress) -> T) -> T {
    tell(progress.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
}

fn work(
    queue: &Queue,
    catalogue: &Catalogue,
    options: &RunOptions,
    stop: &Stop,
    progress: &Mutex<Box<dyn Progress>>,
    planned: &AtomicUsize,
    results: &mpsc::Sender<InstanceResult>,
) {
    let catalogue = Rc::new(catalogue.clone());
    while !stop.asked() {
        let Some(job) = queue.take() else {
            return;
        };
        with(progress, |progress| progress.started(&job.header.instance));
        let result = match &job.skip {
            Some(reason) => {
                let trace = Trace {
                    header: job.header.clone(),
                    records: Vec::new(),
                    skipped: Some(reason.clone()),
                };
                InstanceResult {
                    trace,
                    summary: skipped(job.header.clone(), reason.clone()),
                }
            }
            None => run_instance(&job, &catalogue, options, stop),
        };
        let added = points_after(&job, &result.trace.header, result.summary.verdict);
        if !added.is_empty() {
            let total = planned.fetch_add(added.len(), Ordering::SeqCst) + added.len();
            with(progress, |progress| progress.planned(total));
        }
        with(progress, |progress| progress.finished(&result));
        queue.done(&job, added);
        if options.fail_fast && matches!(result.summary.verdict, Verdict::Fail | Verdict::Error) {
            stop.ask();
        }
        // The receiver lives as long as the scope of the workers.
        let _ = results.send(result);
    }
}

const ASKED: u8 = 1;
const HURRIED: u8 = 2;
