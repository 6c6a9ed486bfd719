//! At the edges of windows and bounds: what lies inside the slack of the clock decides nothing.

use super::tests::header;
use crate::judge_trace;
use hil_trace::{
    Catalogue, HowClosed, Record, RecordBody, Stamp, StepOutcome, Tolerances, Trace, TraceHeader, UnitChange,
    Verdict,
};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// What a scenario says of a unit that boots at this moment, microseconds, by a clock whose times are off by 40 ms.
fn verdict(verb: &str, arguments: Value, boots: &[u64]) -> Verdict {
    let mut records = Vec::new();
    let mut record = |at: u64, what| {
        records.push(Record {
            seq: records.len() as u64,
            at: Stamp(at),
            what,
        });
    };
    let begun = |verb: &str, arguments| RecordBody::StepStarted {
        step: "2".into(),
        verb: verb.into(),
        subject: String::new(),
        arguments,
    };
    let ended = |result| RecordBody::StepFinished {
        step: "2".into(),
        outcome: StepOutcome::Done,
        result,
    };
    record(0, begun("do", json!({})));
    record(STEP, ended(json!({"as": "asked", "value": null})));
    let measures = verb == "measure";
    if !measures {
        record(STEP, begun(verb, arguments.clone()));
    }
    if verb == "never" {
        record(STEP, ended(json!({})));
    }
    for at in boots {
        let booted = UnitChange::Booted;
        record(
            *at,
            RecordBody::Unit {
                change: booted,
                facts: Map::new(),
            },
        );
    }
    if measures {
        record(END, begun(verb, arguments));
    }
    record(
        END,
        RecordBody::Closed {
            how: HowClosed::Complete,
        },
    );
    let trace = Trace {
        header: TraceHeader {
            protocol: Protocol::OtaRpc,
            tolerances: Tolerances {
                stamp_us: 20_000,
                order_us: 40_000,
            },
            ..header()
        },
        records,
        skipped: None,
    };
    judge_trace(&trace, &Rc::new(Catalogue::default()), false).verdict
}

fn window(after: u64, before: u64) -> Value {
    json!({
        "event": "unit.booted", "match": {}, "verifies": [], "base": 1, "after_us": after, "before_us": before,
    })
}

/// When the step ends that windows begin with.
const STEP: u64 = 1_000_000;
const BOUND: u64 = 6_000_000;
const END: u64 = 20_000_000;
/// Two stamps of 20 ms, and one step of the clock.
const SLACK: i64 = 40_001;

/// Every edge with what an early and a late event mean there: [far before, inside the slack, far behind].
#[test]
fn inside_the_slack_nothing_is_decided_and_outside_everything_is() {
    use Verdict::{Fail, Inconclusive, Pass};
    let measured = |bounds: Value| {
        let mut arguments = bounds;
        arguments["from"] = json!("asked");
        arguments["to"] = json!({"event": "unit.booted", "match": {}, "which": "first"});
        arguments
    };
    let allowed = (BOUND - STEP) as f64 / 1e6;
    for (verb, arguments, early, late) in [
        ("measure", measured(json!({"min": allowed})), Fail, Pass),
        ("measure", measured(json!({"max": allowed})), Pass, Fail),
        ("expect", window(BOUND, END - 1_000_000), Fail, Pass),
        ("expect", window(STEP, BOUND), Pass, Fail),
        ("never", window(STEP, BOUND), Fail, Pass),
        ("never", window(BOUND, END - 1_000_000), Pass, Fail),
    ] {
        for (off, expected) in [
            (-1_000_000, early),
            (-100_000, early),
            (-SLACK - 1, early),
            (-SLACK, Inconclusive),
            (-20_000, Inconclusive),
            (-1, Inconclusive),
            (0, Inconclusive),
            (1, Inconclusive),
            (20_000, Inconclusive),
            (SLACK, Inconclusive),
            (SLACK + 1, late),
            (100_000, late),
            (1_000_000, late),
        ] {
            let boots = [BOUND.saturating_add_signed(off)];
            let said = verdict(verb, arguments.clone(), &boots);
            // A `never` that is kept shows nothing by itself.
            let same = said == expected || (verb == "never" && expected == Pass && said != Fail);
            assert!(same, "{verb} {arguments}, {off} us: {said:?}, not {expected:?}");
        }
    }
}

#[test]
fn what_follows_a_step_is_after_it_however_soon() {
    for after in [STEP, STEP + 1000] {
        assert_eq!(
            verdict("expect", window(after, BOUND), &[STEP + 2000]),
            Verdict::Pass
        );
        assert_eq!(
            verdict("never", window(after, BOUND), &[STEP + 2000]),
            Verdict::Fail
        );
    }
    // What is a time after the step, and no order of records, is not.
    let (after, boots) = (STEP + 100_000, [STEP + 101_000]);
    assert_eq!(
        verdict("expect", window(after, BOUND), &boots),
        Verdict::Inconclusive
    );
}

#[test]
fn one_of_several_that_may_be_too_early_spoils_them_all() {
    let mut twice = window(BOUND, END - 1_000_000);
    twice["times"] = json!(2);
    let boots = [BOUND + 10_000, BOUND + 1_000_000];
    assert_eq!(verdict("expect", twice.clone(), &boots), Verdict::Inconclusive);
    let boots = boots.map(|at| at + 100_000);
    assert_eq!(verdict("expect", twice, &boots), Verdict::Pass);
}

#[test]
fn a_hold_that_may_have_been_over_decides_nothing() {
    let mut held = window(STEP, BOUND);
    held["hold_us"] = json!(5_000_000);
    for (second, expected) in [
        (6_959_998, Verdict::Fail),
        (6_970_000, Verdict::Inconclusive),
        (7_030_000, Verdict::Inconclusive),
        (7_040_002, Verdict::Pass),
    ] {
        assert_eq!(
            verdict("expect", held.clone(), &[2_000_000, second]),
            expected,
            "{second}"
        );
    }
}
