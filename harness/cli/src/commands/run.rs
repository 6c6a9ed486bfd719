//! `hil run`.

use super::{Views, fail, last_run::LastRun, print, tell};
use crate::{
    args::{FilterArguments, Forge, RunArguments},
    exit::Exit,
    library::{Library, LibraryError},
    places::Scenarios,
    units::{self, UnitOptions, UnitsError},
    waivers,
};
use hil_diagnostic::Diagnostics;
use hil_reports::{
    ProgressSink, Report, TerminalReport, code_quality, github_annotations, remove_all, stderr_progress,
    wants_color, write_all,
};
use hil_runner::{BenchKind, Filter, Progress, RunOptions, RunOutcome, Stop, UnitUnderTest, run};
use hil_scenario::ExtraFault;
use hil_trace::{
    Catalogue, Figures, InstanceSummary, JournalError, JournalWriter, Partition, Trace, TraceHeader,
};
use hil_wire::Protocol;
use serde_json::Map;
use std::{
    collections::BTreeSet,
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) fn execute(arguments: RunArguments) -> Exit {
    if arguments.annotations == Some(Forge::Gitlab) && arguments.report.is_none() {
        return fail("`--annotations gitlab` needs `--report DIR`", Exit::CommandLine);
    }
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let state = match tempfile::Builder::new().prefix("hil-").tempdir() {
        Ok(state) => state,
        Err(error) => {
            return fail(
                lab_error(&format!("no folder for the units' files: {error}")),
                Exit::Run(6),
            );
        }
    };
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let plans = library.plans(&arguments.filter.scenarios);
    let units =
        unit_options(&arguments, seed).and_then(|options| units::units(&arguments.units, &options, &library));
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
    let faults = match extra_faults(&arguments.faults, &library, &units) {
        Ok(faults) => faults,
        Err(mistakes) => return fail(LibraryError::Invalid(mistakes), Exit::CommandLine),
    };
    let plans = if faults.is_empty() {
        plans
    } else {
        plans.iter().filter_map(|plan| plan.disturbed(&faults)).collect()
    };
    let waivers = arguments.waivers.as_deref();
    let waivers = match waivers.map(|path| waivers::waivers(path, &library)).transpose() {
        Ok(waivers) => waivers,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let report = arguments.report.as_deref();
    let last = arguments.last_failed.as_ref();
    let last = match last
        .map(|folder| LastRun::read(folder.as_deref().or(report)))
        .transpose()
    {
        Ok(last) => last,
        Err(error) => {
            let exit = error.exit();
            return fail(error, exit);
        }
    };
    if let Some(last) = &last {
        tell(&last.remark());
    }
    let options = RunOptions {
        seed,
        jobs: arguments.jobs.map_or_else(|| default_jobs(&units), usize::from),
        repeat: arguments.repeat,
        retries: arguments.retries,
        partition: arguments.partition,
        cases: last.as_ref().map(LastRun::cases),
        set,
        tier: arguments.tier.clone(),
        without_faults: arguments.without_faults,
        strict: arguments.strict,
        waivers,
        fail_fast: arguments.fail_fast,
        tool: TOOL.to_owned(),
        catalogue_sha256: library.catalogue_sha256.clone(),
        state_directory: Some(state.path().to_owned()),
    };
    let journal = Arc::new(Mutex::new(Journal::begin(report)));
    if let Some(partition) = options.partition {
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.write(|writer| {
            writer.is_part(partition);
            Ok(())
        });
    }
    if let Some(waivers) = &options.waivers {
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.write(|writer| writer.append_waivers(waivers));
    }
    let stop = Stop::default();
    if let Err(error) = stop_on_signal(stop.clone()) {
        return fail(format!("cannot watch for Ctrl-C: {error}"), Exit::Unexpected);
    }
    let progress = Told {
        sink: stderr_progress(),
        journal: journal.clone(),
    };
    let filter = filter(&arguments.filter).widened(&library.catalogue, &plans);
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
    if outcome.summary.instances.is_empty() {
        tell(&match &last {
            Some(last) => last.nothing_selected(),
            None => nothing_selected(&filter, options.partition),
        });
    }
    let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
    journal.end(outcome.summary.interrupted);
    let exit = finish(&outcome, &library.catalogue, report, &journal);
    match arguments
        .annotations
        .map(|forge| annotate(forge, &outcome, &library, &arguments))
    {
        // Like any report that cannot be written, an error of the lab that hides no verdict.
        Some(Err(error)) if exit == Exit::Run(4) => fail(lab_error(&error), exit),
        Some(Err(error)) => fail(lab_error(&error), Exit::Run(6)),
        None | Some(Ok(())) => exit,
    }
}

/// Faults from the command line in the words of every protocol that runs and has them; a fault no protocol has is a
/// mistake.
fn extra_faults(
    texts: &[String],
    library: &Library,
    units: &[Arc<UnitUnderTest>],
) -> Result<Vec<(Protocol, ExtraFault)>, Diagnostics> {
    let protocols: BTreeSet<Protocol> = units.iter().map(|unit| unit.protocol).collect();
    let mut faults = Vec::new();
    for text in texts {
        let mut mistakes = None;
        let before = faults.len();
        // The mistakes told are those of a protocol that has the fault, if there is one.
        let names = |protocol: &Protocol| {
            let words = library.vocabulary.words(*protocol);
            words
                .faults
                .keys()
                .any(|name| text.trim_start().starts_with(name))
        };
        let (knowing, others): (Vec<Protocol>, Vec<Protocol>) =
            protocols.iter().partition(|protocol| names(protocol));
        for protocol in knowing.into_iter().chain(others) {
            match ExtraFault::parse(text, &library.vocabulary, protocol) {
                Ok(fault) => faults.push((protocol, fault)),
                Err(more) => mistakes = mistakes.or(Some(more)),
            }
        }
        if let Some(mistakes) = mistakes.filter(|_| faults.len() == before) {
            return Err(mistakes);
        }
    }
    Ok(faults)
}

/// Why there was nothing to run.
fn nothing_selected(filter: &Filter, partition: Option<Partition>) -> String {
    let text = if let Some(partition) = partition {
        return format!("note: these options select no scenario for the part {partition}");
    } else if filter.requirements.is_empty() {
        "note: these options select no scenario; `hil list scenarios` lists what they can select"
    } else {
        "note: these options select no scenario; `hil list requirements` lists what there is to verify"
    };
    text.to_owned()
}

/// Points at the lines of scenarios.
fn annotate(
    forge: Forge,
    outcome: &RunOutcome,
    library: &Library,
    arguments: &RunArguments,
) -> Result<(), String> {
    let report = Report {
        summary: &outcome.summary,
        traces: &outcome.traces,
        catalogue: &library.catalogue,
        events: &Views,
    };
    let places = Scenarios::new(library, &arguments.filter.scenarios);
    match (forge, &arguments.report) {
        (Forge::Github, _) => {
            let lines = github_annotations(&report, &places);
            if !lines.is_empty() {
                print(&lines);
            }
            Ok(())
        }
        (Forge::Gitlab, Some(folder)) => {
            let path = folder.join(CODE_QUALITY);
            let text = code_quality(&report, &places).map_err(|error| error.to_string())?;
            std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
        }
        // Refused before the run.
        (Forge::Gitlab, None) => Ok(()),
    }
}

/// Tells the verdicts, whatever becomes of the reports: those that cannot be written are an error of the lab, which
/// never hides a failed unit.
fn finish(outcome: &RunOutcome, catalogue: &Catalogue, folder: Option<&Path>, journal: &Journal) -> Exit {
    let report = Report {
        summary: &outcome.summary,
        traces: &outcome.traces,
        catalogue,
        events: &Views,
    };
    let mut written: Vec<PathBuf> = Vec::new();
    let mut broken: Vec<String> = journal.trouble.iter().map(JournalError::to_string).collect();
    if let Some(folder) = folder {
        if broken.is_empty() {
            written.push(folder.join("journal.jsonl"));
        }
        match write_all(folder, &report) {
            Ok(files) => written.extend(files),
            Err(error) => broken.push(error.to_string()),
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
    for error in &broken {
        tell(&lab_error(error));
    }
    match outcome.summary.exit_code() {
        4 => Exit::Run(4),
        _ if !broken.is_empty() => Exit::Run(6),
        code => Exit::Run(code),
    }
}

pub(super) fn lab_error(error: &str) -> String {
    format!("error: the lab's disk: {error}")
}

fn unit_options(arguments: &RunArguments, seed: u64) -> Result<UnitOptions, UnitsError> {
    Ok(UnitOptions {
        artifacts: units::artifact_files(&arguments.artifacts)?,
        defects: units::defects(&arguments.defects)?,
        image_seed: Some(seed),
    })
}

/// The filter of the command line.
pub(crate) fn filter(arguments: &FilterArguments) -> Filter {
    Filter {
        protocols: arguments.protocol.clone(),
        paths: arguments.paths.clone(),
        tags: arguments.tags.clone(),
        requirements: arguments.requirements.clone(),
        everywhere: Vec::new(),
    }
}

/// Simulated units are bound by the processor; real ones mostly wait.
pub(super) fn default_jobs(units: &[Arc<UnitUnderTest>]) -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let waiting = units.iter().any(|unit| unit.bench == BenchKind::Real);
    if waiting { cores * WAITING_PER_CORE } else { cores }
}

/// A seed short enough to be typed again.
pub(super) fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("hil") >> 32
}

/// Ctrl-C, or SIGTERM, asks for a clean end; the second time units are not waited for; the third time ends all at once.
pub(super) fn stop_on_signal(stop: Stop) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut signals = {
        let _inside = runtime.enter();
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
    };
    // A limit on the size of files would end the process; watched, it is an error of the write.
    let file_too_large = {
        let _inside = runtime.enter();
        signal(SignalKind::from_raw(SIGXFSZ))?
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            let _watched = file_too_large;
            let [interrupt, terminate] = &mut signals;
            for times in 1.. {
                let _ = tokio::select! {
                    signal = interrupt.recv() => signal,
                    signal = terminate.recv() => signal,
                };
                match times {
                    1 => {
                        stop.ask();
                        tell("ending; once more to kill the units that still run");
                    }
                    2 => {
                        stop.hurry();
                        tell("killing units; once more to end at once, without reports");
                    }
                    _ => std::process::exit(KILLED_BY_USER),
                }
            }
        });
    });
    Ok(())
}

/// The journal while a run goes on, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Journal {
    writer: Option<JournalWriter>,
    pub(super) trouble: Option<JournalError>,
}

impl Journal {
    /// Reports of an earlier run are taken away first: none of them may pass for one of this run.
    pub(super) fn begin(folder: Option<&Path>) -> Journal {
        let Some(folder) = folder else {
            return Journal::default();
        };
        remove_all(folder);
        match JournalWriter::create(folder) {
            Ok(writer) => Journal {
                writer: Some(writer),
                trouble: None,
            },
            Err(error) => {
                tell(&format!(
                    "{}; the run goes on without",
                    lab_error(&error.to_string())
                ));
                Journal {
                    writer: None,
                    trouble: Some(error),
                }
            }
        }
    }

    /// Goes on with a journal that was begun.
    pub(super) fn of(writer: JournalWriter) -> Journal {
        Journal {
            writer: Some(writer),
            trouble: None,
        }
    }

    pub(super) fn write(&mut self, what: impl FnOnce(&mut JournalWriter) -> Result<(), JournalError>) {
        if let Some(writer) = &mut self.writer
            && let Err(error) = what(writer)
        {
            self.lose(error);
        }
    }

    pub(super) fn end(&mut self, interrupted: bool) {
        if let Some(Err(error)) = self.writer.take().map(|writer| writer.finish(interrupted)) {
            self.lose(error);
        }
    }

    fn lose(&mut self, error: JournalError) {
        self.writer = None;
        self.trouble = Some(error);
    }
}

/// Passes progress on, and writes down what is kept.
pub(super) struct Told {
    pub(super) sink: Box<dyn ProgressSink + Send + Sync>,
    pub(super) journal: Arc<Mutex<Journal>>,
}

impl Progress for Told {
    fn planned(&mut self, instances: usize) {
        self.sink.total(instances);
    }

    fn started(&mut self, instance: &str) {
        self.sink.started(instance);
    }

    fn finished(&mut self, instance: &InstanceSummary) {
        self.sink.finished(instance);
    }

    fn keep(&mut self, trace: &Trace) {
        self.journal().write(|writer| writer.append(trace));
    }

    fn keep_group(&mut self, common: &TraceHeader) {
        self.journal().write(|writer| writer.append_group(common));
    }

    fn keep_figures(&mut self, group: &str, figures: &Figures) {
        self.journal()
            .write(|writer| writer.append_figures(group, figures));
    }
}

impl Told {
    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On Linux and macOS alike.
const SIGXFSZ: i32 = 25;
/// What shells say of a program that Ctrl-C ended.
const KILLED_BY_USER: i32 = 130;
/// Real instances that share a core.
const WAITING_PER_CORE: usize = 4;
pub(super) const TOOL: &str = concat!("hil ", env!("CARGO_PKG_VERSION"));
const CODE_QUALITY: &str = "code-quality.json";
