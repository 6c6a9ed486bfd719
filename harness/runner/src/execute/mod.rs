//! Executes the steps of a plan on a bench, one file per verb. Every call of a handle is itself a record.

mod expect;
mod for_each;
mod inject;
mod measure;
mod never;
mod one_of;
mod perform;
mod wait;

use crate::{
    bench::Bench,
    faults::Armed,
    judge::{StepState, step_result},
};
use hil_scenario::{Lookup, Plan, Step, Unresolved, Verb, walk};
use hil_trace::{Blame, HowClosed, RecordBody, Recorder, Stamp, StepOutcome, TraceHeader};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};
use tokio::task::JoinSet;

/// Runs the steps of one instance.
pub(crate) struct Executor<'a> {
    bench: &'a mut Bench,
    plan: &'a Plan,
    roots: Map<String, Value>,
    /// Variables of the loops around the present step.
    variables: Vec<(String, Value)>,
    /// Suffix of places inside loops, such as `#2`.
    suffix: String,
    faults: BTreeMap<String, Injected>,
    /// What injected faults wait for.
    fuses: JoinSet<()>,
    patience: Duration,
}

/// A fault of a named step.
struct Injected {
    armed: Armed,
    /// When it begins to act, where that is a time.
    due: Option<Stamp>,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl<'a> Executor<'a> {
    pub(crate) fn new(bench: &'a mut Bench, plan: &'a Plan, header: &TraceHeader) -> Self {
        let mut unit = header.ics.clone();
        unit.extend(header.facts.clone());
        unit.extend(header.timing.clone());
        let mut roots = Map::new();
        roots.insert("params".to_owned(), Value::Object(header.params.clone()));
        roots.insert(
            "artifact".to_owned(),
            unit.get("artifacts").cloned().unwrap_or(Value::Null),
        );
        roots.insert("unit".to_owned(), Value::Object(unit));
        let patience = header.timing_seconds("patience").unwrap_or(DEFAULT_PATIENCE);
        Executor {
            bench,
            plan,
            roots,
            variables: Vec::new(),
            suffix: String::new(),
            faults: BTreeMap::new(),
            fuses: JoinSet::new(),
            patience: Duration::try_from_secs_f64(patience).unwrap_or_default(),
        }
    }

    /// Runs every step, then waits until every bounded `never` has had its time.
    pub(crate) async fn run(&mut self) -> HowClosed {
        let plan = self.plan;
        let next = self.steps(&plan.steps).await;
        if next == Next::Go {
            let until = self.bench.dispatcher.judgement().scenario.forbidden_until();
            if let Some(until) = until {
                self.bench
                    .dispatcher
                    .clock()
                    .sleep_until(Stamp(until.0 + 1))
                    .await;
            }
        }
        self.fuses.abort_all();
        HowClosed::Complete
    }

    fn steps<'s>(&'s mut self, steps: &'s [Step]) -> Pin<Box<dyn Future<Output = Next> + 's>> {
        Box::pin(async move {
            for step in steps {
                if self.step(step).await == Next::Stop {
                    return Next::Stop;
                }
                self.passed(step.name.as_deref()).await;
            }
            Next::Go
        })
    }

    async fn step(&mut self, step: &Step) -> Next {
        match &step.verb {
            Verb::Do { action, with } => self.perform(step, action, with).await,
            Verb::Inject { fault, with, when } => self.inject(step, fault, with, when).await,
            Verb::Expect(watch) => self.expect(step, watch).await,
            Verb::Never(watch) => self.never(step, watch),
            Verb::OneOf(branches) => self.one_of(step, branches).await,
            Verb::Measure(measure) => self.measure(step, measure),
            Verb::Wait(wait) => self.wait(step, wait).await,
            Verb::ForEach {
                variable,
                values,
                steps,
            } => self.for_each(step, variable, values, steps).await,
        }
    }

    /// A step, or a branch, of that name has ended: points of a sweep may be counted from it.
    async fn passed(&mut self, name: Option<&str>) {
        if let Some((name, at)) = name.and_then(|name| Some((name, self.moment(name)?))) {
            self.bench.cutter.passed(name, at).await;
        }
    }

    fn place(&self, step: &Step) -> String {
        format!("{}{}", step.place, self.suffix)
    }

    fn begin(&self, step: &Step, verb: &str, subject: &str, arguments: Value) -> String {
        let place = self.place(step);
        self.bench.dispatcher.record(RecordBody::StepStarted {
            step: place.clone(),
            verb: verb.to_owned(),
            subject: subject.to_owned(),
            arguments,
        });
        place
    }

    fn finish(&self, place: String, outcome: StepOutcome, result: Value) -> Next {
        self.bench.dispatcher.record(RecordBody::StepFinished {
            step: place,
            outcome,
            result,
        });
        if outcome == StepOutcome::Done {
            Next::Go
        } else {
            Next::Stop
        }
    }

    fn done(&self, step: &Step, place: String, value: Value) -> Next {
        self.finish(place, StepOutcome::Done, step_result(step.name.as_deref(), value))
    }

    fn refuse(&self, place: String, blame: &str, reason: impl ToString) -> Next {
        self.finish(
            place,
            StepOutcome::Refused,
            json!({"blame": blame, "reason": reason.to_string()}),
        )
    }

    fn unresolved(&self, step: &Step, verb: &str, subject: &str, error: &Unresolved) -> Next {
        let place = self.begin(step, verb, subject, Value::Null);
        let blame = match error {
            Unresolved::Missing { .. } | Unresolved::NotHappened { .. } => "missing",
            Unresolved::NotADuration { .. } | Unresolved::Negative { .. } => "harness",
        };
        self.refuse(place, blame, error)
    }

    /// Waits until the judge has settled a step.
    async fn settled(&self, place: &str) -> (StepOutcome, usize) {
        loop {
            let changed = self.bench.dispatcher.changed();
            tokio::pin!(changed);
            // Registered before looking, so that no record is missed.
            changed.as_mut().enable();
            let state = self.bench.dispatcher.judgement().scenario.state(place);
            match state {
                StepState::Settled(settled) => return (settled.outcome, settled.branch),
                StepState::Open(None) => changed.await,
                StepState::Open(Some(deadline)) => {
                    let clock = self.bench.dispatcher.clock();
                    tokio::select! {
                        biased;
                        () = &mut changed => {}
                        () = clock.sleep_until(deadline) => self.bench.dispatcher.expire(),
                    }
                }
            }
        }
    }

    /// Waits until the faults behind these step names have acted, as long as patience lasts.
    async fn happened(&self, names: &[String]) {
        let clock = self.bench.dispatcher.clock();
        let due = names.iter().filter_map(|name| self.faults.get(name)?.due).max();
        let deadline = due.unwrap_or(clock.now()).max(clock.now()) + self.patience;
        let open = |name: &&String| self.faults.contains_key(*name) && self.moment(name).is_none();
        while names.iter().any(|name| open(&name)) && clock.now() < deadline {
            tokio::select! {
                biased;
                () = self.bench.dispatcher.changed() => {}
                () = clock.sleep_until(deadline) => {}
            }
        }
    }

    fn moment(&self, name: &str) -> Option<Stamp> {
        self.bench
            .dispatcher
            .judgement()
            .scenario
            .moments
            .get(name)
            .map(|(stamp, _)| *stamp)
    }

    fn record_of(&self, name: &str) -> Option<u64> {
        self.bench
            .dispatcher
            .judgement()
            .scenario
            .moments
            .get(name)
            .map(|(_, record)| *record)
    }

    /// Everything a CEL condition may refer to.
    fn all_values(&self) -> Map<String, Value> {
        let mut values = self.roots.clone();
        values.extend(self.bench.dispatcher.judgement().scenario.values.clone());
        values.extend(self.variables.iter().cloned());
        values
    }
}

impl Lookup for Executor<'_> {
    fn get(&self, path: &str) -> Option<Value> {
        let (root, rest) = match path.split_once('.') {
            Some((root, rest)) => (root, Some(rest)),
            None => (path, None),
        };
        let variable = self
            .variables
            .iter()
            .rev()
            .find(|(name, _)| name == root)
            .map(|(_, value)| value.clone());
        let judgement = self.bench.dispatcher.judgement();
        let value = variable
            .or_else(|| judgement.scenario.values.get(root).cloned())
            .or_else(|| self.roots.get(root).cloned())?;
        match rest {
            Some(rest) => walk(&value, rest).cloned(),
            None => Some(value),
        }
    }
}

fn blame_word(blame: Blame) -> &'static str {
    match blame {
        Blame::Unit => "unit",
        Blame::Cloud => "cloud",
        Blame::Lab => "lab",
        Blame::Harness => "harness",
    }
}

/// Seconds an `expect` without a bound waits, if the unit's timing does not say `patience`.
const DEFAULT_PATIENCE: f64 = 120.0;
