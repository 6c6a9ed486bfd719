//! Traces by hand: what steps look back to, and how they end.

use crate::judge_trace;
use hil_trace::{
    Catalogue, ClockKind, FaultPhase, HowClosed, InstanceSummary, Party, Payload, Record, RecordBody,
    ScenarioRef, Stamp, StepOutcome, SweepKind, SweepPoint, SweepRun, Tolerances, Trace, TraceHeader,
    UnitChange, Verdict,
};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// A trace that grows by a record each millisecond.
struct Story {
    records: Vec<Record>,
}

impl Story {
    fn new() -> Self {
        Story { records: Vec::new() }
    }

    fn record(mut self, what: RecordBody) -> Self {
        let seq = self.records.len() as u64;
        self.records.push(Record {
            seq,
            at: Stamp(seq * 1000),
            what,
        });
        self
    }

    fn unit(self, change: UnitChange) -> Self {
        self.record(RecordBody::Unit {
            change,
            facts: Map::new(),
        })
    }

    fn begin(self, step: &str, verb: &str, subject: &str, arguments: Value) -> Self {
        self.record(RecordBody::StepStarted {
            step: step.into(),
            verb: verb.into(),
            subject: subject.into(),
            arguments,
        })
    }

    fn end(self, step: &str, outcome: StepOutcome) -> Self {
        self.record(RecordBody::StepFinished {
            step: step.into(),
            outcome,
            result: json!({}),
        })
    }

    fn does(self, step: &str, subject: &str) -> Self {
        self.begin(step, "do", subject, json!({}))
            .end(step, StepOutcome::Done)
    }

    /// Arms a fault under the name of its step.
    fn injects(self, step: &str, id: u32) -> Self {
        let begun = self.begin(step, "inject", "cloud.status", json!({}));
        let armed = begun.fault(id, FaultPhase::Armed);
        armed.record(RecordBody::StepFinished {
            step: step.into(),
            outcome: StepOutcome::Done,
            result: json!({"as": format!("fault_{id}"), "fault": id, "value": null}),
        })
    }

    fn fault(self, id: u32, phase: FaultPhase) -> Self {
        self.record(RecordBody::Fault {
            id,
            name: "cloud.status".into(),
            phase,
            facts: Map::new(),
        })
    }

    fn expects_boot(self, step: &str) -> InstanceSummary {
        self.expects_boot_after(step, Value::Null)
    }

    fn expects_boot_after(self, step: &str, stimulus: Value) -> InstanceSummary {
        self.awaits_boot(step, stimulus).close()
    }

    /// Waits for a boot, and none comes.
    fn awaits_boot(self, step: &str, stimulus: Value) -> Self {
        let before = self.records.len() as u64 * 1000 + 5000;
        let mut arguments = json!({"event": "unit.booted", "match": {}, "verifies": [], "before_us": before});
        if !stimulus.is_null() {
            arguments["stimulus"] = stimulus;
        }
        let mut story = self.begin(step, "expect", "unit.booted", arguments);
        for _ in 0..10 {
            story = story.record(RecordBody::Cloud {
                name: "nothing".into(),
                facts: Map::new(),
            });
        }
        story
    }

    fn close(self) -> InstanceSummary {
        self.close_as(header())
    }

    fn close_as(self, header: TraceHeader) -> InstanceSummary {
        let story = self.record(RecordBody::Closed {
            how: HowClosed::Complete,
        });
        let trace = Trace {
            header,
            records: story.records,
            skipped: None,
        };
        judge_trace(&trace, &Rc::new(Catalogue::default()), false)
    }
}

#[test]
fn the_time_a_scenario_gives_its_steps_is_known() {
    let judge = |verb: &str, arguments: Value| {
        let mut judge = super::ScenarioJudge::new(&header());
        let story = Story::new().begin("1", verb, "unit.booted", arguments);
        let finished = story.records.len();
        let story = story.end("1", StepOutcome::Done);
        let mut findings = Vec::new();
        for record in &story.records[..finished] {
            judge.observe(record, &[], &Catalogue::default(), &mut findings);
        }
        let busy = judge.busy_until();
        for record in &story.records[finished..] {
            judge.observe(record, &[], &Catalogue::default(), &mut findings);
        }
        (busy.map(|stamp| stamp.0), judge.busy_until().map(|stamp| stamp.0))
    };
    let window = json!({"event": "unit.booted", "match": {}, "verifies": [], "before_us": 9000});
    assert_eq!(judge("expect", window.clone()).0, Some(9002));
    assert_eq!(judge("never", window), (Some(9000), Some(9000)));
    assert_eq!(judge("wait", json!({"until_us": 7000})), (Some(7000), None));
    assert_eq!(judge("do", json!({})), (None, None));
}

pub(super) fn header() -> TraceHeader {
    TraceHeader {
        format: TraceHeader::FORMAT,
        instance: "edge-poll/x@unit".into(),
        protocol: Protocol::EdgePoll,
        scenario: ScenarioRef {
            path: "edge-poll/x.yaml".into(),
            name: "x".into(),
            text: String::new(),
            sha256: String::new(),
            verifies: Vec::new(),
        }
        .into(),
        seed: 1,
        repetition: 0,
        repeat_of: None,
        retry_of: None,
        partition: None,
        tool: "hil".into(),
        catalogue_sha256: String::new(),
        clock: ClockKind::Real,
        epoch_unix_us: 0,
        tolerances: Tolerances::default(),
        unit: "unit".into(),
        facts: Map::new(),
        ics: Map::new(),
        timing: Map::new(),
        prepare: Default::default(),
        params: Map::new(),
        extra_faults: Vec::new(),
        without_faults: false,
        sweep: None,
    }
}

fn booting(step: &str, subject: &str) -> Story {
    Story::new()
        .begin(step, "do", subject, json!({}))
        .unit(UnitChange::Booted)
        .end(step, StepOutcome::Done)
}

#[test]
fn a_step_that_directly_follows_the_start_hides_nothing_of_it() {
    for start in ["unit.start", "unit.restore_power", "unit.reboot"] {
        let summary = booting("1", start)
            .does("2", "cloud.subscribe")
            .does("3", "cloud.queue")
            .expects_boot("4");
        assert_eq!(summary.verdict, Verdict::Pass, "{start}: {:?}", summary.findings);
    }
}

#[test]
fn a_unit_need_not_run_with_another_certificate_than_its_own() {
    for (given, verdict) in [("own", Verdict::Fail), ("none", Verdict::Inconclusive)] {
        let refused = RecordBody::StepFinished {
            step: "1".into(),
            outcome: StepOutcome::Refused,
            result: json!({"blame": "unit", "reason": "the unit's process ended"}),
        };
        let story = Story::new()
            .begin("1", "do", "unit.start", json!({}))
            .record(refused);
        let mut header = header();
        header.prepare.insert("certificate".into(), given.into());
        assert_eq!(story.close_as(header).verdict, verdict, "{given}");
    }
}

#[test]
fn what_the_lab_does_not_bring_about_is_no_fault_of_the_unit() {
    let power_cut = json!({"event": "unit.power_cut", "match": {}, "verifies": [], "before_us": 3000});
    let story = booting("1", "unit.start").begin("2", "expect", "unit.power_cut", power_cut);
    let summary = story
        .unit(UnitChange::Exited)
        .unit(UnitChange::Booted)
        .unit(UnitChange::Exited)
        .close();
    assert_eq!(summary.verdict, Verdict::Inconclusive, "{:?}", summary.findings);
    let text = &summary.findings[0].text;
    assert!(text.contains("it is for the lab to bring about"), "{text}");
}

#[test]
fn a_unit_without_power_owes_nothing() {
    let dark = || Story::new().does("1", "cloud.stop").unit(UnitChange::PowerCut);
    assert_eq!(dark().expects_boot("2").verdict, Verdict::Inconclusive);
    let powered = dark().unit(UnitChange::PowerRestored).expects_boot("2");
    assert_eq!(powered.verdict, Verdict::Fail);
}

#[test]
fn what_a_probe_says_where_that_decides_nothing_is_the_word_of_the_lab() {
    let probed = |event: &str, verifies: Value| {
        let wanted = json!({"event": event, "match": {}, "verifies": verifies, "before_us": 3000});
        let story = booting("1", "unit.start").begin("2", "expect", event, wanted);
        let story = story.unit(UnitChange::Exited).unit(UnitChange::Booted);
        story.unit(UnitChange::Exited).close().verdict
    };
    for event in ["unit.probed", "unit.bus_name"] {
        assert_eq!(probed(event, json!(["none"])), Verdict::Inconclusive);
        assert_eq!(probed(event, json!([])), Verdict::Fail);
    }
}

#[test]
fn a_cut_after_the_end_of_its_sweep_accuses_nobody() {
    let swept = || TraceHeader {
        sweep: Some(Box::new(SweepRun {
            name: "swept".into(),
            cut: SweepKind::FlashWrites,
            from: "begun".into(),
            to: "settled".into(),
            power_back_after: 1.0,
            wear: None,
            outcomes: Vec::new(),
            span: None,
            point: Some(SweepPoint::Write {
                write: 3,
                torn: false,
            }),
            spent: None,
        })),
        ..header()
    };
    let fault = |phase| RecordBody::Fault {
        id: 1,
        name: "unit.power_cut_at_write".into(),
        phase,
        facts: Map::from_iter([("point".to_owned(), json!("w3"))]),
    };
    let settle = |story: Story| {
        let story = story.begin("1", "wait", "", json!({}));
        story.record(RecordBody::StepFinished {
            step: "1".into(),
            outcome: StepOutcome::Done,
            result: json!({"as": "settled", "value": null}),
        })
    };
    let armed = || Story::new().record(fault(FaultPhase::Armed));
    let late = settle(armed())
        .record(fault(FaultPhase::Acted))
        .awaits_boot("2", Value::Null);
    assert_eq!(late.close_as(swept()).verdict, Verdict::Inconclusive);
    let inside = settle(armed().record(fault(FaultPhase::Acted))).awaits_boot("2", Value::Null);
    assert_eq!(inside.close_as(swept()).verdict, Verdict::Fail);
}

#[test]
fn any_other_step_hides_what_came_before_it() {
    let stories = [
        booting("1", "cloud.queue").does("2", "cloud.queue"),
        booting("1", "unit.start").does("2", "unit.cut_power"),
        booting("1", "unit.start").does("2", "unit.start"),
        booting("1", "unit.start")
            .begin("2", "wait", "", json!({}))
            .end("2", StepOutcome::Done)
            .does("3", "cloud.queue"),
    ];
    for story in stories {
        let summary = story.expects_boot("9");
        assert_eq!(summary.verdict, Verdict::Fail, "{:?}", summary.findings);
    }
}

#[test]
fn a_step_that_names_its_fault_needs_no_other() {
    let one_acted = || {
        let armed = Story::new().injects("1", 1).injects("2", 2);
        armed.fault(1, FaultPhase::Acted).does("3", "cloud.stop")
    };
    let verdict = |stimulus: Value| one_acted().expects_boot_after("4", stimulus).verdict;
    assert_eq!(verdict(json!("fault_1")), Verdict::Fail);
    assert_eq!(verdict(json!("fault_2")), Verdict::Inconclusive);
    assert_eq!(verdict(Value::Null), Verdict::Inconclusive);
}

#[test]
fn each_of_two_events_in_one_record_meets_a_step_of_its_own() {
    let reply = |step: &str, ok: bool| {
        let matched = json!({"event": "unit.reply", "match": {"ok": ok}, "verifies": [], "before_us": 9000});
        (step.to_owned(), matched)
    };
    let mut story = Story::new()
        .record(RecordBody::ConnectionOpened {
            connection: 1,
            face: "rpc-serial".into(),
            by: Party::Cloud,
        })
        .record(RecordBody::Bytes {
            connection: 1,
            from: Party::Cloud,
            payload: Payload::from("{\"id\":1,\"method\":\"OTA.Commit\"}\n".as_bytes()),
        })
        .record(RecordBody::Bytes {
            connection: 1,
            from: Party::Unit,
            payload: Payload::from(
                "\n{\"id\":1,\"result\":null}\n\n{\"id\":1,\"error\":{\"code\":-1}}\n".as_bytes(),
            ),
        });
    for (step, arguments) in [reply("1", true), reply("2", false)] {
        story = story
            .begin(&step, "expect", "unit.reply", arguments)
            .end(&step, StepOutcome::Done);
    }
    let header = TraceHeader {
        protocol: Protocol::OtaRpc,
        ..header()
    };
    let summary = story.close_as(header);
    assert_eq!(summary.verdict, Verdict::Pass, "{:?}", summary.findings);
}
