//! `hil run`.

use super::{Views, fail, print};
use crate::{
    args::{FilterArguments, RunArguments},
    exit::Exit,
    library::{Library, LibraryError},
    units::{self, UnitOptions, UnitsError},
};
use hil_reports::{ProgressSink, Report, TerminalReport, stderr_progress, wants_color, write_all};
use hil_runner::{
    BenchKind, Filter, InstanceResult, Progress, RunOptions, RunOutcome, Stop, UnitUnderTest, run,
};
use hil_trace::{Catalogue, JournalError, JournalWriter, exit_code};
use serde_json::Map;
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub(crate) fn execute(arguments: RunArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let state = match tempfile::Builder::new().prefix("hil-").tempdir() {
        Ok(state) => state,
        Err(error) => {
            return fail(
                format!("no folder for the units' files: {error}"),
                Exit::Unexpected,
            );
        }
    };
    let plans = library.plans(&arguments.filter.scenarios);
    let units =
        unit_options(&arguments).and_then(|options| units::units(&arguments.units, &options, &library));
    let (plans, units) = match (plans, units) {
        (Ok(plans), Ok(units)) => (plans, units),
        // The mistakes of scenarios and of unit files, all at once.
        (Err(LibraryError::Invalid(mut mistakes)), Err(UnitsError::Invalid(more))) => {
            mistakes.extend(more);
            return fail(LibraryError::Invalid(mistakes), Exit::Invalid);
        }
        (Err(error), _) => return fail(error, Exit::Invalid),
        (_, Err(error)) => {
            let exit = if error.is_of_a_file() {
                Exit::Invalid
            } else {
                Exit::CommandLine
            };
            return fail(error, exit);
        }
    };
    let mut set = Map::new();
    for text in &arguments.set {
        match units::parse_setting(text) {
            Some((name, value)) => set.insert(name, value),
            None => return fail(format!("`--set {text}`: expected NAME=VALUE"), Exit::CommandLine),
        };
    }
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let options = RunOptions {
        seed,
        jobs: arguments.jobs.map_or_else(|| default_jobs(&units), usize::from),
        repeat: arguments.repeat,
        set,
        tier: arguments.tier.clone(),
        strict: arguments.strict,
        fail_fast: arguments.fail_fast,
        tool: TOOL.to_owned(),
        catalogue_sha256: library.catalogue_sha256.clone(),
        state_directory: Some(state.path().to_owned()),
    };
    let journal = match arguments.report.as_deref().map(JournalWriter::create).transpose() {
        Ok(journal) => journal,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    let stop = Stop::default();
    if let Err(error) = stop_on_signal(stop.clone()) {
        return fail(format!("cannot watch for Ctrl-C: {error}"), Exit::Unexpected);
    }
    let trouble = Arc::new(Mutex::new(None));
    let progress = Told {
        sink: stderr_progress(),
        journal,
        trouble: trouble.clone(),
    };
    let filter = filter(&arguments.filter);
    let outcome = match run(
        &plans,
        &units,
        &filter,
        &library.catalogue,
        &options,
        &stop,
        Box::new(progress),
    ) {
        Ok(outcome) => outcome,
        Err(error) => return fail(error, Exit::CommandLine),
    };
    let lost = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
    finish(&outcome, &library.catalogue, arguments.report.as_deref(), lost)
}

fn finish(
    outcome: &RunOutcome,
    catalogue: &Catalogue,
    folder: Option<&Path>,
    lost: Option<JournalError>,
) -> Exit {
    let report = Report {
        summary: &outcome.summary,
        traces: &outcome.traces,
        catalogue,
        events: &Views,
    };
    let mut written: Vec<PathBuf> = Vec::new();
    let mut broken = lost.map(|error| error.to_string());
    if let Some(folder) = folder {
        written.push(folder.join("journal.jsonl"));
        match write_all(folder, &report) {
            Ok(files) => written.extend(files),
            Err(error) => broken = broken.or(Some(error.to_string())),
        }
    }
    let terminal = std::io::stdout().is_terminal();
    let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
    let color = wants_color(no_color.as_deref(), term.as_deref(), terminal);
    let text = TerminalReport {
        report: &report,
        brief: true,
        written: &written,
    }
    .render(100, color);
    print(&text);
    let code = exit_code(&outcome.summary.counts());
    match broken {
        // Reports that could not be written never hide a failed unit.
        Some(error) if code != 4 => fail(error, Exit::Unexpected),
        Some(error) => fail(error, Exit::Run(code)),
        None => Exit::Run(code),
    }
}

fn unit_options(arguments: &RunArguments) -> Result<UnitOptions, UnitsError> {
    Ok(UnitOptions {
        artifacts: units::artifact_files(&arguments.artifacts)?,
        defects: units::defects(&arguments.defects)?,
    })
}

/// The filter of the command line.
pub(crate) fn filter(arguments: &FilterArguments) -> Filter {
    Filter {
        protocols: arguments.protocol.clone(),
        paths: arguments.paths.clone(),
        tags: arguments.tags.clone(),
        requirements: arguments.requirements.clone(),
    }
}

/// Simulated units are bound by the processor; real ones mostly wait.
fn default_jobs(units: &[Arc<UnitUnderTest>]) -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let waiting = units.iter().any(|unit| unit.bench == BenchKind::Real);
    if waiting { cores * WAITING_PER_CORE } else { cores }
}

/// A seed short enough to be typed again.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("hil") >> 32
}

/// Ctrl-C asks once for a clean end; the second time it ends at once.
fn stop_on_signal(stop: Stop) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if stop.asked() {
                    std::process::exit(130);
                }
                stop.ask();
                let _ = writeln!(std::io::stderr(), "ending; once more to end at once");
            }
        });
    });
    Ok(())
}

/// Passes progress on, and keeps each trace as soon as it is judged.
struct Told {
    sink: Box<dyn ProgressSink + Send + Sync>,
    journal: Option<JournalWriter>,
    trouble: Arc<Mutex<Option<JournalError>>>,
}

impl Progress for Told {
    fn planned(&mut self, instances: usize) {
        self.sink.total(instances);
    }

    fn started(&mut self, instance: &str) {
        self.sink.started(instance);
    }

    fn finished(&mut self, result: &InstanceResult) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.append(&result.trace)
        {
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.journal = None;
        }
        self.sink.finished(&result.summary);
    }
}

/// Real instances that share a core.
const WAITING_PER_CORE: usize = 4;
const TOOL: &str = concat!("hil ", env!("CARGO_PKG_VERSION"));
