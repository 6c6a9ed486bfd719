//! `hil verify`.

use super::{fail, print};
use crate::{
    args::VerifyArguments,
    exit::Exit,
    library::Library,
    profiles::{profile_of_file, profiles},
};
use hil_certify::{
    CertificateChain, Judge, JudgeDigests, Trust, Verified, VerifyError, read_public, verify, warning,
};
use serde_json::json;
use std::{fmt::Write, fs};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

pub(crate) fn execute(arguments: VerifyArguments) -> Exit {
    let library = match Library::open() {
        Ok(library) => library,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let mut known = match profiles(&library) {
        Ok(profiles) => profiles,
        Err(error) => return fail(error, Exit::Invalid),
    };
    if let Some(path) = &arguments.profile {
        match profile_of_file(path, &library) {
            Ok(profile) => known.insert(0, profile),
            Err(error) => return fail(error, Exit::Invalid),
        }
    }
    let plans = match library.plans(&[]) {
        Ok(plans) => plans,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let trust = match trust(&arguments) {
        Ok(trust) => trust,
        Err(error) => return fail(error, Exit::Invalid),
    };
    let now = match arguments.at.as_deref().map(moment).transpose() {
        Ok(at) => at.unwrap_or_else(OffsetDateTime::now_utc),
        Err(error) => return fail(error, Exit::CommandLine),
    };
    let digests = match super::certify::judge_digests(&library) {
        Ok(digests) => digests,
        Err(error) => return fail(error, Exit::Unexpected),
    };
    let judge = Judge {
        catalogue: &library.catalogue,
        digests: &digests,
        profiles: &known,
        plans: &plans,
        now,
    };
    match verify(&arguments.directory, &trust, &judge) {
        Ok(verified) => {
            let denies = verified.differences.iter().any(|difference| difference.denies);
            let exit = if denies { Exit::Run(5) } else { Exit::Pass };
            print(&match arguments.json {
                true => as_json(&verified, &digests),
                false => as_text(&verified),
            });
            exit
        }
        Err(error) => {
            if arguments.json {
                print(&json!({"verified": false, "reason": error.to_string()}).to_string());
            }
            let exit = match error {
                VerifyError::NoCertificate(_) => Exit::Unexpected,
                _ => Exit::Refused,
            };
            fail(error, exit)
        }
    }
}

fn trust(arguments: &VerifyArguments) -> Result<Trust, String> {
    if let Some(key) = &arguments.key {
        return read_public(key)
            .map(Trust::Key)
            .map_err(|error| error.to_string());
    }
    let Some(path) = &arguments.ca else {
        return Err("give `--key` or `--ca`".to_owned());
    };
    let named = |error: String| format!("{}: {error}", path.display());
    let text = fs::read(path).map_err(|error| named(error.to_string()))?;
    let authorities = CertificateChain::from_pem(&text).map_err(|error| named(error.to_string()))?;
    Ok(Trust::Authorities(authorities))
}

/// A day, which begins at midnight UTC, or a moment.
fn moment(text: &str) -> Result<OffsetDateTime, String> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let moment = OffsetDateTime::parse(text, &Rfc3339);
    day.map(|day| day.midnight().assume_utc())
        .or(moment)
        .map_err(|_| format!("`--at {text}`: expected a day such as 2027-01-31, or 2027-01-31T12:00:00Z"))
}

fn as_text(verified: &Verified) -> String {
    let certificate = &verified.certificate;
    let terms = &certificate.terms;
    let mut text = String::new();
    if let Some(warning) = warning(terms.class) {
        let _ = writeln!(text, "{warning}");
    }
    let _ = writeln!(
        text,
        "{} {}: {} of {} requirements of {}, {} warned, {} not applicable, {} waived, {} not decided",
        verdict(verified),
        terms.class,
        certificate.results.passed.len(),
        certificate.profile.requirements,
        certificate.profile.name,
        certificate.results.warned.len(),
        certificate.results.not_applicable.len(),
        certificate.results.waived.len(),
        certificate.results.undecided.len(),
    );
    for subject in &certificate.subjects {
        let _ = writeln!(
            text,
            "subject   {}  {}:{}",
            subject.name, subject.algorithm, subject.digest
        );
        let _ = writeln!(text, "          {}", subject.obtained);
    }
    let _ = writeln!(
        text,
        "unit      {} ({})",
        certificate.unit.name, certificate.unit.kind
    );
    if let Some(body) = &terms.witnessed_by {
        let _ = writeln!(text, "witness   {body}");
    }
    let _ = writeln!(text, "key       {}", terms.key_id);
    if let Some(signer) = &verified.signer {
        let _ = writeln!(text, "signer    {signer}");
    }
    let _ = writeln!(text, "valid     {} to {}", terms.issued_at, terms.valid_until);
    if let Some(challenge) = &terms.challenge {
        let _ = writeln!(text, "challenge {challenge}");
    }
    let _ = writeln!(text, "issued by {}, seed {}", certificate.judge.tool, terms.seed);
    for (id, reason) in &certificate.results.waived {
        let _ = writeln!(text, "waived    {id}: {reason}");
    }
    for remark in &verified.remarks {
        let _ = writeln!(text, "note: {remark}");
    }
    for difference in &verified.differences {
        let _ = writeln!(text, "differs: {difference}");
    }
    text
}

fn verdict(verified: &Verified) -> &'static str {
    match verified.differences.is_empty() {
        true => "verified,",
        false => "signature and digests hold, and this version judges otherwise,",
    }
}

fn as_json(verified: &Verified, digests: &JudgeDigests) -> String {
    let differences = verified.differences.iter().map(|difference| {
        json!({
            "requirement": difference.requirement,
            "certified": difference.certified,
            "judged": difference.judged,
            "denies": difference.denies,
        })
    });
    let text = json!({
        "verified": true,
        "class": verified.certificate.terms.class,
        "signer": verified.signer,
        "sameJudge": verified.same_judge,
        "judgedBy": digests.tool,
        "differences": differences.collect::<Vec<_>>(),
        "remarks": verified.remarks,
        "statement": verified.certificate.to_statement(),
    });
    format!("{text:#}")
}
