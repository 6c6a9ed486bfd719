//! What a judged journal says about a profile, and what it does not say: every reason why there is no certificate.

use crate::Profile;
use hil_trace::{CoverageState, Finding, InstanceSummary, Level, RunSummary, Verdict};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A profile against a judged journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Requirements that were exercised and met.
    pub passed: BTreeSet<String>,
    /// Violated SHOULDs and MAYs, each with what was found.
    pub warned: BTreeMap<String, String>,
    /// Requirements that are not applicable, each with what the unit file says.
    pub not_applicable: BTreeMap<String, String>,
    /// Waived requirements, each with the reason.
    pub waived: BTreeMap<String, String>,
    /// SHOULDs and MAYs that were not exercised or not decided, each with why.
    pub undecided: BTreeMap<String, String>,
    /// Violated requirements the profile does not have, each with what was found.
    pub outside: BTreeMap<String, String>,
    /// Everything that stands against a certificate.
    pub missing: Vec<Missing>,
}

/// One reason why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The requirement; none if it is about a scenario, the run or the unit.
    pub requirement: Option<String>,
    /// Which kind of reason.
    pub kind: MissingKind,
    /// What exactly is missing, or what was found.
    pub text: String,
}

/// Kinds of reasons, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingKind {
    /// The unit broke a MUST, or failed a scenario.
    Violated,
    /// A scenario could not be judged.
    Error,
    /// A MUST or a scenario was not decided.
    Inconclusive,
    /// The run was cut short.
    CutShort,
    /// A MUST was not exercised, or the unit has not what the profile demands.
    NotExercised,
}

impl MissingKind {
    /// One or two words for people.
    pub fn words(self) -> &'static str {
        match self {
            MissingKind::Violated => "violated",
            MissingKind::Error => "not judged",
            MissingKind::Inconclusive => "not decided",
            MissingKind::CutShort => "cut short",
            MissingKind::NotExercised => "not exercised",
        }
    }
}

impl Outcome {
    /// Holds a judged journal about one unit against a profile.
    pub fn of(summary: &RunSummary, profile: &Profile) -> Outcome {
        let empty = Map::new();
        let ics = summary.instances.first().map_or(&empty, |one| &one.header.ics);
        let mut outcome = Outcome::default();
        outcome.requirements(summary, profile, ics);
        for instance in &summary.instances {
            outcome.scenario(instance);
        }
        outcome.outside(summary, profile);
        for demand in profile.demands(ics) {
            outcome.miss(None, MissingKind::NotExercised, demand);
        }
        if summary.interrupted {
            let text = "not everything ran; `hil certify … --resume` goes on".to_owned();
            outcome.miss(None, MissingKind::CutShort, text);
        }
        outcome.missing.sort_by_key(|missing| missing.kind);
        outcome
    }

    /// Whether there is a certificate.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// The worst reason why there is none.
    pub fn worst(&self) -> Option<MissingKind> {
        self.missing.iter().map(|missing| missing.kind).min()
    }

    fn requirements(&mut self, summary: &RunSummary, profile: &Profile, ics: &Map<String, Value>) {
        let coverage = summary.coverage.get(&profile.protocol);
        for (id, level) in &profile.requirements {
            let covered = coverage.and_then(|coverage| coverage.get(id));
            let state = covered.map_or(CoverageState::NotExercised, |covered| covered.state);
            let must = *level == Level::Must;
            match state {
                CoverageState::Verified => {
                    self.passed.insert(id.clone());
                }
                CoverageState::Violated => {
                    self.miss(Some(id), MissingKind::Violated, found(summary, id, Verdict::Fail));
                }
                CoverageState::Warned => {
                    self.warned.insert(id.clone(), found(summary, id, Verdict::Fail));
                }
                CoverageState::Waived => {
                    self.waived.insert(id.clone(), waiver(summary, id));
                }
                CoverageState::Inconclusive if must => {
                    let text = found(summary, id, Verdict::Inconclusive);
                    self.miss(Some(id), MissingKind::Inconclusive, text);
                }
                CoverageState::Inconclusive => {
                    let text = found(summary, id, Verdict::Inconclusive);
                    self.undecided.insert(id.clone(), text);
                }
                CoverageState::NotExercised | CoverageState::NotApplicable => match profile.excuse(id, ics) {
                    Some(said) => {
                        self.not_applicable.insert(id.clone(), said);
                    }
                    None if must => {
                        self.miss(Some(id), MissingKind::NotExercised, why_not(summary, id));
                    }
                    None => {
                        self.undecided.insert(id.clone(), why_not(summary, id));
                    }
                },
            }
        }
    }

    /// What went wrong in a scenario and is about no requirement.
    fn scenario(&mut self, instance: &InstanceSummary) {
        let deciding = instance.deciding(false);
        let own = deciding.iter().filter(|finding| finding.requirement.is_none());
        for finding in own {
            let kind = match finding.verdict {
                Verdict::Fail => MissingKind::Violated,
                Verdict::Error => MissingKind::Error,
                _ => MissingKind::Inconclusive,
            };
            let text = format!("{}: {}", instance.header.instance, finding.text);
            self.miss(None, kind, text);
        }
    }

    fn outside(&mut self, summary: &RunSummary, profile: &Profile) {
        for (id, covered) in summary.coverage.get(&profile.protocol).into_iter().flatten() {
            let violated = matches!(covered.state, CoverageState::Violated | CoverageState::Warned);
            if violated && !profile.requirements.contains_key(id) {
                self.outside.insert(id.clone(), found(summary, id, Verdict::Fail));
            }
        }
    }

    fn miss(&mut self, requirement: Option<&String>, kind: MissingKind, text: String) {
        self.missing.push(Missing {
            requirement: requirement.cloned(),
            kind,
            text,
        });
    }
}

/// Why the violation of a requirement is waived, and until when.
fn waiver(summary: &RunSummary, id: &str) -> String {
    let mut used = summary.waivers.iter().map(|outcome| &outcome.waiver);
    let own = used.find(|waiver| waiver.requirement == id);
    own.map_or_else(String::new, |waiver| {
        format!("{} (until {})", waiver.reason, waiver.expires)
    })
}

/// What was found about a requirement: the first finding that is this bad or worse, and where.
fn found(summary: &RunSummary, id: &str, least: Verdict) -> String {
    let about = |finding: &&Finding| {
        finding.requirement.as_deref() == Some(id)
            && (finding.verdict == least
                || least == Verdict::Inconclusive && finding.verdict == Verdict::Error)
    };
    let mut all = summary.instances.iter().flat_map(|instance| {
        let findings = instance.findings.iter().filter(about);
        findings.map(move |finding| (&instance.header.instance, finding))
    });
    let Some((instance, finding)) = all.next() else {
        return "no finding says why".to_owned();
    };
    let first = format!("{instance}: {}", finding.text);
    match all.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}

/// Why a requirement was not exercised: what its scenarios lacked.
fn why_not(summary: &RunSummary, id: &str) -> String {
    let verifying = summary
        .instances
        .iter()
        .filter(|instance| instance.header.scenario.verifies.iter().any(|own| own == id));
    let mut reasons = BTreeSet::new();
    let mut ran = 0;
    for instance in verifying {
        match &instance.skipped {
            Some(reason) => {
                reasons.insert(format!("{}: {reason}", instance.header.scenario.path));
            }
            None => ran += 1,
        }
    }
    match (reasons.len(), ran) {
        (0, 0) => "nothing that ran gave it an occasion".to_owned(),
        (0, _) => "its scenarios ran, and nothing in them showed it".to_owned(),
        _ => reasons.into_iter().collect::<Vec<_>>().join("; "),
    }
}
