//! `hil selftest`.

use super::{
    fail, print,
    run::{TOOL, stop_on_signal},
    tell,
};
use crate::{
    args::SelftestArguments,
    exit::Exit,
    library::Library,
    units::{self, UnitsError},
};
use hil_reports::{selftest_json, selftest_text, wants_color, write_selftest};
use hil_runner::{RunOptions, Selftest, SelftestProgress, Specimen, Stop, UnitUnderTest, selftest};
use hil_sim::Defect;
use hil_trace::{CleanRun, DefectOutcome, DefectRun, SelftestMatrix, Verdict};
use hil_unit::unit_file::dialects_of;
use hil_wire::Protocol;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Map;
use std::{collections::BTreeSet, io::IsTerminal, sync::Arc};

pub(crate) fn execute(arguments: SelftestArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let plans = match library.plans(&arguments.scenarios) {
        Ok(plans) => plans,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let (clean, specimens) = match subjects(&arguments) {
        Ok(subjects) => subjects,
        Err(error) => return fail(error, Exit::CommandLine),
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let options = RunOptions {
        seed: arguments.seed,
        jobs: arguments.jobs.map_or(cores, usize::from),
        repeat: 1,
        retries: 0,
        partition: None,
        cases: None,
        set: Map::new(),
        tier: None,
        without_faults: false,
        strict: false,
        waivers: None,
        fail_fast: false,
        tool: TOOL.to_owned(),
        catalogue_sha256: library.catalogue_sha256.clone(),
        state_directory: None,
    };
    let seeds: Vec<u64> = (0..u64::from(arguments.seeds))
        .map(|offset| arguments.seed.wrapping_add(offset))
        .collect();
    let stop = Stop::default();
    if let Err(error) = stop_on_signal(stop.clone()) {
        return fail(format!("cannot watch for Ctrl-C: {error}"), Exit::Unexpected);
    }
    let test = Selftest {
        plans: &plans,
        clean: &clean,
        specimens: &specimens,
        is_whole: arguments.defects.is_empty(),
        catalogue: &library.catalogue,
        options: &options,
        seeds: &seeds,
    };
    let bar = Bar::new();
    let outcome = selftest(&test, &stop, &bar);
    bar.0.finish_and_clear();
    match outcome {
        Ok(matrix) => finish(&matrix, &arguments),
        Err(error) => fail(error, Exit::CommandLine),
    }
}

/// Clean units of the protocols asked for, and a unit for each defect asked for.
fn subjects(arguments: &SelftestArguments) -> Result<(Vec<Arc<UnitUnderTest>>, Vec<Specimen>), UnitsError> {
    let named = units::defects(&arguments.defects)?;
    let of_protocol =
        |protocol: &Protocol| arguments.protocol.is_empty() || arguments.protocol.contains(protocol);
    let wanted = |defect: &Defect| {
        defect.protocol().is_some_and(|protocol| of_protocol(&protocol))
            && (named.is_empty() || named.contains(defect))
    };
    let mut specimens = Vec::new();
    let mut protocols = BTreeSet::new();
    for defect in Defect::all().filter(wanted) {
        let Some(protocol) = defect.protocol() else {
            continue;
        };
        protocols.insert(protocol);
        specimens.push(Specimen {
            name: defect.name().to_owned(),
            primary: defect.primary().to_owned(),
            summary: defect.summary().to_owned(),
            units: dialects(protocol, Some(defect))?,
        });
    }
    let needed = |protocol: &Protocol| {
        if named.is_empty() {
            of_protocol(protocol)
        } else {
            protocols.contains(protocol)
        }
    };
    let mut clean = Vec::new();
    for protocol in Protocol::ALL.into_iter().filter(needed) {
        clean.extend(dialects(protocol, None)?);
    }
    Ok((clean, specimens))
}

/// The simulated unit of a protocol in each of its dialects, the usual one first.
fn dialects(protocol: Protocol, defect: Option<Defect>) -> Result<Vec<Arc<UnitUnderTest>>, UnitsError> {
    let usual = units::defective(protocol, None, defect)?;
    let spoken = usual.ics.get("dialect").cloned();
    let mut units = vec![Arc::new(usual)];
    for dialect in dialects_of(protocol) {
        if spoken.as_ref().is_some_and(|spoken| spoken != dialect) {
            units.push(Arc::new(units::defective(protocol, Some(dialect), defect)?));
        }
    }
    Ok(units)
}

fn finish(matrix: &SelftestMatrix, arguments: &SelftestArguments) -> Exit {
    let text = if arguments.json {
        match selftest_json(matrix) {
            Ok(text) => text,
            Err(error) => return fail(error, Exit::Unexpected),
        }
    } else {
        let terminal = std::io::stdout().is_terminal();
        let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        let color = wants_color(no_color.as_deref(), term.as_deref(), terminal);
        selftest_text(matrix, arguments.all, color)
    };
    print(&text);
    let exit = match matrix.verdict() {
        Verdict::Pass => Exit::Pass,
        Verdict::Inconclusive => Exit::Run(5),
        _ => Exit::Run(4),
    };
    match &arguments.report {
        None => exit,
        Some(folder) => match write_selftest(folder, matrix) {
            Ok(files) => {
                for file in files {
                    tell(&format!("wrote {}", file.display()));
                }
                exit
            }
            Err(error) if exit == Exit::Run(4) => fail(error, exit),
            Err(error) => fail(error, Exit::Run(6)),
        },
    }
}

/// A bar on a terminal; what is missed scrolls by above it. Elsewhere only what is missed is told.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len}  {wide_msg}") {
            bar.set_style(style.progress_chars("━━─"));
        }
        Bar(bar)
    }

    fn tell(&self, line: &str) {
        self.0.suspend(|| tell(line));
    }
}

impl SelftestProgress for Bar {
    fn planned(&self, runs: usize) {
        self.0.set_length(runs as u64);
        self.0.set_message("every suite on clean units");
    }

    fn clean(&self, run: &CleanRun) {
        self.0.inc(1);
        if !run.alarms.is_empty() {
            self.tell(&format!(
                "seed {}: {} false alarms on clean units",
                run.seed,
                run.alarms.len()
            ));
        }
    }

    fn tried(&self, specimen: &Specimen, run: &DefectRun) {
        self.0.inc(1);
        self.0.set_message(specimen.name.clone());
        match run.outcome {
            DefectOutcome::Missed { .. } | DefectOutcome::NotExercised => {
                self.tell(&format!("seed {}: {} was not detected", run.seed, specimen.name));
            }
            DefectOutcome::Detected { .. } | DefectOutcome::NotRun => {}
        }
    }
}
