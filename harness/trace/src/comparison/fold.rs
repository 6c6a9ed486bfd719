//! Two runs held against each other.

use super::{
    CatalogueChange, Change, Condition, Flaky, Loss, LossOf, Outcome, Side, SideFacts, TimeChange,
    TimeVerdict,
    case::{Case, CaseName, Stated},
    conditions::{conditions, matching_units},
};
use crate::{CaseState, CoverageState, Level};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The baseline; none if there is none, or if it cannot be read.
    pub baseline: Option<SideFacts>,
    /// Why there is no baseline.
    pub no_baseline: Option<String>,
    /// Why the baseline is no measure, or not in everything.
    pub unsound_baseline: Vec<String>,
    /// The new run.
    pub new: SideFacts,
    /// What they were not made alike in.
    pub conditions: Vec<Condition>,
    /// How many scenarios on their units both runs judged.
    pub compared: usize,
    /// Fails, and did not in the baseline.
    pub new_failures: Vec<Change>,
    /// Could not be judged in the new run.
    pub errors: Vec<Change>,
    /// Passed at one time and not at another, in one of the runs.
    pub flaky: Vec<Flaky>,
    /// Exercised in the baseline and not any more.
    pub unexercised: Vec<Loss>,
    /// Decided in the baseline and not any more.
    pub newly_inconclusive: Vec<Change>,
    /// SHOULDs and MAYs violated that were not in the baseline.
    pub new_warnings: Vec<Change>,
    /// Every time that one of the runs measured.
    pub timing: Vec<TimeChange>,
    /// Fails, and has no counterpart in the baseline.
    pub new_and_failing: Vec<Change>,
    /// Fails as it did in the baseline.
    pub still_failing: Vec<Change>,
    /// Requirements that are waived and were not in the baseline.
    pub newly_waived: Vec<String>,
    /// Requirements that are not what they were.
    pub catalogue: Vec<CatalogueChange>,
    /// Failed in the baseline and passes.
    pub fixed: Vec<Change>,
}

impl Comparison {
    /// Holds a run against a baseline. A time that shifts by less than `least_effect`, a share of its median, did not.
    pub fn of(baseline: &Side, new: &Side, least_effect: f64) -> Comparison {
        let mut comparison = Comparison {
            baseline: Some(baseline.facts()),
            new: new.facts(),
            ..Comparison::default()
        };
        let (before, now) = (Case::all(&baseline.summary), Case::all(&new.summary));
        let units = matching_units(&before, &now);
        let mut pairs: BTreeMap<CaseName<'_>, (Option<&Case<'_>>, Option<&Case<'_>>)> = BTreeMap::new();
        for ((scenario, unit), case) in &before {
            let unit = units.get(&(case.protocol, *unit)).copied().unwrap_or(unit);
            pairs.entry((scenario, unit)).or_default().0 = Some(case);
        }
        for (name, case) in &now {
            pairs.entry(*name).or_default().1 = Some(case);
        }
        comparison.conditions = conditions(&comparison, &units, &pairs);
        if baseline.is_incomplete() {
            let damage = baseline.damage.iter().cloned();
            let cut = baseline
                .summary
                .interrupted
                .then(|| "it was cut short".to_owned());
            comparison.unsound_baseline.extend(cut.into_iter().chain(damage));
        }
        comparison.compared = pairs.values().filter(|(b, n)| b.is_some() && n.is_some()).count();
        if comparison.compared == 0 {
            return comparison;
        }
        let mut lost: BTreeMap<(_, &str), (usize, bool)> = BTreeMap::new();
        for ((scenario, unit), (before, now)) in &pairs {
            let Some(case) = now.or(*before) else { continue };
            let exercised = before.is_some_and(|case| case.state() != CaseState::Skipped);
            let (cases, any) = lost.entry((case.protocol, unit)).or_default();
            *cases += usize::from(exercised);
            *any |= now.is_some();
            let held = Held {
                name: format!("{scenario}@{unit}"),
                before: *before,
                now: *now,
                baseline,
                new,
            };
            held.compare(&mut comparison, least_effect);
        }
        for ((protocol, unit), (cases, any)) in lost {
            if !any && cases > 0 {
                let unit = unit.to_owned();
                let of = LossOf::Protocol {
                    protocol,
                    unit,
                    cases,
                };
                comparison.unexercised.push(Loss { of, reason: None });
            }
        }
        let gone: BTreeSet<String> = comparison.protocols_gone();
        comparison.unexercised.retain(|loss| match &loss.of {
            LossOf::Case { case, .. } => !gone.iter().any(|unit| case.ends_with(unit.as_str())),
            _ => true,
        });
        comparison.requirements(baseline, new);
        comparison.unexercised.sort_by_key(|loss| order(&loss.of));
        comparison
    }

    /// A run that cannot be held against anything, as there is no baseline.
    pub fn without_baseline(reason: String, new: &Side) -> Comparison {
        Comparison {
            no_baseline: Some(reason),
            new: new.facts(),
            ..Comparison::default()
        }
    }

    /// A run that cannot be held against anything, as its baseline cannot be read.
    pub fn with_unreadable_baseline(reason: String, new: &Side) -> Comparison {
        Comparison {
            unsound_baseline: vec![reason],
            new: new.facts(),
            ..Comparison::default()
        }
    }

    /// Everything it found, the gravest first.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let found = |outcome: &Outcome| match outcome {
            Outcome::NewFailures => !self.new_failures.is_empty(),
            Outcome::Errors => !self.errors.is_empty(),
            Outcome::IncompleteRun => self.new.interrupted || !self.new.damage.is_empty(),
            Outcome::Flaky => self.flaky.iter().any(|flaky| flaky.now != CaseState::Passed),
            Outcome::NewlyUnexercised => !self.unexercised.is_empty(),
            Outcome::NewlyInconclusive => !self.newly_inconclusive.is_empty(),
            Outcome::Slower => self.timed(TimeVerdict::Slower).next().is_some(),
            Outcome::NewWarnings => !self.new_warnings.is_empty(),
            Outcome::UnsoundBaseline => !self.unsound_baseline.is_empty(),
            Outcome::NoBaseline => self.no_baseline.is_some(),
            Outcome::NothingComparable => self.baseline.is_some() && self.compared == 0,
            Outcome::TimingUndecided => self
                .timed(TimeVerdict::Undecided)
                .any(TimeChange::is_over_repeats),
            Outcome::NewAndFailing => !self.new_and_failing.is_empty(),
            Outcome::StillFailing => !self.still_failing.is_empty(),
            Outcome::NewlyWaived => !self.newly_waived.is_empty(),
            Outcome::ChangedCatalogue => {
                let other = |condition: &Condition| matches!(condition, Condition::Catalogue { .. });
                !self.catalogue.is_empty() || self.conditions.iter().any(other)
            }
            Outcome::Fixed => !self.fixed.is_empty(),
        };
        Outcome::ALL.into_iter().filter(found).collect()
    }

    /// Times of which that was said.
    pub fn timed(&self, verdict: TimeVerdict) -> impl Iterator<Item = &TimeChange> {
        self.timing.iter().filter(move |change| change.verdict == verdict)
    }

    /// What the names of cases end in of which the new run has nothing at all.
    fn protocols_gone(&self) -> BTreeSet<String> {
        let losses = self.unexercised.iter();
        losses
            .filter_map(|loss| match &loss.of {
                LossOf::Protocol { unit, .. } => Some(format!("@{unit}")),
                _ => None,
            })
            .collect()
    }

    fn requirements(&mut self, baseline: &Side, new: &Side) {
        let (known, knows) = (baseline.requirements(), new.requirements());
        for (protocol, covered) in &baseline.summary.coverage {
            let Some(now_covered) = new.summary.coverage.get(protocol) else {
                continue;
            };
            for (id, before) in covered {
                let Some(now) = now_covered.get(id).filter(|_| known.contains_key(id.as_str())) else {
                    continue;
                };
                if was_exercised(before.state) && !was_exercised(now.state) {
                    let of = LossOf::Requirement {
                        id: id.clone(),
                        level: now.level,
                        before: before.state,
                        now: now.state,
                    };
                    self.unexercised.push(Loss { of, reason: None });
                }
                if now.state == CoverageState::Waived && before.state != CoverageState::Waived {
                    self.newly_waived.push(id.clone());
                }
            }
        }
        let common: Vec<String> = (baseline.summary.coverage.keys())
            .filter(|protocol| new.summary.coverage.contains_key(protocol))
            .map(|protocol| format!("{}-", protocol.requirement_prefix()))
            .collect();
        let is_common = |id: &str| common.iter().any(|prefix| id.starts_with(prefix));
        let ids: BTreeSet<&str> = known.keys().chain(knows.keys()).copied().collect();
        for id in ids.into_iter().filter(|id| is_common(id)) {
            let state = || {
                let mut covered = new.summary.coverage.values();
                covered
                    .find_map(|covered| covered.get(id))
                    .map(|covered| covered.state)
            };
            let id = id.to_owned();
            match (known.get(id.as_str()), knows.get(id.as_str())) {
                (None, Some((level, _))) => {
                    let (level, state) = (*level, state());
                    self.catalogue.push(CatalogueChange::Added { id, level, state });
                }
                (Some((level, _)), None) => {
                    self.catalogue
                        .push(CatalogueChange::Removed { id, level: *level });
                }
                (Some((before, said)), Some((now, says))) => {
                    if before != now {
                        let (id, before, now) = (id.clone(), *before, *now);
                        self.catalogue.push(CatalogueChange::Level { id, before, now });
                    }
                    if let (Some(before), Some(now)) = (said, says)
                        && before != now
                    {
                        let (before, now) = ((*before).to_owned(), (*now).to_owned());
                        self.catalogue.push(CatalogueChange::Sentence { id, before, now });
                    }
                }
                (None, None) => {}
            }
        }
    }
}

/// One case of both runs.
struct Held<'a> {
    name: String,
    before: Option<&'a Case<'a>>,
    now: Option<&'a Case<'a>>,
    baseline: &'a Side,
    new: &'a Side,
}

impl Held<'_> {
    fn compare(&self, found: &mut Comparison, least_effect: f64) {
        let state = |case: Option<&Case<'_>>| case.map_or(CaseState::Absent, Case::state);
        let (before, now) = (state(self.before), state(self.now));
        if before == CaseState::Error && now != CaseState::Absent && now != CaseState::Error {
            let why = self.before.and_then(|case| case.undecided.as_ref());
            let why = why.map(|stated| format!(": {}", stated.text)).unwrap_or_default();
            found
                .unsound_baseline
                .push(format!("`{}` could not be judged there{why}", self.name));
        }
        let undecided = self.now.and_then(|case| case.undecided.as_ref());
        match now {
            CaseState::Absent | CaseState::Skipped => return self.lose(found, before, now),
            CaseState::Error => found.errors.push(self.undecided(undecided, before, now)),
            CaseState::Inconclusive if before.is_decided() => {
                found
                    .newly_inconclusive
                    .push(self.undecided(undecided, before, now));
            }
            _ => {}
        }
        let (Some(case), flaky) = (self.now, self.flaky(before, now)) else {
            return;
        };
        match flaky {
            Some(flaky) => found.flaky.push(flaky),
            None => {
                self.failures(found, case, before, now);
                self.fixed(found, case, before, now);
                self.warnings(found, case, before, now);
            }
        }
        if let Some(earlier) = self.before {
            let names: BTreeSet<&str> = earlier
                .measured
                .keys()
                .chain(case.measured.keys())
                .copied()
                .collect();
            for name in names {
                let sides = [earlier, case].map(|case| case.measured.get(name));
                // What did not pass need not have got as far as to be measured.
                if sides[0].is_some() && (sides[1].is_some() || now == CaseState::Passed) {
                    found
                        .timing
                        .push(TimeChange::of(&self.name, name, sides, least_effect));
                }
            }
        }
    }

    fn lose(&self, found: &mut Comparison, before: CaseState, now: CaseState) {
        if before.is_decided() || before == CaseState::Inconclusive {
            let of = LossOf::Case {
                case: self.name.clone(),
                before,
                now,
            };
            let reason = self.now.and_then(|case| case.skipped).map(str::to_owned);
            found.unexercised.push(Loss { of, reason });
        }
    }

    fn undecided(&self, stated: Option<&Stated>, before: CaseState, now: CaseState) -> Change {
        let stated = stated.cloned().unwrap_or_else(|| Stated {
            instance: self.name.clone(),
            level: Level::Must,
            text: "no finding explains this verdict".to_owned(),
        });
        self.change(None, &stated, before, now)
    }

    /// What passes at one time and not at another is neither a new failure nor fixed.
    fn flaky(&self, before: CaseState, now: CaseState) -> Option<Flaky> {
        let flaky = match (before, now) {
            (_, CaseState::Flaky) => self.now?,
            (CaseState::Flaky, CaseState::Passed | CaseState::Failed) => self.before?,
            _ => return None,
        };
        Some(Flaky {
            case: self.name.clone(),
            before,
            now,
            passed: flaky.times.passed,
            not_passed: flaky.times.failed + flaky.times.errors + flaky.times.inconclusive,
            passed_again: flaky.times.flaky,
            subjects: flaky.failures.keys().cloned().collect(),
        })
    }

    fn failures(&self, found: &mut Comparison, case: &Case<'_>, before: CaseState, now: CaseState) {
        for (subject, stated) in &case.failures {
            let change = self.change(Some(subject), stated, before, now);
            let violated_before = self.before.is_some_and(|case| case.violates(subject));
            match before {
                _ if violated_before => found.still_failing.push(change),
                _ if change.is_new_requirement => found.new_and_failing.push(change),
                CaseState::Absent | CaseState::Error => found.new_and_failing.push(change),
                _ => found.new_failures.push(change),
            }
        }
    }

    fn fixed(&self, found: &mut Comparison, case: &Case<'_>, before: CaseState, now: CaseState) {
        let failed = matches!(before, CaseState::Failed | CaseState::Waived);
        let Some(earlier) = self.before.filter(|_| failed) else {
            return;
        };
        for (subject, stated) in earlier.failures.iter().chain(&earlier.waived) {
            let violated = case.violates(subject);
            let is_requirement = self.baseline.level(subject).is_some();
            let met = case.met.contains(subject.as_str()) || self.new.verified(subject);
            let stated = &Stated {
                instance: self.name.clone(),
                ..stated.clone()
            };
            match now {
                _ if violated => {}
                _ if met => found.fixed.push(self.change(Some(subject), stated, before, now)),
                CaseState::Passed if !is_requirement => {
                    found.fixed.push(self.change(Some(subject), stated, before, now));
                }
                CaseState::Passed => found.unexercised.push(Loss {
                    of: LossOf::Violation {
                        case: self.name.clone(),
                        requirement: subject.clone(),
                    },
                    reason: None,
                }),
                _ => {}
            }
        }
    }

    fn warnings(&self, found: &mut Comparison, case: &Case<'_>, before: CaseState, now: CaseState) {
        let Some(earlier) = self
            .before
            .filter(|_| before.is_decided() || before == CaseState::Inconclusive)
        else {
            return;
        };
        for (subject, stated) in &case.warnings {
            let known = earlier.violates(subject);
            let change = self.change(Some(subject), stated, before, now);
            if !known && !change.is_new_requirement {
                found.new_warnings.push(change);
            }
        }
    }

    fn change(&self, subject: Option<&String>, stated: &Stated, before: CaseState, now: CaseState) -> Change {
        // Steps and monitors are no requirements; of a protocol the baseline did not speak nothing is known.
        let is_requirement = subject.is_some_and(|id| self.is_requirement(id));
        Change {
            case: self.name.clone(),
            instance: stated.instance.clone(),
            subject: subject.cloned(),
            level: stated.level,
            before,
            now,
            text: stated.text.clone(),
            is_new_requirement: is_requirement && subject.is_some_and(|id| self.baseline.level(id).is_none()),
        }
    }

    fn is_requirement(&self, subject: &str) -> bool {
        let protocol = self.now.or(self.before).map(|case| case.protocol);
        protocol.is_some_and(|protocol| {
            let prefix = format!("{}-", protocol.requirement_prefix());
            subject.starts_with(&prefix) && self.baseline.summary.coverage.contains_key(&protocol)
        })
    }
}

fn was_exercised(state: CoverageState) -> bool {
    !matches!(state, CoverageState::NotExercised | CoverageState::NotApplicable)
}

/// Whole protocols first, then requirements by how binding they are, then scenarios.
fn order(of: &LossOf) -> (u8, Level, String) {
    match of {
        LossOf::Protocol { unit, .. } => (0, Level::Must, unit.clone()),
        LossOf::Requirement { id, level, .. } => (1, *level, id.clone()),
        LossOf::Violation { case, .. } => (2, Level::Must, case.clone()),
        LossOf::Case { case, .. } => (3, Level::Must, case.clone()),
    }
}
