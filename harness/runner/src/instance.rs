//! One instance from its bench to its judgement: set up, executed, put away.

use crate::{
    BenchKind, Dispatcher, InstanceResult, Redaction, RunOptions, Stop,
    artifact_facts::ArtifactFacts,
    bench::{Bench, BenchError, clock},
    execute::Executor,
    jobs::Job,
    seed::sub_seed,
};
use hil_trace::{Blame, Catalogue, HowClosed, RecordBody, Recorder, Trace, TraceHeader};
use hil_unit::UnitError;
use serde_json::Value;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    time::Duration,
};

/// Runs and judges one instance on a runtime of its own.
pub(crate) fn run_instance(
    job: &Job,
    header: TraceHeader,
    catalogue: &Rc<Catalogue>,
    artifact_facts: &ArtifactFacts,
    options: &RunOptions,
    stop: &Stop,
) -> InstanceResult {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder
            .enable_all()
            .start_paused(job.unit.bench == BenchKind::Virtual);
        let runtime = builder.build()?;
        let local = tokio::task::LocalSet::new();
        Ok::<_, std::io::Error>(local.block_on(
            &runtime,
            instance(
                job,
                header.clone(),
                catalogue.clone(),
                artifact_facts,
                options,
                stop,
            ),
        ))
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
        header,
        records: records.collect(),
        skipped: None,
    };
    let summary = crate::judge_trace(&trace, catalogue, options.strict);
    InstanceResult { trace, summary }
}

async fn instance(
    job: &Job,
    mut header: TraceHeader,
    catalogue: Rc<Catalogue>,
    artifact_facts: &ArtifactFacts,
    options: &RunOptions,
    stop: &Stop,
) -> InstanceResult {
    let clock = clock(job.unit.bench);
    header.epoch_unix_us = clock.epoch_unix_us();
    let kit = (job.unit.make)();
    if let Ok(kit) = &kit {
        header.facts.extend(kit.driver.facts());
        let artifacts = artifact_facts.of(&kit.artifacts);
        header
            .facts
            .insert("artifacts".to_owned(), Value::Object(artifacts));
    }
    let dispatcher = Dispatcher::new(
        clock,
        &header,
        catalogue.clone(),
        Redaction::of_settings(&job.unit.settings),
    );
    let how = match kit {
        Ok(kit) => {
            let real = job.unit.bench == BenchKind::Real;
            // A virtual bench touches no files.
            let folder = options
                .state_directory
                .as_ref()
                .filter(|_| real)
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
            let set_up = tokio::select! {
                biased;
                bench = set_up => Some(bench),
                () = when(|| stop.asked()), if real => None,
            };
            match set_up {
                None => HowClosed::Interrupted,
                Some(Ok(mut bench)) => {
                    let how = execute(&mut bench, job, &header, stop).await;
                    let spent = bench.cutter.end().await;
                    if let Some(run) = &mut header.sweep {
                        run.span = run.span.or(bench.cutter.span());
                        run.spent = spent;
                    }
                    last_words(&bench, stop, real).await;
                    // What the unit does when it is put away is nobody's matter: the trace ends before.
                    dispatcher.record(RecordBody::Closed { how });
                    // One that runs on has perhaps not told everything yet, and would wait ever longer to tell the next
                    // instance.
                    if job.unit.runs_already() && job.unit.reports_to_cloud() {
                        tokio::select! {
                            biased;
                            () = clock.sleep(LAST_WORDS) => {}
                            () = when(|| stop.asked()) => {}
                        }
                    }
                    tokio::select! {
                        biased;
                        _ = async { bench.unit.lock().await.put_away().await } => {}
                        () = when(|| stop.hurried()), if real => {}
                    }
                    how
                }
                Some(Err(BenchError::Unit(UnitError::NotImplemented(what)))) => {
                    dispatcher.not_implemented(&what);
                    HowClosed::Complete
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

/// Has the unit's driver read what is left of its output.
async fn last_words(bench: &Bench, stop: &Stop, real: bool) {
    let read = async { bench.unit.lock().await.last_words().await };
    tokio::select! {
        biased;
        read = read => if let Err(error) = read {
            let (blame, text) = (error.blame(), error.to_string());
            bench.dispatcher.record(RecordBody::Trouble { blame, text });
        },
        () = when(|| stop.hurried()), if real => {}
    }
}

async fn execute(bench: &mut Bench, job: &Job, header: &TraceHeader, stop: &Stop) -> HowClosed {
    let real = job.unit.bench == BenchKind::Real;
    // Also where the end is hurried and the unit's faults are not taken back.
    let _guard = bench.makers.faults.guard();
    // Virtual time costs nothing: there the limit only ends what would never end.
    let limit = if real {
        job.plan.timeout
    } else {
        job.plan.timeout.max(VIRTUAL_LIMIT)
    };
    let dispatcher = bench.dispatcher.clone();
    let how = {
        let mut executor = Executor::new(bench, &job.plan, header);
        tokio::select! {
            biased;
            how = executor.run() => how,
            () = overdue(&dispatcher, limit) => HowClosed::TimedOut,
            () = when(|| stop.asked()), if real => HowClosed::Interrupted,
        }
    };
    tokio::select! {
        biased;
        () = bench.makers.clear_lasting() => {}
        () = when(|| stop.hurried()), if real => {}
    }
    how
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

/// How long the cloud still answers a unit that runs on after an instance.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// What the steps after a window may take before the limit is looked at again.
const GRACE: Duration = Duration::from_secs(5);
const VIRTUAL_LIMIT: Duration = Duration::from_secs(24 * 3600);
