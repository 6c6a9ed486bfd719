//! What is written down when a run for a certificate begins, and how one that was cut off goes on.

use super::Request;
use crate::{
    args::CertifyArguments,
    commands::{fail, run::lab_error, tell},
    exit::Exit,
    judged,
};
use hil_certify::{Begun, CERTIFICATE, Finished, JOURNAL, sha256_of_file};
use hil_trace::JournalWriter;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What the run is asked for.
pub(super) fn begun(
    arguments: &CertifyArguments,
    request: &Request,
    seed: u64,
    challenge: Option<String>,
    tool: [String; 2],
) -> Result<Begun, Exit> {
    let mut artifacts = BTreeMap::new();
    for text in &arguments.artifacts {
        if let Some((role, path)) = text.split_once('=') {
            let digest = sha256_of_file(Path::new(path)).map_err(|error| fail(error, Exit::Invalid))?;
            artifacts.insert(role.to_owned(), digest);
        }
    }
    let [tool, tool_sha256] = tool;
    Ok(Begun {
        tool,
        tool_sha256,
        profile: [request.profile.name.clone(), request.profile.sha256.clone()],
        unit: [
            arguments.unit.clone(),
            request.unit_file.clone().unwrap_or_default(),
        ],
        seed,
        challenge,
        tier: request.tier.clone(),
        artifacts,
        defects: arguments.defects.clone(),
    })
}

/// Begins in a folder that is new or empty: nothing of another run may pass for a part of this one, and nothing is lost.
pub(super) fn begin(out: &Path, begun: &Begun) -> Result<(), Exit> {
    let lab = |error: std::io::Error| lab(&out.display().to_string(), &error);
    fs::create_dir_all(out).map_err(lab)?;
    if fs::read_dir(out).map_err(lab)?.next().is_some() {
        let text = format!(
            "{} is not empty; name a new folder, or go on with a run that was cut off there with `--resume`",
            out.display()
        );
        return Err(fail(text, Exit::CommandLine));
    }
    let text = serde_json::to_string_pretty(begun).unwrap_or_default();
    fs::write(path(out), text + "\n").map_err(lab)
}

/// What the run in a folder was asked for.
pub(super) fn earlier(out: &Path) -> Result<Begun, Exit> {
    if out.join(CERTIFICATE).exists() {
        let text = format!("{} has its certificate already", out.display());
        return Err(fail(text, Exit::CommandLine));
    }
    let path = path(out);
    let nothing = |error: String| {
        let text = format!("there is no run to go on with in {}: {error}", out.display());
        fail(text, Exit::CommandLine)
    };
    let text = fs::read_to_string(&path).map_err(|error| nothing(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| nothing(format!("{}: {error}", path.display())))
}

/// Refuses to go on with a run that was asked for something else.
pub(super) fn check(out: &Path, earlier: &Begun, now: &Begun) -> Result<(), Exit> {
    let differences = earlier.differences(now);
    if differences.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the run in {} is another one: {}; begin anew in a new folder",
        out.display(),
        differences.join("; ")
    );
    Err(fail(text, Exit::CommandLine))
}

/// Takes out of a journal what is finished, and goes on with a journal that holds that and nothing else.
pub(super) fn go_on(request: &Request, out: &Path) -> Result<(Finished, JournalWriter), Exit> {
    let finished = match out.join(JOURNAL).exists() {
        true => Finished::of(judged::read(out)?, &request.plans),
        false => Finished::default(),
    };
    let writer = JournalWriter::replace(out, |writer| {
        if let Some(waivers) = &request.waivers {
            writer.append_waivers(waivers)?;
        }
        for group in &finished.repeats {
            writer.append_group(&group.header)?;
            for figures in &group.figures {
                writer.append_figures(&group.header.instance, figures)?;
            }
        }
        finished.traces.iter().try_for_each(|trace| writer.append(trace))
    });
    let writer = writer.map_err(|error| fail(lab_error(&error.to_string()), Exit::Run(6)))?;
    tell(&format!(
        "going on: {} of {} scenarios are finished",
        finished.scenarios.len(),
        request.plans.len()
    ));
    Ok((finished, writer))
}

/// Takes away what was written down at the beginning: the run has come to its certificate.
pub(super) fn done(out: &Path) {
    let _ = fs::remove_file(path(out));
}

fn path(out: &Path) -> PathBuf {
    out.join("begun.json")
}

fn lab(what: &str, error: &std::io::Error) -> Exit {
    fail(lab_error(&format!("{what}: {error}")), Exit::Run(6))
}
