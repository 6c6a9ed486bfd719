//! Verifies a certificate and what stands beside it: bytes, signature, dates, digests, and then what the journal says.

mod error;

pub use error::{Difference, VerifyError};

use crate::{
    Certificate, CertificateChain, Envelope, JudgeDigests, Outcome, Profile, PublicKey, StatementError,
    canonical::parse_canonical,
    challenge::seed_of,
    files::{CERTIFICATE, JOURNAL, payloads, sha256, sha256_of_file, sha256_of_list},
    issue::{chain_sha256, class_of, headers, kind_of, scenarios, waivers_sha256},
    page::pages,
    selection::needed,
    subject::subjects,
};
use hil_runner::judge_traces;
use hil_scenario::{Parameter, Plan};
use hil_trace::{Catalogue, JournalReader, ReadJournal};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fs, path::Path, sync::Arc};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// What somebody trusts.
#[derive(Clone, Debug)]
pub enum Trust {
    /// A key.
    Key(PublicKey),
    /// Authorities whose X.509 certificates lead to the key.
    Authorities(CertificateChain),
}

/// What judges again.
pub struct Judge<'a> {
    /// Every requirement.
    pub catalogue: &'a Catalogue,
    /// This tool and its digests.
    pub digests: &'a JudgeDigests,
    /// The profiles that are known.
    pub profiles: &'a [Profile],
    /// Every scenario of this version.
    pub plans: &'a [Arc<Plan>],
    /// The time.
    pub now: OffsetDateTime,
}

/// A certificate that holds.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says.
    pub certificate: Certificate,
    /// Who signed it, if X.509 certificates say so.
    pub signer: Option<String>,
    /// Whether the judgement here is of the same version as the one that issued it.
    pub same_judge: bool,
    /// Requirements this version judges otherwise; none if the version is the same.
    pub differences: Vec<Difference>,
    /// What is worth saying and does not stand against it.
    pub remarks: Vec<String>,
}

/// Verifies the certificate in a folder; nothing is written.
pub fn verify(directory: &Path, trust: &Trust, judge: &Judge<'_>) -> Result<Verified, VerifyError> {
    let bytes = fs::read(directory.join(CERTIFICATE)).map_err(VerifyError::NoCertificate)?;
    let envelope = Envelope::from_bytes(&bytes)?;
    let signer = check_signature(&envelope, trust, judge.now)?;
    let value = parse_canonical(&envelope.payload).map_err(VerifyError::Payload)?;
    let certificate = Certificate::from_statement(&value)?;
    check_signer(&certificate, &envelope)?;
    check_dates(&certificate, judge.now)?;
    let mut remarks = Vec::new();
    check_files(directory, &certificate, &mut remarks)?;
    let profile = known_profile(&certificate, judge.profiles)?;
    let journal = JournalReader::read(&directory.join(JOURNAL))?;
    check_journal(&certificate, &journal)?;
    let (same_judge, differences) = judge_again(&certificate, &journal, profile, judge)?;
    check_scenarios(&certificate, &journal, profile, judge, same_judge, &mut remarks)?;
    check_pages(directory, &certificate, same_judge, &mut remarks)?;
    if !same_judge {
        remarks.push(format!(
            "it was issued by {} and is judged here by {}: what they judge differently, if anything, is listed",
            certificate.judge.tool, judge.digests.tool
        ));
    }
    Ok(Verified {
        certificate,
        signer,
        same_judge,
        differences,
        remarks,
    })
}

fn check_signature(
    envelope: &Envelope,
    trust: &Trust,
    now: OffsetDateTime,
) -> Result<Option<String>, VerifyError> {
    let named = envelope.chain.as_ref().map(CertificateChain::subject);
    match trust {
        Trust::Key(key) => {
            envelope.verify(key)?;
            Ok(named.map(|name| format!("{name} (as its X.509 certificate says, which was not verified)")))
        }
        Trust::Authorities(authorities) => {
            let chain = envelope.chain.as_ref().ok_or(VerifyError::NoChain)?;
            let at = u64::try_from(now.unix_timestamp()).unwrap_or_default();
            envelope.verify(&chain.verify(authorities, at)?)?;
            Ok(named)
        }
    }
}

/// The statement names key and chain, so that neither can be changed for another.
fn check_signer(certificate: &Certificate, envelope: &Envelope) -> Result<(), VerifyError> {
    let other = |what: &str, expected: &str, found: &str| VerifyError::OtherSigner {
        expected: format!("{what} {expected}"),
        found: format!("{what} {found}"),
    };
    if certificate.terms.key_id != envelope.key_id {
        return Err(other("key", &certificate.terms.key_id, &envelope.key_id));
    }
    let chain = envelope.chain.as_ref().map(chain_sha256);
    if certificate.chain != chain {
        let none = || "none".to_owned();
        let expected = certificate.chain.clone().unwrap_or_else(none);
        return Err(other(
            "X.509 certificates",
            &expected,
            &chain.unwrap_or_else(none),
        ));
    }
    Ok(())
}

fn check_dates(certificate: &Certificate, now: OffsetDateTime) -> Result<(), VerifyError> {
    let date = |text: &str| {
        OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| StatementError::Part("certificate".to_owned(), format!(": `{text}` is no date")))
    };
    let here = now
        .replace_nanosecond(0)
        .unwrap_or(now)
        .format(&Rfc3339)
        .unwrap_or_default();
    let terms = &certificate.terms;
    let ahead = date(&terms.issued_at)? - now;
    if ahead > CLOCK_TOLERANCE {
        return Err(VerifyError::Future {
            issued: terms.issued_at.clone(),
            now: here,
            ahead: format!("{} min", ahead.whole_minutes()),
        });
    }
    if date(&terms.valid_until)? < now {
        return Err(VerifyError::Expired {
            until: terms.valid_until.clone(),
            now: here,
        });
    }
    Ok(())
}

fn check_files(
    directory: &Path,
    certificate: &Certificate,
    remarks: &mut Vec<String>,
) -> Result<(), VerifyError> {
    for (name, expected) in &certificate.files {
        let path = directory.join(name);
        if name != JOURNAL && !path.exists() {
            remarks.push(format!(
                "{name} is not there; `hil report` makes it again from the journal"
            ));
            continue;
        }
        let found = sha256_of_file(&path)?;
        if found != *expected {
            return Err(VerifyError::Digest {
                file: name.clone(),
                expected: expected.clone(),
                found,
            });
        }
    }
    let found = payloads(directory)?;
    if let Some((name, digest)) = found.iter().find(|(name, digest)| name != digest) {
        return Err(VerifyError::Payloads(format!(
            "the SHA-256 of {name} is {digest}, and it should be its name: it was changed"
        )));
    }
    let (expected, count) = &certificate.payloads;
    if sha256_of_list(&found) != *expected {
        return Err(VerifyError::Payloads(format!(
            "there are {} side files, and the certificate is about {count}, or others",
            found.len()
        )));
    }
    Ok(())
}

/// The pages for people say what the statement says; how they say it is a matter of the version.
fn check_pages(
    directory: &Path,
    certificate: &Certificate,
    same_judge: bool,
    remarks: &mut Vec<String>,
) -> Result<(), VerifyError> {
    for (name, text) in pages(certificate) {
        match fs::read(directory.join(name)) {
            Ok(found) if found == text.as_bytes() => {}
            Ok(_) if same_judge => return Err(VerifyError::Page(name)),
            Ok(_) => remarks.push(format!("{name} was made by another version, and is not verified")),
            Err(_) => remarks.push(format!("{name} is not there")),
        }
    }
    Ok(())
}

fn known_profile<'p>(certificate: &Certificate, profiles: &'p [Profile]) -> Result<&'p Profile, VerifyError> {
    let facts = &certificate.profile;
    let named = profiles.iter().find(|profile| profile.name == facts.name);
    match named {
        Some(profile) if profile.sha256 == facts.sha256 => Ok(profile),
        named => Err(VerifyError::Profile {
            name: facts.name.clone(),
            sha256: facts.sha256.clone(),
            hint: match named {
                Some(_) => {
                    "the one known by this name is another: verify with the version that issued it".to_owned()
                }
                None => "give its file with `--profile FILE`".to_owned(),
            },
        }),
    }
}

/// The journal is whole, of one run, and about what the certificate names.
fn check_journal(certificate: &Certificate, journal: &ReadJournal) -> Result<(), VerifyError> {
    if let Some(damage) = journal.damage.first() {
        return Err(VerifyError::Damaged(damage.to_string()));
    }
    let foreign = |part: &str, certified: &str, journal: &str| VerifyError::Foreign {
        part: part.to_owned(),
        certified: certified.to_owned(),
        journal: journal.to_owned(),
    };
    for header in headers(journal) {
        if header.without_faults {
            return Err(VerifyError::Eased(header.instance.clone(), "without its faults"));
        }
        if header.retry_of.is_some() {
            return Err(VerifyError::Eased(
                header.instance.clone(),
                "again after it had failed",
            ));
        }
        if !header.extra_faults.is_empty() {
            return Err(VerifyError::Eased(
                header.instance.clone(),
                "with faults of the command line",
            ));
        }
        let seed = header.seed.to_string();
        let kind = kind_of(header);
        let pairs = [
            ("the seed", &certificate.terms.seed, &seed),
            ("the unit", &certificate.unit.name, &header.unit),
            ("its kind", &certificate.unit.kind, &kind),
            ("the tool", &certificate.judge.tool, &header.tool),
            (
                "the catalogue",
                &certificate.judge.catalogue,
                &header.catalogue_sha256,
            ),
        ];
        for (part, certified, found) in pairs {
            if certified != found {
                return Err(foreign(part, certified, found));
            }
        }
        if header.protocol != certificate.profile.protocol {
            let certified = certificate.profile.protocol.name();
            return Err(foreign("the protocol", certified, header.protocol.name()));
        }
        if header.ics != certificate.unit.ics {
            return Err(foreign("what the unit says of itself", "one thing", "another"));
        }
    }
    if scenarios(journal) != certificate.scenarios {
        return Err(foreign("the list of scenarios", "one", "another"));
    }
    if waivers_sha256(journal) != certificate.waivers {
        return Err(foreign("the list of waivers", "one", "another"));
    }
    if let Some(challenge) = &certificate.terms.challenge
        && certificate.terms.seed != seed_of(challenge).to_string()
    {
        let found = seed_of(challenge).to_string();
        return Err(foreign(
            "the seed",
            &certificate.terms.seed,
            &format!("{found} for its challenge"),
        ));
    }
    check_class(certificate)?;
    let shown = subjects(&journal.traces, &certificate.judge.tool_sha256)?;
    if shown != certificate.subjects {
        return Err(foreign("what was tested", "one thing", "another"));
    }
    Ok(())
}

/// The kind of certificate is the one such a unit can have.
fn check_class(certificate: &Certificate) -> Result<(), VerifyError> {
    let (terms, kind) = (&certificate.terms, &certificate.unit.kind);
    let may = match class_of(kind, terms.witnessed_by.as_deref()) {
        Ok(class) if class == terms.class => return Ok(()),
        Ok(class) => format!("can only have one that is {class}"),
        Err(error) => format!("cannot: {error}"),
    };
    Err(VerifyError::Class {
        class: terms.class,
        kind: kind.clone(),
        may,
    })
}

/// The scenarios are those of this version, and all the profile needs. Another version may have others.
fn check_scenarios(
    certificate: &Certificate,
    journal: &ReadJournal,
    profile: &Profile,
    judge: &Judge<'_>,
    same_judge: bool,
    remarks: &mut Vec<String>,
) -> Result<(), VerifyError> {
    let mut others = Vec::new();
    for plan in needed(profile, judge.catalogue, judge.plans) {
        let sha256 = sha256(plan.source.text().as_bytes());
        match certificate.scenarios.get(&plan.path) {
            None => others.push(format!("{} is missing", plan.path)),
            Some(certified) if *certified != sha256 => others.push(format!("{} is another one", plan.path)),
            Some(_) => {
                let own = headers(journal).filter(|header| header.scenario.path == plan.path);
                let expected = parameters(&plan, &certificate.terms.tier);
                if own.into_iter().any(|header| header.params != expected) {
                    let tier = &certificate.terms.tier;
                    others.push(format!(
                        "{} has other parameters than those of tier {tier}",
                        plan.path
                    ));
                }
            }
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    if same_judge {
        return Err(VerifyError::Scenarios(others.join(", ")));
    }
    remarks.push(format!(
        "of the scenarios this version runs for the profile, {} were not run in this form: {}",
        others.len(),
        others.join(", ")
    ));
    Ok(())
}

/// The parameters of a scenario in a tier.
fn parameters(plan: &Plan, tier: &str) -> Map<String, Value> {
    let value = |parameter: &Parameter| parameter.tiers.get(tier).unwrap_or(&parameter.default).clone();
    let all = plan.params.iter();
    all.map(|(name, parameter)| (name.clone(), value(parameter)))
        .collect()
}

fn judge_again(
    certificate: &Certificate,
    journal: &ReadJournal,
    profile: &Profile,
    judge: &Judge<'_>,
) -> Result<(bool, Vec<Difference>), VerifyError> {
    let mut summary = judge_traces(&journal.traces, &journal.repeats, judge.catalogue, false);
    if let Some(waivers) = &journal.waivers {
        summary = summary.waived(waivers);
    }
    let outcome = Outcome::of(&summary, profile);
    let differences = differences(certificate, &outcome, profile);
    let (own, other) = (judge.digests, &certificate.judge);
    let same = own.tool == other.tool && own.catalogue == other.catalogue && own.monitors == other.monitors;
    match same && !differences.is_empty() {
        true => Err(VerifyError::Judgement(differences)),
        false => Ok((same, differences)),
    }
}

fn differences(certificate: &Certificate, outcome: &Outcome, profile: &Profile) -> Vec<Difference> {
    let mut differences = Vec::new();
    let results = &certificate.results;
    let certified = |id: &str| {
        let lists = [
            ("waived", results.waived.contains_key(id)),
            ("warned", results.warned.contains_key(id)),
            ("passed", results.passed.contains(id)),
            ("not applicable", results.not_applicable.contains_key(id)),
            ("undecided", results.undecided.contains_key(id)),
        ];
        lists
            .into_iter()
            .find(|(_, is)| *is)
            .map_or("nothing", |(word, _)| word)
    };
    let judged = |id: &str| {
        if let Some(missing) = outcome
            .missing
            .iter()
            .find(|one| one.requirement.as_deref() == Some(id))
        {
            return (missing.kind.words(), format!(": {}", missing.text));
        }
        let lists = [
            ("waived", outcome.waived.contains_key(id)),
            ("warned", outcome.warned.contains_key(id)),
            ("passed", outcome.passed.contains(id)),
            ("not applicable", outcome.not_applicable.contains_key(id)),
            ("undecided", outcome.undecided.contains_key(id)),
        ];
        let found = lists.into_iter().find(|(_, is)| *is);
        (found.map_or("nothing", |(word, _)| word), String::new())
    };
    let ids: BTreeSet<&String> = profile
        .requirements
        .keys()
        .chain(&results.passed)
        .chain(results.warned.keys())
        .collect();
    for id in ids {
        let (before, (now, text)) = (certified(id), judged(id));
        if before != now {
            differences.push(Difference {
                requirement: Some(id.clone()),
                certified: before.to_owned(),
                denies: outcome
                    .missing
                    .iter()
                    .any(|one| one.requirement.as_ref() == Some(id)),
                judged: format!("{now}{text}"),
            });
        }
    }
    let others = outcome.missing.iter().filter(|one| one.requirement.is_none());
    differences.extend(others.map(|missing| Difference {
        requirement: None,
        certified: "whole".to_owned(),
        judged: format!("{}: {}", missing.kind.words(), missing.text),
        denies: true,
    }));
    differences
}

/// How far two clocks may be apart.
const CLOCK_TOLERANCE: Duration = Duration::minutes(5);
