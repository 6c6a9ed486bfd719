use super::Keeper;
use crate::{InstanceResult, Progress, judge_traces};
use hil_trace::{
    Bounds, Catalogue, ClockKind, Figures, HowClosed, InstanceSummary, Measurement, Range, Record,
    RecordBody, RepeatFigures, RepeatOf, Repeats, ScenarioRef, Stamp, Tolerances, Trace, TraceHeader,
    Verdict,
};
use hil_wire::Protocol;
use std::sync::{Arc, Mutex};

fn header(repetition: u32, times: u32) -> TraceHeader {
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance: format!("ota-rpc/x@sim#{repetition:04}"),
        protocol: Protocol::OtaRpc,
        scenario: Arc::new(ScenarioRef {
            path: "ota-rpc/x.yaml".to_owned(),
            name: "x".to_owned(),
            text: String::new(),
            sha256: String::new(),
            verifies: Vec::new(),
        }),
        seed: 1,
        repetition,
        retry_of: None,
        partition: None,
        repeat_of: Some(RepeatOf {
            group: "ota-rpc/x@sim".to_owned(),
            times,
        }),
        tool: String::new(),
        catalogue_sha256: String::new(),
        clock: ClockKind::Virtual,
        epoch_unix_us: 0,
        tolerances: Tolerances::default(),
        unit: "sim".to_owned(),
        facts: Default::default(),
        ics: Default::default(),
        timing: Default::default(),
        prepare: Default::default(),
        params: Default::default(),
        extra_faults: Default::default(),
        without_faults: Default::default(),
        sweep: None,
    }
}

/// A repeat that passed and measured so many milliseconds; one that measured nothing is inconclusive.
fn repeat(repetition: u32, times: u32, ms: Option<u32>, bounds: &Bounds) -> InstanceResult {
    let header = header(repetition, times);
    let measurement = |ms: u32| Measurement {
        name: "back".to_owned(),
        seconds: f64::from(ms) / 1e3,
        tolerance: 0.0,
        resolution: 0.001,
        bounds: Some(Box::new(bounds.clone())),
        evidence: vec![0, 0],
    };
    let summary = InstanceSummary {
        exercised: Default::default(),
        header: header.clone(),
        verdict: ms.map_or(Verdict::Inconclusive, |_| Verdict::Pass),
        left: None,
        skipped: None,
        findings: Vec::new(),
        measurements: ms.map(measurement).into_iter().collect(),
        repeats: None,
        sweep: None,
        duration: 0.0,
        records: 1,
    };
    let closed = Record {
        seq: 0,
        at: Stamp::ZERO,
        what: RecordBody::Closed {
            how: HowClosed::Complete,
        },
    };
    let trace = Trace {
        header,
        records: vec![closed],
        skipped: None,
    };
    InstanceResult { trace, summary }
}

/// Remembers what is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<(Vec<Trace>, Vec<RepeatFigures>)>>);

impl Progress for Kept {
    fn keep(&mut self, trace: &Trace) {
        self.0.lock().unwrap().0.push(trace.clone());
    }
    fn keep_group(&mut self, common: &TraceHeader) {
        self.0.lock().unwrap().1.push(RepeatFigures {
            header: common.clone(),
            figures: Vec::new(),
        });
    }
    fn keep_figures(&mut self, group: &str, figures: &Figures) {
        let groups = &mut self.0.lock().unwrap().1;
        let group = groups
            .iter_mut()
            .find(|known| known.header.instance == group)
            .unwrap();
        group.figures.push(figures.clone());
    }
}

/// Runs repeats through the keeper: the names of those that keep their evidence, and what all say together.
fn run(
    repeats: impl IntoIterator<Item = (u32, Option<u32>)>,
    times: u32,
    bounds: &Bounds,
) -> (Vec<String>, InstanceSummary, Kept) {
    let mut keeper = Keeper::default();
    let mut kept = Kept::default();
    for (repetition, ms) in repeats {
        keeper.take(repeat(repetition, times, ms, bounds), &mut kept);
    }
    let (mut instances, traces) = keeper.finish(&Catalogue::default(), false, &mut kept);
    let together = instances.remove(0);
    assert_eq!(together.header.instance, "ota-rpc/x@sim");
    let names = traces.into_iter().map(|trace| trace.header.instance);
    (names.collect(), together, kept)
}

fn together(summary: &InstanceSummary) -> &Repeats {
    summary.repeats.as_deref().unwrap()
}

fn at_most(ms: u64) -> Range {
    Range {
        min_us: None,
        max_us: Some(ms * 1000),
    }
}

fn verdicts(summary: &InstanceSummary) -> Vec<(Verdict, &str)> {
    let findings = summary.findings.iter();
    findings.map(|f| (f.verdict, f.text.as_str())).collect()
}

#[test]
fn extremes_and_what_did_not_pass_keep_their_evidence_in_whatever_order_repeats_end() {
    let ms = |repetition: u32| (repetition != 5).then_some(1000 + (repetition * 7) % 11);
    let expected = ["#0000", "#0003", "#0005"].map(|number| format!("ota-rpc/x@sim{number}"));
    let mut first = None;
    for order in [0, 1, 13, 29] {
        let shuffled = (0..40).map(|at| (at * 11 + order) % 40).map(|r| (r, ms(r)));
        let (names, summary, kept) = run(shuffled, 40, &Bounds::default());
        assert_eq!(names, expected);
        let repeats = together(&summary);
        assert_eq!((repeats.ran, repeats.passed, repeats.by_figures), (40, 39, 37));
        assert_eq!(
            (repeats.series[0].missing, repeats.series[0].values.len()),
            (1, 39)
        );
        assert_eq!(kept.0.lock().unwrap().0.len(), 3);
        assert_eq!(first.get_or_insert(summary.clone()), &summary);
    }
}

#[test]
fn what_is_kept_says_the_same_again() {
    let bounds = Bounds {
        step: "3".to_owned(),
        p95: at_most(1010),
        ..Bounds::default()
    };
    let (_, summary, kept) = run((0..30).map(|r| (r, Some(1000 + r % 7))), 30, &bounds);
    let (traces, figures) = kept.0.lock().unwrap().clone();
    let again = judge_traces(&[], &figures, &Catalogue::default(), false);
    // The two traces here hold no measurement, so what remains is what the figures say.
    assert_eq!(traces.len(), 2);
    let [again] = again.instances.as_slice() else {
        panic!("one group")
    };
    assert_eq!(together(again).by_figures, together(&summary).by_figures);
    assert_eq!(again.verdict, Verdict::Inconclusive, "two repeats are missing");
}

#[test]
fn quantiles_are_judged_over_all_repeats() {
    let bounds = |ms| Bounds {
        step: "3".to_owned(),
        median: at_most(1100),
        p99: at_most(ms),
        ..Bounds::default()
    };
    let ms = |repetition| Some(1000 + repetition);
    let (_, summary, _) = run((0..100).map(|r| (r, ms(r))), 100, &bounds(1098));
    assert_eq!(summary.verdict, Verdict::Pass, "{:?}", verdicts(&summary));
    let (_, summary, _) = run((0..100).map(|r| (r, ms(r))), 100, &bounds(1097));
    assert_eq!(
        verdicts(&summary)[1],
        (
            Verdict::Fail,
            "`back`: p99 is 1.098 s over 100 repeats; expected at most 1.097 s"
        )
    );
}

#[test]
fn too_few_repeats_decide_nothing() {
    let bounds = Bounds {
        p99: at_most(1),
        drift_us: Some(1),
        ..Bounds::default()
    };
    let (_, summary, _) = run((0..9).map(|r| (r, Some(1000))), 9, &bounds);
    assert_eq!(
        verdicts(&summary),
        [
            (
                Verdict::Inconclusive,
                "`back`: p99 is expected at most 0.001 s; it takes 100 repeats to say, and there are 9"
            ),
            (
                Verdict::Inconclusive,
                "`back`: drift is expected to be at most 0.000 s; it takes 10 repeats to say, and there are 9"
            ),
        ]
    );
}

#[test]
fn what_is_not_known_could_be_anything() {
    let bounds = Bounds {
        median: at_most(1000),
        ..Bounds::default()
    };
    // Of twenty repeats nineteen are known; the last one never ended.
    let judged = |slow: u32| {
        let (_, summary, _) = run(
            (0..19).map(|r| (r, Some(if r < slow { 1200 } else { 900 }))),
            20,
            &bounds,
        );
        summary.findings[0].verdict
    };
    assert_eq!(
        judged(5),
        Verdict::Pass,
        "whatever the last one is, the median is low"
    );
    assert_eq!(judged(9), Verdict::Inconclusive);
    assert_eq!(judged(15), Verdict::Fail);
}

#[test]
fn a_trend_is_found_and_chance_is_none() {
    let bounds = Bounds {
        drift_us: Some(20_000),
        ..Bounds::default()
    };
    let judged = |ms: &dyn Fn(u32) -> u32| {
        let (_, summary, _) = run((0..50).map(|r| (r, Some(ms(r)))), 50, &bounds);
        summary.verdict
    };
    assert_eq!(judged(&|r| 1000 + r), Verdict::Fail);
    assert_eq!(judged(&|r| 1000 + r / 10), Verdict::Pass);
    assert_eq!(judged(&|r| 1000 + (r * 17) % 50), Verdict::Inconclusive);
}

#[test]
fn bounds_that_differ_are_no_bounds() {
    let (mut keeper, mut kept) = (Keeper::default(), Kept::default());
    for repetition in 0..3 {
        let bounds = Bounds {
            median: at_most(1000 + u64::from(repetition)),
            ..Bounds::default()
        };
        keeper.take(repeat(repetition, 3, Some(900), &bounds), &mut kept);
    }
    let (instances, _) = keeper.finish(&Catalogue::default(), false, &mut kept);
    assert_eq!(instances[0].verdict, Verdict::Error);
}
