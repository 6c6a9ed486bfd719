//! Whole sweeps of simulated units: what they find, what they leave out, and that they come out the same every time.

use crate::{
    Filter, RunOptions, RunOutcome, Stop, digest,
    judge::{
        judge_traces,
        live_tests::{Silent, catalogue, unit},
    },
    run,
};
use hil_scenario::{Plan, Vocabulary, embedded_suites, load};
use hil_sim::Defect;
use hil_trace::{SweepKind, SweepTable, Verdict};
use hil_wire::Protocol;
use serde_json::Map;
use std::{collections::BTreeSet, sync::Arc};

fn plan(path: &str, text: &str) -> Arc<Plan> {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let plan = load(path, text, &vocabulary, &catalogue());
    Arc::new(plan.unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

/// The suite's sweep of a protocol.
fn suite(protocol: Protocol) -> Arc<Plan> {
    let path = format!("{protocol}/power-cut-sweep.yaml");
    let (_, text) = embedded_suites().into_iter().find(|(p, _)| **p == path).unwrap();
    plan(&path, &text)
}

fn swept(plan: &Arc<Plan>, defects: &[Defect], jobs: usize) -> RunOutcome {
    let unit = unit(plan.protocol, defects.iter().copied().collect::<BTreeSet<_>>());
    let options = RunOptions {
        seed: 11,
        jobs,
        repeat: 1,
        retries: 0,
        partition: None,
        cases: None,
        set: Map::new(),
        tier: None,
        strict: false,
        waivers: None,
        fail_fast: false,
        without_faults: false,
        tool: "hil".to_owned(),
        catalogue_sha256: String::new(),
        state_directory: None,
    };
    run(
        std::slice::from_ref(plan),
        &[Arc::new(unit)],
        &Filter::default(),
        &catalogue(),
        &options,
        &Stop::default(),
        Box::new(Silent),
    )
    .unwrap()
}

fn table(outcome: &RunOutcome) -> SweepTable {
    let mut tables = outcome.summary.sweeps();
    assert_eq!(tables.len(), 1);
    tables.remove(0)
}

/// A sweep over one command to a service; `expected` lists the statuses it may end with.
fn short(sweep: &str, expected: &str) -> Arc<Plan> {
    let text = format!(
        "name: x\nprotocol: edge-poll\nsweep: {sweep}\nsteps:\n  - do: unit.start\n    as: started\n  - wait: 1s\n  \
         - do: cloud.queue\n    with: {{command: restart_service, payload: {{service: telemetry}}}}\n    as: queued\n  \
         - expect: cloud.ack_answer\n    match: {{id: \"${{queued.id}}\", http_status: 200}}\n    \
         where: event.status in [{expected}]\n    within: 300s\n  - wait: 40s\n    as: settled\n"
    );
    plan("edge-poll/short.yaml", &text)
}

#[test]
fn a_sweep_is_the_same_every_time_and_from_its_journal() {
    let plan = suite(Protocol::OtaRpc);
    let (one, two) = (swept(&plan, &[], 1), swept(&plan, &[], 3));
    assert_eq!(digest(&one.traces, &[]), digest(&two.traces, &[]));
    let again = judge_traces(&one.traces, &[], &catalogue(), false);
    assert_eq!(
        (again.sweeps(), again.counts()),
        (one.summary.sweeps(), two.summary.counts())
    );
    let table = table(&one);
    assert_eq!(
        (table.verdict(), table.cut),
        (Verdict::Pass, SweepKind::FlashWrites)
    );
    let writes = table.span.and_then(|span| span.writes).unwrap();
    assert!(writes > 5 && table.points.len() as u64 == 2 * writes, "{writes}");
    assert!(table.points.iter().all(|point| point.result.cut_at.is_some()));
    assert!(table.points.iter().all(|point| point.result.recovery.is_some()));
    let mut outcomes: Vec<&str> = table.outcomes().into_iter().map(|(word, _)| word).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["new firmware", "old firmware"]);
}

#[test]
fn the_sweeps_of_the_suites_find_what_power_spoils() {
    for name in ["writes-in-place", "marked-before-complete"] {
        let defect: Defect = name.parse().unwrap();
        let outcome = swept(&suite(defect.protocol().unwrap()), &[defect], 2);
        let instances = outcome.summary.instances.iter();
        let failed = instances.filter(|instance| instance.verdict == Verdict::Fail);
        let found: BTreeSet<&str> = failed
            .flat_map(|instance| &instance.findings)
            .filter(|finding| finding.verdict == Verdict::Fail)
            .filter_map(|finding| finding.requirement.as_deref())
            .collect();
        assert!(found.contains(defect.primary()), "{defect}: {found:?}");
        let table = table(&outcome);
        assert_eq!(
            table.reference.map(|row| row.verdict),
            Some(Verdict::Pass),
            "{defect}"
        );
    }
}

#[test]
fn a_sweep_over_time_cuts_at_its_points() {
    let plan = short("{cut: time, from: queued, to: settled, every: 20s}", ENDED);
    let outcome = swept(&plan, &[], 2);
    let table = table(&outcome);
    assert_eq!(
        (table.verdict(), table.cut),
        (Verdict::Pass, SweepKind::Time),
        "{table:?}"
    );
    let begin = outcome.summary.instances[0].duration - table.span.unwrap().seconds;
    let cuts: Vec<f64> = table
        .points
        .iter()
        .filter_map(|point| point.result.cut_at)
        .collect();
    assert!(cuts.len() >= 2 && cuts.len() == table.points.len());
    for (number, cut) in cuts.iter().enumerate() {
        assert!(
            (cut - begin - 20.0 * number as f64).abs() < 0.01,
            "{cuts:?} {begin}"
        );
    }
}

#[test]
fn wear_is_kept_and_what_is_left_out_has_a_name() {
    let all = swept(
        &short(
            "{cut: flash_writes, from: queued, to: settled, torn: true}",
            ENDED,
        ),
        &[],
        2,
    );
    let all = table(&all);
    assert_eq!(all.verdict(), Verdict::Pass);
    let wear = all.spent.unwrap() / 2;
    let sweep = format!("{{cut: flash_writes, from: queued, to: settled, torn: true, wear: {wear}}}");
    let outcome = swept(&short(&sweep, ENDED), &[], 2);
    let some = table(&outcome);
    assert_eq!(some.points.len(), all.points.len());
    assert!(
        some.ran().count() > 2 && some.spent.unwrap() <= wear,
        "{:?} of {wear}",
        some.spent
    );
    let left_out: Vec<&str> = some.left_out().map(|point| point.label.as_str()).collect();
    assert!(!left_out.is_empty());
    assert_eq!(outcome.summary.counts().skipped, left_out.len());
}

#[test]
fn without_a_reference_that_passes_or_points_nothing_is_swept() {
    let outcome = swept(
        &short("{cut: flash_writes, from: queued, to: settled}", "'failed'"),
        &[],
        2,
    );
    let judged = table(&outcome);
    assert!(judged.points.is_empty() && judged.not_judged.unwrap().contains("did not pass"));
    assert_eq!(judged.reference.map(|row| row.verdict), Some(Verdict::Fail));
    let outcome = swept(
        &short("{cut: time, from: queued, to: settled, every: 1ms}", ENDED),
        &[],
        2,
    );
    let judged = table(&outcome);
    assert!(judged.points.is_empty() && judged.not_judged.unwrap().contains("more than"));
    let nothing = "name: x\nprotocol: edge-poll\nsweep: {cut: flash_writes, from: a, to: b}\nsteps:\n  \
                   - do: unit.start\n  - wait: 100s\n    as: a\n  - wait: 10ms\n    as: b\n";
    let outcome = swept(&plan("edge-poll/nothing.yaml", nothing), &[], 1);
    let judged = table(&outcome);
    assert!(judged.not_judged.unwrap().contains("no flash write lies between"));
    assert_eq!(
        (outcome.summary.counts().passed, outcome.summary.counts().skipped),
        (1, 1)
    );
}

/// A command cut short may have failed as well.
const ENDED: &str = "'completed', 'failed'";
