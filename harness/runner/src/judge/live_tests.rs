//! Live = offline: whatever happened, and whenever somebody looked at the clock, a journal is judged as the run was.
//!
//! The traces are those of simulated units, good and defective, of every protocol, and what becomes of them when they are
//! torn, thinned, shuffled, stretched and mixed.

use super::{Judgement, judge_trace};
use crate::{
    BenchKind, Dispatcher, Filter, Preparation, Progress, Redaction, RunOptions, Skip, Stop, UnitKit,
    UnitUnderTest, applies, run, tier_of,
};
use hil_link::{Address, Clock};
use hil_scenario::{Vocabulary, embedded_catalogue, embedded_suites, load};
use hil_sim::{Defect, SimDriver, default_artifacts, default_ics, default_timing};
use hil_trace::{
    Catalogue, Finding, HowClosed, InstanceSummary, JournalReader, JournalWriter, Payload, Record,
    RecordBody, Recorder, Stamp, Tolerances, Trace,
};
use hil_unit::Driver;
use hil_wire::Protocol;
use proptest::prelude::*;
use serde_json::Map;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// What is done to a trace.
#[derive(Clone, Debug)]
enum Change {
    Cut(prop::sample::Index),
    Drop(prop::sample::Index),
    Repeat(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Stretch(prop::sample::Index, u32),
    Foreign(prop::sample::Index, prop::sample::Index, prop::sample::Index),
    Garble(prop::sample::Index, Vec<u8>),
    Close(HowClosed),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        index().prop_map(Change::Cut),
        index().prop_map(Change::Drop),
        index().prop_map(Change::Repeat),
        (index(), index()).prop_map(|(a, b)| Change::Swap(a, b)),
        (index(), 0_u32..2_000_000_000).prop_map(|(at, by)| Change::Stretch(at, by)),
        (index(), index(), index()).prop_map(|(at, trace, record)| Change::Foreign(at, trace, record)),
        (index(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(at, bytes)| Change::Garble(at, bytes)),
        prop_oneof![
            Just(HowClosed::Complete),
            Just(HowClosed::TimedOut),
            Just(HowClosed::Interrupted)
        ]
        .prop_map(Change::Close),
    ]
}

fn changed(mut trace: Trace, changes: &[Change]) -> Trace {
    for change in changes {
        let length = trace.records.len();
        if length == 0 {
            break;
        }
        let records = &mut trace.records;
        match change {
            Change::Cut(at) => records.truncate(at.index(length)),
            Change::Drop(at) => drop(records.remove(at.index(length))),
            Change::Repeat(at) => records.insert(at.index(length), records[at.index(length)].clone()),
            Change::Swap(a, b) => {
                let (a, b) = (a.index(length), b.index(length));
                let what = records[a].what.clone();
                records[a].what = std::mem::replace(&mut records[b].what, what);
            }
            Change::Stretch(at, by) => {
                let from = at.index(length);
                records[from..]
                    .iter_mut()
                    .for_each(|record| record.at.0 += u64::from(*by));
            }
            Change::Foreign(at, trace, record) => {
                let others = &traces()[trace.index(traces().len())].records;
                if !others.is_empty() {
                    let what = others[record.index(others.len())].what.clone();
                    let at = at.index(length);
                    let record = Record { what, ..records[at] };
                    records.insert(at, record);
                }
            }
            Change::Garble(at, bytes) => {
                let at = at.index(length);
                if let Some(payload) = records[at..].iter_mut().find_map(Record::payload_mut) {
                    *payload = Payload::from(bytes);
                }
            }
            Change::Close(how) => {
                let at = records.last().map_or(Stamp::ZERO, |record| record.at);
                let what = RecordBody::Closed { how: *how };
                records.push(Record { seq: 0, at, what });
            }
        }
    }
    // A dispatcher records nothing after the end, in order of time, and numbers what it records.
    if let Some(end) = trace
        .records
        .iter()
        .position(|r| matches!(r.what, RecordBody::Closed { .. }))
    {
        trace.records.truncate(end + 1);
    }
    let mut latest = Stamp::ZERO;
    for (record, seq) in trace.records.iter_mut().zip(0..) {
        latest = latest.max(record.at);
        (record.seq, record.at) = (seq, latest);
    }
    trace
}

/// Judged while it happens, with somebody looking at the clock in between.
fn judge_live(trace: &Trace, catalogue: &Rc<Catalogue>, wakes: &[u64]) -> InstanceSummary {
    let mut judgement = Judgement::new(&trace.header, catalogue.clone());
    let mut before = Stamp::ZERO;
    for (record, wake) in trace.records.iter().zip(wakes.iter().cycle()) {
        let span = record.at.0 - before.0;
        for part in 1..=wake % 4 {
            judgement.expire(Stamp(before.0 + span * part / 4));
        }
        judgement.observe(record);
        before = record.at;
    }
    judgement.finish(trace.header.clone(), false)
}

/// Recorded by a dispatcher on a clock of its own, as on a bench.
fn record_live(trace: &Trace, catalogue: &Rc<Catalogue>) -> (Trace, InstanceSummary) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let clock = Clock::new_virtual();
        let dispatcher = Dispatcher::new(clock, &trace.header, catalogue.clone(), Redaction::default());
        for record in &trace.records {
            let wait = record.at.0.saturating_sub(clock.now().0);
            tokio::time::advance(Duration::from_micros(wait / 2)).await;
            dispatcher.expire();
            tokio::time::advance(Duration::from_micros(wait - wait / 2)).await;
            dispatcher.record(record.what.clone());
        }
        dispatcher.finish(trace.header.clone(), catalogue.clone(), false)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn whenever_the_clock_is_looked_at_the_findings_are_the_same(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 0..6),
        wakes in prop::collection::vec(any::<u64>(), 1..8),
    ) {
        let catalogue = catalogue();
        let trace = changed(traces()[which.index(traces().len())].clone(), &changes);
        let offline = judge_trace(&trace, &catalogue, false);
        let live = judge_live(&trace, &catalogue, &wakes);
        prop_assert_eq!(&live.findings, &offline.findings);
        prop_assert_eq!(&live, &offline);
        // A trace without its end proves nothing against what was still open.
        if trace.closed().is_none() {
            let how_closed = offline.findings.iter().any(|f| f.verdict > hil_trace::Verdict::Pass);
            prop_assert!(how_closed || offline.verdict <= hil_trace::Verdict::Inconclusive);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_dispatcher_and_the_journal_it_leaves_agree(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 0..6),
    ) {
        let catalogue = catalogue();
        let trace = changed(traces()[which.index(traces().len())].clone(), &changes);
        let (recorded, live) = record_live(&trace, &catalogue);
        let folder = tempfile::tempdir().unwrap();
        let mut writer = JournalWriter::create(folder.path()).unwrap();
        writer.append(&recorded).unwrap();
        writer.finish(false).unwrap();
        let read = JournalReader::read(folder.path()).unwrap();
        prop_assert!(!read.is_incomplete());
        prop_assert_eq!(&read.traces[..], std::slice::from_ref(&recorded));
        prop_assert_eq!(judge_trace(&read.traces[0], &catalogue, false), live);
    }
}

#[test]
fn more_of_a_trace_takes_no_finding_back() {
    let catalogue = catalogue();
    for trace in traces() {
        let whole = judge_trace(trace, &catalogue, false);
        for length in [
            trace.records.len() / 3,
            trace.records.len() / 2,
            trace.records.len() * 9 / 10,
        ] {
            let mut part = trace.clone();
            part.records.truncate(length);
            let part = judge_trace(&part, &catalogue, false);
            let failed = part
                .findings
                .iter()
                .filter(|finding| finding.verdict == hil_trace::Verdict::Fail);
            for finding in failed {
                let again = |other: &Finding| {
                    other.requirement == finding.requirement && other.verdict == finding.verdict
                };
                assert!(
                    whole.findings.iter().any(again),
                    "{}: {finding:?}",
                    trace.header.instance
                );
            }
        }
    }
}

#[test]
fn where_the_lab_fails_nothing_is_shown() {
    let catalogue = catalogue();
    for trace in traces() {
        let mut failed = trace.clone();
        let mut end = failed.records.pop().unwrap();
        failed.records.clear();
        let text = "the lab is on fire".to_owned();
        let blame = hil_trace::Blame::Lab;
        failed.records.push(Record {
            seq: 0,
            at: end.at,
            what: RecordBody::Trouble { blame, text },
        });
        end.seq = 1;
        failed.records.push(end);
        let judged = judge_trace(&failed, &catalogue, false);
        let shown = judged
            .findings
            .iter()
            .filter(|finding| finding.requirement.is_some());
        assert_eq!(
            shown.count(),
            0,
            "{}: {:?}",
            trace.header.instance,
            judged.findings
        );
        assert_eq!(judged.verdict, hil_trace::Verdict::Error);
    }
}

pub(crate) fn catalogue() -> Rc<Catalogue> {
    static READ: OnceLock<Catalogue> = OnceLock::new();
    let read = || {
        embedded_catalogue()
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
            .0
    };
    Rc::new(READ.get_or_init(read).clone())
}

/// Traces of a few scenarios of every protocol, of good units and of one with several defects.
fn traces() -> &'static [Trace] {
    static TRACES: OnceLock<Vec<Trace>> = OnceLock::new();
    TRACES.get_or_init(|| {
        let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let catalogue = catalogue();
        let plans: Vec<_> = embedded_suites()
            .iter()
            .map(|(path, text)| load(path, text, &vocabulary, &catalogue).unwrap_or_else(|m| panic!("{m}")))
            .map(Arc::new)
            .collect();
        let mut chosen = Vec::new();
        for protocol in Protocol::ALL {
            let own = plans.iter().filter(|plan| plan.protocol == protocol);
            let own = own.filter(|plan| !plan.tags.iter().any(|tag| tag == "long"));
            chosen.extend(own.step_by(7).take(5).cloned());
        }
        let units: Vec<_> = Protocol::ALL
            .into_iter()
            .flat_map(|protocol| {
                [
                    unit(protocol, BTreeSet::new()),
                    unit(protocol, Defect::of(protocol).take(6).collect()),
                ]
            })
            .map(Arc::new)
            .collect();
        let options = RunOptions {
            seed: 7,
            jobs: 2,
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
            tool: "hil".to_owned(),
            catalogue_sha256: String::new(),
            state_directory: None,
        };
        let outcome = run(
            &chosen,
            &units,
            &Filter::default(),
            &catalogue,
            &options,
            &Stop::default(),
            Box::new(Silent),
        );
        let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
        let counts = outcome.summary.counts();
        assert!(counts.passed > 10 && counts.failed > 0, "{counts:?}");
        let mut traces = outcome.traces;
        traces.retain(|trace| trace.skipped.is_none());
        traces
    })
}

pub(crate) struct Silent;

impl Progress for Silent {
    fn finished(&mut self, _: &InstanceSummary) {}
}

pub(crate) fn unit(protocol: Protocol, defects: BTreeSet<Defect>) -> UnitUnderTest {
    let name = if defects.is_empty() { "good" } else { "bad" };
    let driver = SimDriver::new(protocol, defects.clone());
    let faces = hil_unit::unit_file::faces_of(protocol).iter().zip(8001..);
    let faces = faces.map(|(face, port)| {
        (
            (*face).to_owned(),
            Address::Host("unit.hil.test".to_owned(), port),
        )
    });
    UnitUnderTest {
        name: name.to_owned(),
        protocol,
        bench: BenchKind::Virtual,
        make: Arc::new(move || {
            Ok(UnitKit {
                driver: Box::new(SimDriver::new(protocol, defects.clone())),
                artifacts: default_artifacts(protocol),
            })
        }),
        capabilities: driver.capabilities(),
        probes: None,
        stimuli: None,
        undoable: None,
        lab_lacks: BTreeMap::new(),
        artifact_roles: default_artifacts(protocol).0.into_keys().collect(),
        exclusive: false,
        timing: default_timing(protocol),
        ics: default_ics(protocol),
        prepare: Preparation::Any,
        facts: driver.facts(),
        settings: BTreeMap::new(),
        faces: faces.collect(),
        tolerances: Tolerances::default(),
        ports: BTreeMap::new(),
        bind: String::new(),
        advertised_host: String::new(),
        authority_directory: None,
    }
}

#[test]
fn a_unit_that_runs_already_cannot_trust_an_authority_made_for_the_run() {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let suites = embedded_suites();
    let mut suites = suites.iter();
    let (path, text) = suites
        .find(|(path, _)| path.ends_with("ota-rpc/tls-downloads.yaml"))
        .unwrap();
    let plan = load(path, text, &vocabulary, &catalogue()).unwrap_or_else(|m| panic!("{m}"));
    let mut unit = unit(Protocol::OtaRpc, BTreeSet::new());
    assert_eq!(applies(&plan, &unit, "default"), Ok(()));
    unit.prepare = Preparation::Fixed(Default::default());
    assert_eq!(applies(&plan, &unit, "default"), Err(Skip::LacksAuthority));
    unit.authority_directory = Some("pki".into());
    assert_eq!(applies(&plan, &unit, "default"), Ok(()));
}

#[test]
fn a_unit_in_real_time_waits_days_only_for_who_asks_for_it() {
    let mut unit = unit(Protocol::EdgePoll, BTreeSet::new());
    assert_eq!(tier_of(&unit, None), "default");
    unit.bench = BenchKind::Real;
    assert_eq!(tier_of(&unit, None), "quick");
    assert_eq!(tier_of(&unit, Some("default")), "default");
}

#[test]
fn a_unit_that_cannot_be_given_its_storage_back_is_not_asked_to_succeed_afterwards() {
    let vocabulary = Vocabulary::embedded().unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let suites = embedded_suites();
    let mut plans = suites.iter().map(|(path, text)| {
        let plan = load(path, text, &vocabulary, &catalogue());
        plan.unwrap_or_else(|m| panic!("{m}"))
    });
    let plan = plans
        .find(|plan| plan.path.ends_with("edge-poll/no-space-left.yaml"))
        .unwrap();
    let mut unit = unit(Protocol::EdgePoll, BTreeSet::new());
    assert_eq!(applies(&plan, &unit, "default"), Ok(()));
    unit.undoable = Some(BTreeSet::new());
    let lacks = vec!["`undo` of stimulus `free_space`".to_owned()];
    assert_eq!(applies(&plan, &unit, "default"), Err(Skip::LacksHooks(lacks)));
    unit.undoable = Some(BTreeSet::from(["free_space".to_owned()]));
    assert_eq!(applies(&plan, &unit, "default"), Ok(()));
}
