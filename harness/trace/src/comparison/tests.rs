//! Small runs held against each other.

use super::*;
use crate::{
    Blame, CaseState, CoverageState, Finding, InstanceSummary, Level, Measurement, RepeatOf, Repeats,
    RequirementCoverage, RetryOf, RunSummary, TraceHeader, Verdict, Waiver, Waivers,
};
use hil_wire::Protocol;
use std::collections::BTreeMap;
use time::macros::date;

/// An instance of the unit `sim` that ran once.
fn instance(scenario: &str, verdict: Verdict, findings: Vec<Finding>) -> InstanceSummary {
    InstanceSummary {
        exercised: Default::default(),
        header: TraceHeader {
            instance: format!("{scenario}@sim"),
            unit: "sim".to_owned(),
            ..TraceHeader::bare(Protocol::EdgePoll)
        },
        verdict,
        left: None,
        skipped: (verdict == Verdict::None).then(|| "not exercised: no power".to_owned()),
        findings,
        measurements: Vec::new(),
        sweep: None,
        repeats: None,
        duration: 1.0,
        records: 3,
    }
}

fn finding(requirement: &str, level: Level, verdict: Verdict) -> Finding {
    Finding {
        requirement: Some(requirement.to_owned()),
        level,
        verdict,
        text: "so it was".to_owned(),
        evidence: Vec::new(),
        blame: Blame::Unit,
        step: None,
        monitor: "edge-poll/test".to_owned(),
    }
}

fn passing(scenario: &str) -> InstanceSummary {
    instance(
        scenario,
        Verdict::Pass,
        vec![finding("POLL-A-001", Level::Must, Verdict::Pass)],
    )
}

fn failing(scenario: &str) -> InstanceSummary {
    instance(
        scenario,
        Verdict::Fail,
        vec![finding("POLL-A-001", Level::Must, Verdict::Fail)],
    )
}

fn of(scenario: &str, verdict: Verdict) -> InstanceSummary {
    instance(
        scenario,
        verdict,
        vec![finding("POLL-A-001", Level::Must, verdict)],
    )
}

fn run(instances: Vec<InstanceSummary>, coverage: &[(&str, CoverageState)]) -> Side {
    let covered = coverage.iter().map(|(id, state)| {
        let covered = RequirementCoverage {
            sentence: String::new(),
            level: Level::Must,
            state: *state,
            instances: Vec::new(),
        };
        ((*id).to_owned(), covered)
    });
    Side {
        name: "run".to_owned(),
        summary: RunSummary {
            exercise: Default::default(),
            tool: "hil".to_owned(),
            seed: 0,
            strict: false,
            interrupted: false,
            partitions: Default::default(),
            instances,
            coverage: BTreeMap::from([(Protocol::EdgePoll, covered.collect())]),
            waivers: Vec::new(),
            wall_seconds: 0.0,
        },
        damage: Vec::new(),
        known: None,
    }
}

fn of_instances(instances: Vec<InstanceSummary>) -> Side {
    run(instances, &[("POLL-A-001", CoverageState::Inconclusive)])
}

fn compare(before: Vec<InstanceSummary>, now: Vec<InstanceSummary>) -> Comparison {
    Comparison::of(&of_instances(before), &of_instances(now), 0.1)
}

/// Repeats of one scenario, with a time of each.
fn repeats(verdicts: &[Verdict]) -> Vec<InstanceSummary> {
    let mut all: Vec<InstanceSummary> = (0..)
        .zip(verdicts)
        .map(|(repetition, verdict)| {
            let mut one = of("a", *verdict);
            one.header.instance = format!("a@sim#{repetition}");
            one.header.repetition = repetition;
            one.header.repeat_of = Some(RepeatOf {
                group: "a@sim".to_owned(),
                times: verdicts.len() as u32,
            });
            one
        })
        .collect();
    let mut together = instance("a", Verdict::Pass, Vec::new());
    together.header.repeat_of = Some(RepeatOf {
        group: "a@sim".to_owned(),
        times: verdicts.len() as u32,
    });
    together.repeats = Some(Box::new(Repeats {
        planned: verdicts.len() as u32,
        ran: verdicts.len() as u32,
        passed: verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Pass)
            .count() as u32,
        by_figures: 0,
        series: Vec::new(),
    }));
    all.push(together);
    all
}

fn retried(first: Verdict, second: Verdict) -> Vec<InstanceSummary> {
    let first = of("a", first);
    let mut again = of("a", second);
    again.header.instance = "a@sim#retry-1".to_owned();
    again.header.retry_of = Some(RetryOf {
        first: "a@sim".to_owned(),
        attempt: 1,
    });
    vec![first, again]
}

#[test]
fn the_same_run_is_no_worse() {
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::None] {
        let blocking = compare(vec![of("a", verdict)], vec![of("a", verdict)]).outcomes();
        let blocking = blocking.into_iter().filter(|outcome| outcome.blocks());
        assert_eq!(blocking.count(), 0, "{verdict}");
    }
    assert_eq!(
        compare(vec![failing("a")], vec![failing("a")]).outcomes(),
        [Outcome::StillFailing]
    );
}

#[test]
fn every_turn_of_a_verdict_has_its_outcome() {
    use Outcome::{Errors, Fixed, NewFailures, NewlyInconclusive, NewlyUnexercised, UnsoundBaseline};
    use Verdict::{Error, Fail, Inconclusive, Pass};
    let skip = Verdict::None;
    for (before, now, expected) in [
        (Pass, Fail, vec![NewFailures]),
        (Inconclusive, Fail, vec![NewFailures]),
        (skip, Fail, vec![NewFailures]),
        (Error, Fail, vec![UnsoundBaseline, Outcome::NewAndFailing]),
        (Fail, Pass, vec![Fixed]),
        (Fail, Inconclusive, vec![NewlyInconclusive]),
        (Pass, Inconclusive, vec![NewlyInconclusive]),
        (Pass, skip, vec![NewlyUnexercised]),
        (Fail, skip, vec![NewlyUnexercised]),
        (Pass, Error, vec![Errors]),
        (Error, Error, vec![Errors]),
        (Error, Pass, vec![UnsoundBaseline]),
        (skip, Pass, vec![]),
        (Inconclusive, Pass, vec![]),
    ] {
        let found = compare(vec![of("a", before)], vec![of("a", now)]).outcomes();
        assert_eq!(found, expected, "{before} to {now}");
    }
}

#[test]
fn what_only_one_run_has_is_lost_or_new() {
    let found = compare(vec![passing("a"), passing("b")], vec![passing("a"), failing("c")]);
    assert_eq!(
        found.outcomes(),
        [Outcome::NewlyUnexercised, Outcome::NewAndFailing]
    );
    let gone = LossOf::Case {
        case: "b@sim".to_owned(),
        before: CaseState::Passed,
        now: CaseState::Absent,
    };
    assert_eq!(
        found.unexercised,
        [Loss {
            of: gone,
            reason: None
        }]
    );
    assert_eq!(
        compare(vec![passing("a")], vec![passing("c")]).outcomes(),
        [Outcome::NothingComparable]
    );
    assert_eq!(
        compare(vec![], vec![passing("c")]).outcomes(),
        [Outcome::NothingComparable]
    );
}

#[test]
fn flips_are_flaky_and_neither_new_failures_nor_fixed() {
    use Verdict::{Fail, Pass};
    let (steady, wrong) = (repeats(&[Pass, Pass, Pass]), repeats(&[Fail, Fail, Fail]));
    let flips = repeats(&[Pass, Fail, Pass]);
    assert_eq!(
        compare(steady.clone(), flips.clone()).outcomes(),
        [Outcome::Flaky]
    );
    assert_eq!(compare(wrong.clone(), flips.clone()).outcomes(), [Outcome::Flaky]);
    assert_eq!(compare(flips.clone(), flips.clone()).outcomes(), [Outcome::Flaky]);
    assert_eq!(compare(flips.clone(), wrong.clone()).outcomes(), [Outcome::Flaky]);
    let steadied = compare(flips, steady.clone());
    assert_eq!((steadied.outcomes(), steadied.flaky.len()), (vec![], 1));
    assert_eq!(compare(steady.clone(), wrong).outcomes(), [Outcome::NewFailures]);
    assert_eq!(compare(vec![passing("a")], steady).outcomes(), []);
}

#[test]
fn what_passes_only_when_run_again_is_flaky() {
    use Verdict::{Fail, Inconclusive, Pass};
    let before = vec![passing("a")];
    assert_eq!(
        compare(before.clone(), retried(Fail, Pass)).outcomes(),
        [Outcome::Flaky]
    );
    assert_eq!(
        compare(before.clone(), retried(Inconclusive, Pass)).outcomes(),
        [Outcome::Flaky]
    );
    assert_eq!(
        compare(before.clone(), retried(Fail, Fail)).outcomes(),
        [Outcome::NewFailures]
    );
    assert_eq!(
        compare(before.clone(), retried(Inconclusive, Fail)).outcomes(),
        [Outcome::NewFailures]
    );
    let found = compare(before, retried(Fail, Pass));
    assert_eq!((found.flaky[0].passed_again, found.flaky[0].passed), (1, 0));
}

#[test]
fn a_new_requirement_is_no_regression() {
    let mut before = of_instances(vec![passing("a")]);
    let mut now = run(
        vec![instance(
            "a",
            Verdict::Fail,
            vec![
                finding("POLL-A-001", Level::Must, Verdict::Pass),
                finding("POLL-B-001", Level::Must, Verdict::Fail),
            ],
        )],
        &[
            ("POLL-A-001", CoverageState::Verified),
            ("POLL-B-001", CoverageState::Violated),
        ],
    );
    let found = Comparison::of(&before, &now, 0.1);
    assert_eq!(
        found.outcomes(),
        [Outcome::NewAndFailing, Outcome::ChangedCatalogue]
    );
    assert!(found.new_and_failing[0].is_new_requirement);
    // A journal judged again knows today's requirements; what it ran with is said apart.
    before.summary.coverage = now.summary.coverage.clone();
    before.known = Some(BTreeMap::from([("POLL-A-001".to_owned(), (Level::Must, None))]));
    assert_eq!(Comparison::of(&before, &now, 0.1).outcomes(), found.outcomes());
    // One less is said, too.
    before.known = None;
    now.known = Some(BTreeMap::from([(
        "POLL-B-001".to_owned(),
        (Level::Should, Some("x".to_owned())),
    )]));
    let catalogue = Comparison::of(&before, &now, 0.1).catalogue;
    let removed = CatalogueChange::Removed {
        id: "POLL-A-001".to_owned(),
        level: Level::Must,
    };
    let level = CatalogueChange::Level {
        id: "POLL-B-001".to_owned(),
        before: Level::Must,
        now: Level::Should,
    };
    assert_eq!(catalogue, [removed, level]);
}

#[test]
fn a_requirement_no_scenario_reaches_any_more_is_lost() {
    let before = run(vec![passing("a")], &[("POLL-A-001", CoverageState::Verified)]);
    for state in [CoverageState::NotExercised, CoverageState::NotApplicable] {
        let now = run(vec![passing("a")], &[("POLL-A-001", state)]);
        let found = Comparison::of(&before, &now, 0.1);
        assert_eq!(found.outcomes(), [Outcome::NewlyUnexercised]);
        assert_eq!(Comparison::of(&now, &before, 0.1).outcomes(), []);
    }
}

#[test]
fn warnings_are_new_unless_they_were_failures_or_of_another_level() {
    let warned = |level| {
        instance(
            "a",
            Verdict::Pass,
            vec![finding("POLL-A-001", level, Verdict::Fail)],
        )
    };
    let should = || vec![warned(Level::Should)];
    assert_eq!(
        compare(vec![passing("a")], should()).outcomes(),
        [Outcome::NewWarnings]
    );
    assert_eq!(compare(should(), should()).outcomes(), []);
    assert_eq!(compare(vec![failing("a")], should()).outcomes(), []);
    assert_eq!(
        compare(should(), vec![failing("a")]).outcomes(),
        [Outcome::StillFailing]
    );
}

#[test]
fn incomplete_sides_are_said() {
    let (mut torn, whole) = (of_instances(vec![passing("a")]), of_instances(vec![passing("a")]));
    torn.damage = vec!["its end is missing".to_owned()];
    assert_eq!(
        Comparison::of(&torn, &whole, 0.1).outcomes(),
        [Outcome::UnsoundBaseline]
    );
    assert_eq!(
        Comparison::of(&whole, &torn, 0.1).outcomes(),
        [Outcome::IncompleteRun]
    );
    let none = Comparison::without_baseline("no such folder".to_owned(), &whole);
    assert_eq!(none.outcomes(), [Outcome::NoBaseline]);
    let damaged = Comparison::with_unreadable_baseline("no journal".to_owned(), &whole);
    assert_eq!(damaged.outcomes(), [Outcome::UnsoundBaseline]);
}

#[test]
fn units_of_other_names_are_compared_if_there_is_no_choice() {
    let renamed = |name: &str, mut instance: InstanceSummary| {
        instance.header.instance = instance.header.instance.replace("@sim", &format!("@{name}"));
        instance.header.unit = name.to_owned();
        instance
    };
    let found = compare(vec![passing("a")], vec![renamed("v2", failing("a"))]);
    assert_eq!(found.outcomes(), [Outcome::NewFailures]);
    assert!(matches!(found.conditions[0], Condition::Unit { .. }));
    let both = vec![renamed("v2", failing("a")), renamed("v3", failing("a"))];
    assert_eq!(
        compare(vec![passing("a")], both).outcomes(),
        [Outcome::NothingComparable]
    );
}

#[test]
fn a_protocol_that_is_gone_is_one_loss() {
    let other = |scenario: &str| {
        let mut other = passing(scenario);
        other.header.protocol = Protocol::Sota;
        other.header.instance = format!("{scenario}@sota");
        other.header.unit = "sota".to_owned();
        other
    };
    let found = compare(vec![passing("a"), other("b"), other("c")], vec![passing("a")]);
    let of = LossOf::Protocol {
        protocol: Protocol::Sota,
        unit: "sota".to_owned(),
        cases: 2,
    };
    assert_eq!(found.unexercised, [Loss { of, reason: None }]);
}

#[test]
fn times_of_single_runs_are_not_held_against_each_other() {
    let timed = |seconds| {
        let mut timed = passing("a");
        timed.measurements.push(Measurement {
            name: "idle".to_owned(),
            seconds,
            tolerance: 0.0,
            resolution: 0.001,
            bounds: None,
            evidence: Vec::new(),
        });
        vec![timed]
    };
    let found = compare(timed(30.0), timed(300.0));
    assert_eq!((found.outcomes(), found.timing.len()), (vec![], 1));
    assert_eq!(found.timing[0].verdict, TimeVerdict::Undecided);
}

#[test]
fn what_is_waived_is_neither_a_new_failure_nor_fixed() {
    let violated = || run(vec![failing("a")], &[("POLL-A-001", CoverageState::Violated)]);
    let passed = || run(vec![passing("a")], &[("POLL-A-001", CoverageState::Verified)]);
    let waived = || {
        let mut side = violated();
        side.summary = side.summary.waived(&Waivers {
            as_of: date!(2026 - 11 - 23),
            waivers: vec![Waiver {
                requirement: "POLL-A-001".to_owned(),
                reason: "known".to_owned(),
                expires: date!(2026 - 12 - 31),
            }],
        });
        side
    };
    let found = |before: Side, now: Side| Comparison::of(&before, &now, 0.1).outcomes();
    assert_eq!(found(passed(), waived()), [Outcome::NewlyWaived]);
    assert_eq!(found(violated(), waived()), [Outcome::NewlyWaived]);
    assert_eq!(found(waived(), waived()), []);
    assert_eq!(found(waived(), violated()), [Outcome::StillFailing]);
    assert_eq!(found(waived(), passed()), [Outcome::Fixed]);
}
