//! A whole run: instances on worker threads, each with a runtime of its own, collected in the order of names.

use crate::{
    BenchKind, Dispatcher, Filter, Redaction, UnitUnderTest, applies,
    bench::{Bench, clock},
    coverage,
    execute::Executor,
    judge::skipped,
    seed::sub_seed,
};
use hil_link::Clock;
use hil_scenario::Plan;
use hil_trace::{
    Blame, Catalogue, ClockKind, HowClosed, InstanceSummary, RecordBody, Recorder, RunSummary, ScenarioRef,
    Trace, TraceHeader, Verdict,
};
use hil_wire::digest::sha256_hex;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
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
    /// So many instances will run.
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

#[derive(Clone)]
struct Job {
    plan: Arc<Plan>,
    unit: Arc<UnitUnderTest>,
    header: TraceHeader,
    skip: Option<String>,
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
    with(&progress, |progress| progress.planned(jobs.len()));
    let (shared, exclusive): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| !job.unit.exclusive);
    let shared_jobs = shared.len();
    let queue = Mutex::new(VecDeque::from(shared));
    let exclusive = Mutex::new(VecDeque::from(exclusive));
    let (results, collected) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, shared_jobs.max(1)) {
            let (results, queue, progress) = (results.clone(), &queue, &progress);
            scope.spawn(move || work(queue, catalogue, options, stop, progress, &results));
        }
        // Units that take one instance at a time share one worker of their own.
        let (results, exclusive, progress) = (results, &exclusive, &progress);
        scope.spawn(move || work(exclusive, catalogue, options, stop, progress, &results));
    });
    let mut results: Vec<InstanceResult> = collected.into_iter().collect();
    results.sort_by(|a, b| a.trace.header.instance.cmp(&b.trace.header.instance));
    let left = |queue: Mutex<VecDeque<Job>>| queue.into_inner().unwrap_or_else(PoisonError::into_inner).len();
    let unfinished = left(queue) + left(exclusive) > 0;
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

fn plan_jobs(
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
                let header = header(plan, unit, options, repetition, repeat);
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
    }
}

fn work(
    queue: &Mutex<VecDeque<Job>>,
    catalogue: &Catalogue,
    options: &RunOptions,
    stop: &Stop,
    progress: &Mutex<Box<dyn Progress>>,
    results: &mpsc::Sender<InstanceResult>,
) {
    let catalogue = Rc::new(catalogue.clone());
    while !stop.asked() {
        let Some(job) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
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
        with(progress, |progress| progress.finished(&result));
        if options.fail_fast && matches!(result.summary.verdict, Verdict::Fail | Verdict::Error) {
            stop.ask();
        }
        // The receiver lives as long as the scope of the workers.
        let _ = results.send(result);
    }
}

fn run_instance(job: &Job, catalogue: &Rc<Catalogue>, options: &RunOptions, stop: &Stop) -> InstanceResult {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_all()
            .start_paused(job.unit.bench == BenchKind::Virtual);
        let runtime = builder.build()?;
        let local = tokio::task::LocalSet::new();
        Ok::<_, std::io::Error>(local.block_on(&runtime, instance(job, catalogue.clone(), options, stop)))
    }));
    let trouble = match outcome {
        Ok(Ok(result)) => return result,
        Ok(Err(error)) => format!("no runtime: {error}"),
        Err(_) => "the harness panicked in this instance".to_owned(),
    };
    let records = [
        RecordBody::Trouble {
            blame: Blame::Harness,
            text: trouble,
        },
        RecordBody::Closed {
            how: HowClosed::Interrupted,
        },
    ];
    let records = records
        .into_iter()
        .enumerate()
        .map(|(seq, what)| hil_trace::Record {
            seq: seq as u64,
            at: hil_trace::Stamp::ZERO,
            what,
        });
    let trace = Trace {
        header: job.header.clone(),
        records: records.collect(),
        skipped: None,
    };
    let summary = crate::judge_trace(&trace, catalogue, options.strict);
    InstanceResult { trace, summary }
}

async fn instance(job: &Job, catalogue: Rc<Catalogue>, options: &RunOptions, stop: &Stop) -> InstanceResult {
    let clock = clock(job.unit.bench);
    let mut header = job.header.clone();
    header.epoch_unix_us = clock.epoch_unix_us();
    let kit = (job.unit.make)();
    if let Ok(kit) = &kit {
        header.facts.extend(kit.driver.facts());
        let artifacts = kit.artifacts.0.iter().map(|(role, artifact)| {
            let facts = json!({
                "name": artifact.name,
                "version": artifact.version,
                "size": artifact.bytes.len(),
                "sha256": sha256_hex(&artifact.bytes),
            });
            (role.clone(), facts)
        });
        header
            .facts
            .insert("artifacts".to_owned(), Value::Object(artifacts.collect()));
    }
    let dispatcher = Dispatcher::new(
        clock,
        &header,
        catalogue.clone(),
        Redaction::of_settings(&job.unit.settings),
    );
    let how = match kit {
        Ok(kit) => {
            let folder = options
                .state_directory
                .as_ref()
                .map(|folder| folder.join(format!("{:016x}", sub_seed(header.seed, &header.instance))));
            let set_up = Bench::set_up(
                &job.plan,
                &job.unit,
                kit.artifacts,
                &header,
                dispatcher.clone(),
                &*kit.driver,
                folder,
            );
            let real = job.unit.bench == BenchKind::Real;
            let set_up = tokio::select! {
                biased;
                bench = set_up => Some(bench),
                () = when(|| stop.asked()), if real => None,
            };
            match set_up {
                None => HowClosed::Interrupted,
                Some(Ok(mut bench)) => {
                    let how = execute(&mut bench, job, &header, stop).await;
                    // What the unit does when it is put away is nobody's matter: the trace ends before.
                    dispatcher.record(RecordBody::Closed { how });
                    tokio::select! {
                        biased;
                        _ = bench.unit.stop() => {}
                        () = when(|| stop.hurried()), if real => {}
                    }
                    how
                }
                Some(Err(error)) => {
                    let (blame, text) = (error.blame(), error.to_string());
                    dispatcher.record(RecordBody::Trouble { blame, text });
                    HowClosed::Complete
                }
            }
        }
        Err(error) => {
            dispatcher.record(RecordBody::Trouble {
                blame: error.blame(),
                text: error.to_string(),
            });
            HowClosed::Complete
        }
    };
    // Changes nothing if the trace is closed already.
    dispatcher.record(RecordBody::Closed { how });
    let (trace, summary) = dispatcher.finish(header, catalogue, options.strict);
    InstanceResult { trace, summary }
}

async fn execute(bench: &mut Bench, job: &Job, header: &TraceHeader, stop: &Stop) -> HowClosed {
    let real = job.unit.bench == BenchKind::Real;
    // Virtual time costs nothing: there the limit only ends what would never end.
    let limit = if real {
        job.plan.timeout
    } else {
        job.plan.timeout.max(VIRTUAL_LIMIT)
    };
    let dispatcher = bench.dispatcher.clone();
    let mut executor = Executor::new(bench, &job.plan, header);
    tokio::select! {
        biased;
        how = executor.run() => how,
        () = overdue(&dispatcher, limit) => HowClosed::TimedOut,
        () = when(|| stop.asked()), if real => HowClosed::Interrupted,
    }
}

/// Waits until the limit has passed and no step is inside the time the scenario gives it: such a step is judged by its
/// own window, never by the limit.
async fn overdue(dispatcher: &Dispatcher, limit: Duration) {
    let clock = dispatcher.clock();
    let mut until = clock.now() + limit;
    loop {
        clock.sleep_until(until).await;
        let busy = dispatcher.judgement().scenario.busy_until();
        match busy.filter(|busy| *busy >= clock.now()) {
            Some(busy) => until = busy + GRACE,
            None => return,
        }
    }
}

async fn when(asked: impl Fn() -> bool) {
    while !asked() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const ASKED: u8 = 1;
const HURRIED: u8 = 2;
/// What the steps after a window may take before the limit is looked at again.
const GRACE: Duration = Duration::from_secs(5);
const VIRTUAL_LIMIT: Duration = Duration::from_secs(24 * 3600);
