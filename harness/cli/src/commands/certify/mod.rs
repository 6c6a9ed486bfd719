//! `hil certify`.

mod plan;
mod resume;

use super::{
    Views, fail, print,
    run::{Journal, TOOL, Told, default_jobs, fresh_seed, lab_error, stop_on_signal},
    tell,
};
use crate::{
    args::CertifyArguments,
    exit::Exit,
    judged,
    library::Library,
    profiles::{self, ProfileError},
    units::{self, UnitOptions, UnitsError},
    waivers,
};
use hil_certify::{
    Begun, CERTIFICATE, CertificateChain, Claim, JOURNAL, JUDGES_SHA256, JudgeDigests, MissingKind, Outcome,
    PrivateKey, Profile, class_of, needed, pages, read_private, seed_of, sha256_of_file, signed, subjects,
};
use hil_reports::{Report, stderr_progress, write_all};
use hil_runner::{Filter, RunOptions, Stop, UnitUnderTest, run, tier_of};
use hil_scenario::Plan;
use hil_trace::{ReadJournal, RunSummary, WaiverStanding, Waivers};
use serde_json::{Map, Value};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use time::{Duration, OffsetDateTime};

pub(crate) fn execute(arguments: CertifyArguments) -> Exit {
    match certify(&arguments) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// What is asked for, read and checked before anything runs.
struct Request {
    library: Library,
    profile: Profile,
    unit: Arc<UnitUnderTest>,
    plans: Vec<Arc<Plan>>,
    tier: String,
    waivers: Option<Waivers>,
    valid_for: Duration,
    /// Hex SHA-256 of the unit file, if there is one.
    unit_file: Option<String>,
}

impl Request {
    /// The unit's driver.
    fn kind(&self) -> &str {
        let driver = self.unit.facts.get("driver").and_then(Value::as_str);
        driver.unwrap_or("unknown")
    }

    /// What the unit file has to say if nothing will tell what exactly was tested: nothing can be measured, and nothing
    /// is declared.
    fn untold(&self) -> Option<String> {
        let told = matches!(self.kind(), "sim" | "process") || self.unit.facts.contains_key("subject_digest");
        (!told).then(|| {
            format!(
                "what is tested: the file of a unit whose driver is `{}` has to say `subject: {{version: …, digest: sha256:…}}`",
                self.kind()
            )
        })
    }
}

/// What signs.
struct Signer {
    key: PrivateKey,
    chain: Option<CertificateChain>,
}

fn certify(arguments: &CertifyArguments) -> Result<Exit, Exit> {
    let origin = origin(arguments)?;
    let request = request(arguments, origin.seed)?;
    if arguments.plan {
        return Ok(plan::execute(&request, arguments.jobs));
    }
    let (Some(key), Some(out)) = (&arguments.key, &arguments.out) else {
        return Err(fail("`--key` and `--out` are needed", Exit::CommandLine));
    };
    if let Some(untold) = request.untold() {
        return Err(fail(
            format!("no certificate can come of this, missing {untold}"),
            Exit::NotExercised,
        ));
    }
    let signer = signer(key, arguments.certificate_chain.as_deref())?;
    class_of(request.kind(), arguments.witnessed_by.as_deref())
        .map_err(|error| fail(error, Exit::CommandLine))?;
    let judge = judge_digests(&request.library).map_err(|error| fail(error, Exit::Unexpected))?;
    let begun = execute_run(arguments, &request, &judge, origin, out)?;
    let (journal, summary) = judged_again(&request, out)?;
    let report = Report {
        summary: &summary,
        traces: &journal.traces,
        catalogue: &request.library.catalogue,
        events: &Views,
    };
    write_all(out, &report).map_err(|error| fail(lab_error(&error.to_string()), Exit::Run(6)))?;
    let outcome = Outcome::of(&summary, &request.profile);
    if !outcome.is_whole() {
        return Ok(denied(&request, &outcome, out));
    }
    let issued = Issued {
        begun,
        judge,
        journal: &journal,
        summary: &summary,
        outcome: &outcome,
    };
    issue(arguments, &request, &signer, issued, out)
}

/// Where everything random comes from.
struct Origin {
    /// The run that is gone on with.
    earlier: Option<Begun>,
    challenge: Option<String>,
    seed: u64,
}

fn origin(arguments: &CertifyArguments) -> Result<Origin, Exit> {
    let out = arguments.out.clone().unwrap_or_default();
    let earlier = arguments.resume.then(|| resume::earlier(&out)).transpose()?;
    let challenge = arguments.challenge.clone();
    let challenge = challenge.or_else(|| earlier.as_ref().and_then(|begun| begun.challenge.clone()));
    let seed = match &challenge {
        Some(challenge) => seed_of(challenge),
        None => match (arguments.seed, &earlier) {
            (Some(seed), _) => seed,
            (None, Some(earlier)) => earlier.seed,
            (None, None) => fresh_seed(),
        },
    };
    Ok(Origin {
        earlier,
        challenge,
        seed,
    })
}

fn request(arguments: &CertifyArguments, seed: u64) -> Result<Request, Exit> {
    let library = Library::open().map_err(|error| fail(error, Exit::Invalid))?;
    let profile = profiles::profile(&arguments.profile, &library).map_err(|error| match error {
        ProfileError::Unknown(..) => fail(error, Exit::CommandLine),
        ProfileError::Library(_) => fail(error, Exit::Invalid),
    })?;
    let unit = unit(arguments, seed, &library).map_err(|error| {
        let exit = if error.is_of_a_file() {
            Exit::Invalid
        } else {
            Exit::CommandLine
        };
        fail(error, exit)
    })?;
    if unit.protocol != profile.protocol {
        let text = format!(
            "the unit speaks {}, and {} is for {}",
            unit.protocol, profile.name, profile.protocol
        );
        return Err(fail(text, Exit::CommandLine));
    }
    let plans = library.plans(&[]).map_err(|error| fail(error, Exit::Invalid))?;
    let plans = needed(&profile, &library.catalogue, &plans);
    let waivers = arguments
        .waivers
        .as_deref()
        .map(|path| waivers::waivers(path, &library));
    let waivers = waivers.transpose().map_err(|error| fail(error, Exit::Invalid))?;
    let valid_for = hil_diagnostic::parse_seconds(&arguments.valid_for).map_err(|error| {
        fail(
            format!("`--valid-for {}`: {error}", arguments.valid_for),
            Exit::CommandLine,
        )
    })?;
    let tier = tier_of(&unit, arguments.tier.as_deref()).to_owned();
    let is_file = !arguments.unit.starts_with("sim:");
    let unit_file = is_file.then(|| sha256_of_file(Path::new(&arguments.unit)));
    let unit_file = unit_file
        .transpose()
        .map_err(|error| fail(error, Exit::Invalid))?;
    Ok(Request {
        library,
        profile,
        unit,
        plans,
        tier,
        waivers,
        valid_for: Duration::seconds_f64(valid_for),
        unit_file,
    })
}

fn unit(
    arguments: &CertifyArguments,
    seed: u64,
    library: &Library,
) -> Result<Arc<UnitUnderTest>, UnitsError> {
    let options = UnitOptions {
        artifacts: units::artifact_files(&arguments.artifacts)?,
        defects: units::defects(&arguments.defects)?,
        image_seed: Some(seed),
    };
    let mut units = units::units(std::slice::from_ref(&arguments.unit), &options, library)?;
    units
        .pop()
        .ok_or_else(|| UnitsError::NoSuchSim(arguments.unit.clone()))
}

fn signer(key: &Path, chain: Option<&Path>) -> Result<Signer, Exit> {
    let key = read_private(key).map_err(|error| fail(error, Exit::Invalid))?;
    let read = |path: &Path| {
        let named = |error: String| fail(format!("{}: {error}", path.display()), Exit::Invalid);
        let text = fs::read(path).map_err(|error| named(error.to_string()))?;
        let chain = CertificateChain::from_pem(&text).map_err(|error| named(error.to_string()))?;
        let owner = chain.key().map_err(|error| named(error.to_string()))?;
        let public = key.public().map_err(|error| named(error.to_string()))?;
        if owner != public {
            return Err(named(
                "its first certificate is of another key than the one that signs".to_owned(),
            ));
        }
        Ok(chain)
    };
    let chain = chain.map(read).transpose()?;
    Ok(Signer { key, chain })
}

/// Runs what is not finished yet, and returns what the run was asked for.
fn execute_run(
    arguments: &CertifyArguments,
    request: &Request,
    judge: &JudgeDigests,
    origin: Origin,
    out: &Path,
) -> Result<Begun, Exit> {
    let state = tempfile::Builder::new().prefix("hil-").tempdir();
    let state = state.map_err(|error| {
        fail(
            lab_error(&format!("no folder for the units' files: {error}")),
            Exit::Run(6),
        )
    })?;
    let tool = [judge.tool.clone(), judge.tool_sha256.clone()];
    let Origin {
        earlier,
        challenge,
        seed,
    } = origin;
    let begun = resume::begun(arguments, request, seed, challenge, tool)?;
    let (plans, journal) = match &earlier {
        Some(earlier) => {
            resume::check(out, earlier, &begun)?;
            let (finished, writer) = resume::go_on(request, out)?;
            let left = request
                .plans
                .iter()
                .filter(|plan| !finished.scenarios.contains(&plan.path));
            (left.cloned().collect(), Journal::of(writer))
        }
        None => {
            resume::begin(out, &begun)?;
            let mut journal = Journal::begin(Some(out));
            if let Some(waivers) = &request.waivers {
                journal.write(|writer| writer.append_waivers(waivers));
            }
            (request.plans.clone(), journal)
        }
    };
    let units = [request.unit.clone()];
    let options = RunOptions {
        seed,
        jobs: arguments.jobs.map_or_else(|| default_jobs(&units), usize::from),
        repeat: 1,
        retries: 0,
        partition: None,
        cases: None,
        set: Map::new(),
        tier: Some(request.tier.clone()),
        without_faults: false,
        strict: false,
        waivers: request.waivers.clone(),
        fail_fast: false,
        tool: TOOL.to_owned(),
        catalogue_sha256: request.library.catalogue_sha256.clone(),
        state_directory: Some(state.path().to_owned()),
    };
    let journal = Arc::new(Mutex::new(journal));
    let stop = Stop::default();
    stop_on_signal(stop.clone())
        .map_err(|error| fail(format!("cannot watch for Ctrl-C: {error}"), Exit::Unexpected))?;
    let progress = Told {
        sink: stderr_progress(),
        journal: journal.clone(),
    };
    // Named by path, those tagged `long` are selected, too.
    let filter = Filter {
        paths: plans.iter().map(|plan| plan.path.clone()).collect(),
        ..Filter::default()
    };
    let outcome = run(
        &plans,
        &units,
        &filter,
        &request.library.catalogue,
        &options,
        &stop,
        Box::new(progress),
    )
    .map_err(|error| fail(error, Exit::CommandLine))?;
    let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
    journal.end(outcome.summary.interrupted);
    match &journal.trouble {
        Some(error) => Err(fail(lab_error(&error.to_string()), Exit::Run(6))),
        None => Ok(begun),
    }
}

/// What was written is read back and judged: a certificate is about what whoever verifies it will see.
fn judged_again(request: &Request, out: &Path) -> Result<(ReadJournal, RunSummary), Exit> {
    let journal = judged::read(&out.join(JOURNAL))?;
    let summary = judged::judge(&journal, &request.library, false, None)?;
    Ok((journal, summary))
}

/// Says exactly what is missing.
fn denied(request: &Request, outcome: &Outcome, out: &Path) -> Exit {
    let mut text = format!("no certificate under {}:\n", request.profile.name);
    // What a run that was cut short has not come to is no news.
    let cut = outcome
        .missing
        .iter()
        .any(|missing| missing.kind == MissingKind::CutShort);
    let told = outcome
        .missing
        .iter()
        .filter(|missing| !cut || missing.kind != MissingKind::NotExercised);
    for missing in told.clone() {
        let subject = missing.requirement.as_deref().unwrap_or("-");
        text.push_str(&format!(
            "  {:14} {subject:16} {}\n",
            missing.kind.words(),
            missing.text
        ));
        if let Some(requirement) = missing
            .requirement
            .as_ref()
            .and_then(|id| request.library.catalogue.get(id))
        {
            text.push_str(&format!("  {:31} {}\n", "", requirement.sentence));
        }
    }
    let shown = outcome
        .missing
        .iter()
        .find_map(|missing| missing.requirement.as_deref());
    if let Some(id) = shown {
        text.push_str(&format!("`hil explain {id}` says what evidences a requirement; "));
    }
    text.push_str(&format!(
        "everything that was seen: {}",
        out.join("report.html").display()
    ));
    print(&text);
    match outcome.worst() {
        Some(MissingKind::Violated) => Exit::Run(4),
        Some(MissingKind::Error) => Exit::Run(6),
        Some(MissingKind::Inconclusive | MissingKind::CutShort) => Exit::Run(5),
        Some(MissingKind::NotExercised) | None => Exit::NotExercised,
    }
}

/// What a certificate is issued about.
struct Issued<'a> {
    begun: Begun,
    judge: JudgeDigests,
    journal: &'a ReadJournal,
    summary: &'a RunSummary,
    outcome: &'a Outcome,
}

fn issue(
    arguments: &CertifyArguments,
    request: &Request,
    signer: &Signer,
    issued: Issued<'_>,
    out: &Path,
) -> Result<Exit, Exit> {
    let Issued {
        begun,
        judge,
        journal,
        summary,
        outcome,
    } = issued;
    let subjects = subjects(&journal.traces, &judge.tool_sha256);
    let subjects = subjects.map_err(|error| fail(format!("no certificate: {error}"), Exit::NotExercised))?;
    let used = summary
        .waivers
        .iter()
        .filter(|outcome| outcome.standing == WaiverStanding::Used);
    let claim = Claim {
        directory: out,
        profile: &request.profile,
        outcome,
        journal,
        subjects,
        judge,
        unit_file: request.unit_file.clone(),
        witnessed_by: arguments.witnessed_by.clone(),
        challenge: begun.challenge,
        tier: begun.tier,
        now: OffsetDateTime::now_utc(),
        valid_for: request.valid_for,
        waived_until: used.map(|outcome| outcome.waiver.expires).collect(),
    };
    let certificate = claim.certificate(&signer.key, signer.chain.as_ref());
    let certificate = certificate.map_err(|error| fail(error, Exit::Unexpected))?;
    let envelope = signed(&certificate, &signer.key, signer.chain.clone());
    let envelope = envelope.map_err(|error| fail(error, Exit::Unexpected))?;
    for (name, text) in pages(&certificate) {
        let path = out.join(name);
        fs::write(&path, text).map_err(|error| {
            let text = format!("{}: {error}", path.display());
            fail(lab_error(&text), Exit::Run(6))
        })?;
    }
    // Last: where it stands, everything it speaks of does.
    let path: PathBuf = out.join(CERTIFICATE);
    fs::write(&path, envelope.to_bytes())
        .map_err(|error| fail(lab_error(&format!("{}: {error}", path.display())), Exit::Run(6)))?;
    resume::done(out);
    tell(&format!("seed {}", certificate.terms.seed));
    print(&format!(
        "certified ({}): {} under {}, until {}\n{}",
        certificate.terms.class,
        certificate.unit.name,
        certificate.profile.name,
        certificate.terms.valid_until,
        path.display()
    ));
    Ok(Exit::Pass)
}

/// What this build judges with.
pub(super) fn judge_digests(library: &Library) -> Result<JudgeDigests, String> {
    let tool = std::env::current_exe().map_err(|error| format!("the executable of hil: {error}"))?;
    Ok(JudgeDigests {
        tool: TOOL.to_owned(),
        tool_sha256: sha256_of_file(&tool).map_err(|error| error.to_string())?,
        catalogue: library.catalogue_sha256.clone(),
        monitors: JUDGES_SHA256.to_owned(),
    })
}
