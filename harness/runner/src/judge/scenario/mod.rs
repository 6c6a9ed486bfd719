//! Follows the steps of a scenario through the trace: what they are called, what they wait for, how they end.

mod closing;
#[cfg(test)]
mod edge_tests;
mod fault;
mod measure;
mod missing;
mod settling;
mod statement;
#[cfg(test)]
mod tests;

use super::watch::{Answer, Placed, Slack, Watch};
use hil_trace::{
    Blame, Catalogue, Event, Finding, Measurement, Record, RecordBody, Stamp, StepOutcome, TraceHeader,
    UnitChange, Verdict,
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, rc::Rc};

/// The state of all steps.
pub(crate) struct ScenarioJudge {
    verifies: Vec<String>,
    /// How far the time between two stamps may be off.
    slack_us: u64,
    /// Values of named steps.
    pub(crate) values: Map<String, Value>,
    /// When named steps happened, and the record that shows it.
    pub(crate) moments: BTreeMap<String, (Stamp, u64)>,
    pub(crate) measurements: Vec<Measurement>,
    resolution_us: u64,
    /// Events steps look back to.
    recent: Vec<Rc<Event>>,
    /// Every event so far: what can be measured between, and what a `never` may forbid afterwards.
    history: Vec<Rc<Event>>,
    /// The last `do`, and whether only what goes with it followed, set the unit going.
    starting: bool,
    /// The unit was given another certificate than its own, or none, and need not run with that.
    not_itself: bool,
    /// Events that satisfied a step; one record may hold several of a kind.
    used: Vec<Event>,
    waiting: Option<Waiting>,
    /// When the present `wait` ends.
    pause: Option<Stamp>,
    settled: Option<Settled>,
    forbidden: Vec<Forbidden>,
    faults: BTreeMap<u32, Fault>,
    /// Place of the last `inject` step: what is armed next is its fault.
    injecting: Option<String>,
    /// The step with whose end the points of a sweep end, in a run of one that cuts power.
    swept_to: Option<String>,
    proof: Vec<u64>,
    /// Requirements of which only all repeats together show something.
    deferred: Vec<String>,
    stopped: bool,
    /// The record of the unit's process ending by itself, and how, until it starts again.
    exited: Option<(u64, String)>,
    /// The record of power being cut, until it comes back.
    dark: Option<u64>,
}

struct Waiting {
    step: String,
    branches: Vec<(Option<String>, Watch)>,
}

impl Waiting {
    /// The events that would end it.
    fn names(&self) -> Vec<&str> {
        self.branches
            .iter()
            .map(|(_, watch)| watch.event.as_str())
            .collect()
    }

    /// What would end it, in words.
    fn describe(&self) -> String {
        let all: Vec<String> = self.branches.iter().map(|(_, watch)| watch.describe()).collect();
        all.join(" or ")
    }
}

struct Forbidden {
    step: String,
    watch: Watch,
    since: u64,
    broken: bool,
    /// One came so near to an end of the window that the clock does not tell.
    unclear: bool,
}

struct Fault {
    /// The name of its step.
    step: Option<String>,
    name: String,
    armed: u64,
    /// Its first effect.
    acted: Option<Effect>,
    /// It was added to the scenario from outside.
    extra: bool,
}

/// An effect of a fault.
struct Effect {
    at: Stamp,
    record: u64,
    facts: Map<String, Value>,
}

/// How a waiting step ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settled {
    /// Its place.
    pub(crate) step: String,
    /// How.
    pub(crate) outcome: StepOutcome,
    /// Which branch, for `one_of`.
    pub(crate) branch: usize,
}

/// What the executor wants to know of a step it waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StepState {
    /// Still open, until the deadline if there is one.
    Open(Option<Stamp>),
    /// Ended.
    Settled(Settled),
}

impl ScenarioJudge {
    pub(crate) fn new(header: &TraceHeader) -> Self {
        ScenarioJudge {
            verifies: header.scenario.verifies.clone(),
            slack_us: header.slack_us(),
            values: Map::new(),
            moments: BTreeMap::new(),
            measurements: Vec::new(),
            resolution_us: header.clock.resolution_us(),
            recent: Vec::new(),
            history: Vec::new(),
            starting: false,
            not_itself: header
                .prepare
                .get("certificate")
                .is_some_and(|given| given != "own"),
            used: Vec::new(),
            waiting: None,
            pause: None,
            settled: None,
            forbidden: Vec::new(),
            faults: BTreeMap::new(),
            injecting: None,
            swept_to: header
                .sweep
                .as_ref()
                .filter(|run| run.point.is_some())
                .map(|run| run.to.clone()),
            proof: Vec::new(),
            deferred: Vec::new(),
            stopped: false,
            exited: None,
            dark: None,
        }
    }

    /// The state of the step the executor waits for.
    pub(crate) fn state(&self, step: &str) -> StepState {
        match (&self.settled, &self.waiting) {
            (Some(settled), _) if settled.step == step => StepState::Settled(settled.clone()),
            (_, Some(waiting)) => StepState::Open(
                waiting
                    .branches
                    .iter()
                    .filter_map(|(_, watch)| watch.deadline())
                    .max(),
            ),
            _ => StepState::Open(None),
        }
    }

    /// The latest end of all bounded `never` windows.
    pub(crate) fn forbidden_until(&self) -> Option<Stamp> {
        self.forbidden.iter().filter_map(|f| f.watch.before).max()
    }

    /// Until when steps take time that the scenario itself gives them: windows of `expect`, `wait`, bounded `never`.
    pub(crate) fn busy_until(&self) -> Option<Stamp> {
        let waiting = self.waiting.iter().flat_map(|waiting| &waiting.branches);
        let windows = waiting.filter_map(|(_, watch)| watch.deadline());
        windows.chain(self.pause).chain(self.forbidden_until()).max()
    }

    pub(crate) fn observe(
        &mut self,
        record: &Record,
        events: &[Event],
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        self.follow(record, catalogue, findings);
        for event in events {
            let kept = Rc::new(event.clone());
            self.recent.push(kept.clone());
            self.history.push(kept);
            self.forbid(event, catalogue, findings);
            self.feed(event, catalogue, findings);
        }
    }

    fn follow(&mut self, record: &Record, catalogue: &Catalogue, findings: &mut Vec<Finding>) {
        match &record.what {
            RecordBody::StepStarted {
                step,
                verb,
                subject,
                arguments,
            } => {
                self.look_back(verb, subject);
                self.injecting = (verb == "inject").then(|| step.clone());
                self.start(record, step, verb, arguments, catalogue, findings);
            }
            RecordBody::StepFinished {
                step,
                outcome,
                result,
            } => {
                self.pause = None;
                self.finish_step(record, step, *outcome, result, catalogue, findings);
            }
            RecordBody::Fault {
                id,
                name,
                phase,
                facts,
            } => self.fault(record, *id, name, *phase, facts),
            RecordBody::Unit {
                change: UnitChange::Exited,
                facts,
            } => {
                let how = Value::Object(facts.clone()).to_string();
                self.exited = Some((record.seq, how));
            }
            RecordBody::Unit { change, .. } => {
                self.exited = None;
                self.dark = (*change == UnitChange::PowerCut).then_some(record.seq);
            }
            RecordBody::Trouble { blame, text } => {
                // What a unit does to the evidence breaks no requirement by itself.
                let verdict = match blame {
                    Blame::Unit => Verdict::Inconclusive,
                    Blame::Cloud | Blame::Lab | Blame::Harness => Verdict::Error,
                };
                let finding = self.finding(None, verdict, text.clone(), vec![record.seq], None, catalogue);
                findings.push(Finding {
                    blame: *blame,
                    ..finding
                });
            }
            _ => {}
        }
    }

    /// A `do` begins what later steps look back to. One that directly follows the start of the unit goes with it: how
    /// much a unit has done by the time its driver calls it started is not the scenario's choice.
    fn look_back(&mut self, verb: &str, subject: &str) {
        match verb {
            "do" => {
                let starts = STARTS.contains(&subject);
                if starts || ENDS.contains(&subject) || !self.starting {
                    self.recent.clear();
                    self.starting = starts;
                }
            }
            "inject" => {}
            _ => self.starting = false,
        }
    }

    fn start(
        &mut self,
        record: &Record,
        step: &str,
        verb: &str,
        arguments: &Value,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        match verb {
            "expect" => {
                let name = arguments.get("as").and_then(Value::as_str).map(str::to_owned);
                let branches = vec![(name, self.watch(arguments))];
                self.wait(step, branches, catalogue, findings);
            }
            "one_of" => {
                let list = arguments.get("branches").and_then(Value::as_array);
                let branches = list.into_iter().flatten().map(|branch| {
                    let name = branch.get("as").and_then(Value::as_str).map(str::to_owned);
                    (name, self.watch(branch))
                });
                let branches = branches.collect();
                self.wait(step, branches, catalogue, findings);
            }
            "never" => {
                let watch = self.watch(arguments);
                let covers_the_past = watch.covers_the_past();
                self.forbidden.push(Forbidden {
                    step: step.to_owned(),
                    watch,
                    since: record.seq,
                    broken: false,
                    unclear: false,
                });
                // However many a `do` lies between: its window begins where it says.
                if covers_the_past {
                    for event in self.history.clone() {
                        self.forbid(&event, catalogue, findings);
                    }
                }
            }
            "measure" => self.measure(step, arguments, catalogue, findings),
            "wait" => self.pause = arguments.get("until_us").and_then(Value::as_u64).map(Stamp),
            _ => {}
        }
    }

    /// A watch as the record of its step describes it.
    fn watch(&self, arguments: &Value) -> Watch {
        let number = |name: &str| arguments.get(name).and_then(Value::as_u64);
        let us = self.slack_us;
        let stamps = || self.moments.values().map(|(stamp, _)| stamp.0);
        // What a window begins with, if it names that.
        let named = self
            .moments
            .values()
            .find(|(_, record)| number("base") == Some(*record));
        let soon_after = |stamp: u64, after: u64| after.checked_sub(stamp).is_some_and(|offset| offset <= us);
        let begins_with_step = number("after_us").is_some_and(|after| match named {
            Some((stamp, _)) => soon_after(stamp.0, after),
            None => after <= us || stamps().any(|stamp| soon_after(stamp, after)),
        });
        let ends_with_step = number("before_us").is_some_and(|before| stamps().any(|stamp| stamp == before));
        let slack = Slack {
            us,
            begins_with_step,
            ends_with_step,
        };
        Watch::read(arguments, slack)
    }

    fn wait(
        &mut self,
        step: &str,
        branches: Vec<(Option<String>, Watch)>,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        self.settled = None;
        self.waiting = Some(Waiting {
            step: step.to_owned(),
            branches,
        });
        for event in self.recent.clone() {
            self.feed(&event, catalogue, findings);
        }
    }

    fn feed(&mut self, event: &Event, catalogue: &Catalogue, findings: &mut Vec<Finding>) {
        if self.used.contains(event) {
            return;
        }
        let Some(waiting) = &mut self.waiting else { return };
        let mut answered = None;
        for (index, (_, watch)) in waiting.branches.iter_mut().enumerate() {
            match watch.observe(event) {
                Answer::Open => continue,
                answer => answered = Some((index, answer)),
            }
            break;
        }
        if let Some((index, answer)) = answered {
            self.settle(index, answer, catalogue, findings);
        }
    }

    /// When the step that waits has waited long enough.
    pub(crate) fn next_deadline(&self) -> Option<Stamp> {
        let waiting = self.waiting.as_ref()?;
        let deadlines = waiting.branches.iter().filter_map(|(_, watch)| watch.deadline());
        deadlines.max()
    }

    /// Lets deadlines at or before `now` expire.
    pub(crate) fn expire(&mut self, now: Stamp, catalogue: &Catalogue, findings: &mut Vec<Finding>) {
        if self.next_deadline().is_none_or(|deadline| deadline > now) {
            return;
        }
        if let Some(waiting) = &mut self.waiting {
            let answers: Vec<Answer> = waiting
                .branches
                .iter_mut()
                .map(|(_, watch)| watch.expire())
                .collect();
            let met = answers.iter().position(|answer| matches!(answer, Answer::Met(_)));
            let index = met.unwrap_or(0);
            if let Some(answer) = answers.into_iter().nth(index) {
                self.settle(index, answer, catalogue, findings);
            }
        }
    }

    fn forbid(&mut self, event: &Event, catalogue: &Catalogue, findings: &mut Vec<Finding>) {
        let (mut broken, mut unclear) = (Vec::new(), Vec::new());
        for forbidden in &mut self.forbidden {
            let later = event
                .records
                .last()
                .is_some_and(|record| *record > forbidden.since)
                || forbidden.watch.covers_the_past();
            if forbidden.broken || !later {
                continue;
            }
            let text = format!("{} came at {} and must not", forbidden.watch.describe(), event.at);
            let stated = |text| (forbidden.step.clone(), forbidden.watch.verifies.clone(), text);
            match forbidden.watch.forbids(event) {
                Placed::Inside => {
                    broken.push(stated(text));
                    forbidden.broken = true;
                }
                Placed::Unclear if !forbidden.unclear => {
                    let slack = self.slack_us as f64 / 1e6;
                    unclear.push(stated(format!(
                        "{text}; but that is within {slack:.3} s of an end of its window, which is the tolerance of the clock"
                    )));
                    forbidden.unclear = true;
                }
                Placed::Unclear | Placed::Outside => {}
            }
        }
        for (step, verifies, text) in unclear {
            self.undecided(&step, &verifies, text, event.records.clone(), catalogue, findings);
        }
        for (step, verifies, text) in broken {
            self.violate(&step, &verifies, text, event.records.clone(), catalogue, findings);
        }
    }

    fn finish_step(
        &mut self,
        record: &Record,
        step: &str,
        outcome: StepOutcome,
        result: &Value,
        catalogue: &Catalogue,
        findings: &mut Vec<Finding>,
    ) {
        self.stopped |= outcome != StepOutcome::Done;
        if let Some(name) = result.get("as").and_then(Value::as_str) {
            match result.get("fault").and_then(Value::as_u64) {
                Some(id) => self.name_fault(id as u32, name),
                None => {
                    let value = result.get("value").cloned().unwrap_or(Value::Null);
                    self.values.insert(name.to_owned(), value);
                    self.moments.insert(name.to_owned(), (record.at, record.seq));
                }
            }
        }
        if outcome == StepOutcome::Refused {
            let text = result
                .get("reason")
                .and_then(Value::as_str)
                .unwrap_or("the step was refused")
                .to_owned();
            let blame = result.get("blame").and_then(Value::as_str).unwrap_or("harness");
            let (verdict, blame) = match blame {
                "unit" if self.starting && self.not_itself => (Verdict::Inconclusive, Blame::Unit),
                "unit" => (Verdict::Fail, Blame::Unit),
                "cloud" => (Verdict::Error, Blame::Cloud),
                "lab" => (Verdict::Error, Blame::Lab),
                "missing" => (Verdict::Inconclusive, Blame::Harness),
                _ => (Verdict::Error, Blame::Harness),
            };
            let finding = self.finding(None, verdict, text, vec![record.seq], Some(step), catalogue);
            findings.push(Finding { blame, ..finding });
        }
    }
}

/// Actions that set the unit going.
const STARTS: [&str; 3] = ["unit.start", "unit.restore_power", "unit.reboot"];
/// Actions that end what the unit does.
const ENDS: [&str; 2] = ["unit.stop", "unit.cut_power"];

/// The value an executor records for a finished step: its name and its value.
pub(crate) fn step_result(name: Option<&str>, value: Value) -> Value {
    json!({"as": name, "value": value})
}
