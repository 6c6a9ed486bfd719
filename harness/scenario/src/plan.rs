//! A checked scenario: every name resolved against the vocabulary, every place kept for diagnostics. What the
//! runner executes and the judge compiles.

use crate::condition::Condition;
use crate::lookup::{Lookup, walk};
use crate::measure::Measure;
use crate::moment::{Moment, Span};
use crate::sweep::Sweep;
use crate::template::Template;
use hil_diagnostic::Source;
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// What a unit file says of a unit under `timing`, or under `facts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitFact {
    /// A time, in seconds.
    Time,
    /// Anything else.
    Fact,
}

/// One scenario, checked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Path below the suites, such as `edge-poll/acks-lost.yaml`; unique.
    pub path: String,
    /// What it shows, in one line.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// Requirements it exercises, those of its steps included.
    pub verifies: Vec<String>,
    /// What it provokes of those that the catalogue's stimuli do not say: requirement id and words for it.
    pub provokes: BTreeMap<String, String>,
    /// Capabilities it needs of driver and lab: those it declares and those its words imply; sorted.
    pub needs: Vec<String>,
    /// ICS features (or `dialect: …` options) without which it does not apply, with the value they must have.
    pub applies_when: BTreeMap<String, Value>,
    /// Tags for selection; `long` is run only when asked for.
    pub tags: Vec<String>,
    /// Parameters with their values by tier.
    pub params: BTreeMap<String, Parameter>,
    /// The declared state before the first step, such as `running: current`.
    pub prepare: Map<String, Value>,
    /// Options of the mock cloud, such as `mode: direct`.
    pub cloud: Map<String, Value>,
    /// How often it runs.
    pub repeat: u32,
    /// The points at which power is cut, one run each.
    pub sweep: Option<Sweep>,
    /// How long one instance may take on its own clock.
    pub timeout: Duration,
    /// Times and facts of the unit its steps refer to, such as `poll_interval` or `services.1`.
    pub unit_facts: BTreeMap<String, UnitFact>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Faults a run added before its first step, as they were asked for.
    pub extra_faults: Vec<String>,
    /// Its file, under the path people know it by.
    pub source: Arc<Source>,
}

impl Plan {
    /// Roles of the images it needs: what its actions name, and what runs before the first step.
    pub fn artifacts(&self) -> BTreeSet<String> {
        let mut roles = BTreeSet::new();
        roles.extend(
            self.prepare
                .get("running")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        for argument in ["artifact", "artifacts"] {
            self.collect_arguments(argument, &|_| true, &mut roles);
        }
        roles
    }

    /// Every fault it injects.
    pub fn faults(&self) -> BTreeSet<String> {
        let mut faults = BTreeSet::new();
        self.for_each_word(&mut |step, word, _| {
            if matches!(step.verb, Verb::Inject { .. }) {
                faults.insert(word.to_owned());
            }
        });
        faults
    }

    /// Every fault that must end before the scenario does: a step clears it, or it acts `for` a time.
    pub fn ending_faults(&self) -> BTreeSet<String> {
        let cleared = self.arguments_named("fault.clear", "fault");
        let mut ending = BTreeSet::new();
        self.for_each_word(&mut |step, word, argument_of| {
            let is_cleared = step.name.as_ref().is_some_and(|name| cleared.contains(name));
            if matches!(step.verb, Verb::Inject { .. }) && (is_cleared || argument_of("for").is_some()) {
                ending.insert(word.to_owned());
            }
        });
        ending
    }

    /// Texts that calls of an action or a fault give as one argument, such as the `name` of every `unit.probe`.
    pub fn arguments_named(&self, action: &str, argument: &str) -> BTreeSet<String> {
        let mut values = BTreeSet::new();
        self.collect_arguments(argument, &|called| called == action, &mut values);
        values
    }

    fn collect_arguments(
        &self,
        argument: &str,
        wanted: &dyn Fn(&str) -> bool,
        values: &mut BTreeSet<String>,
    ) {
        self.for_each_word(&mut |_, word, argument_of| {
            if wanted(word) {
                values.extend(texts(argument_of(argument)));
            }
        });
    }

    /// Visits every action it calls and every fault it injects, loops unrolled where their values are known: the step,
    /// the full name of the word, and a look-up of the arguments that are known before anything runs.
    pub(crate) fn for_each_word(&self, visit: &mut WordVisitor<'_>) {
        let mut known = Known {
            params: &self.params,
            variables: Vec::new(),
        };
        visit_words(&self.steps, &mut known, visit);
    }
}

/// Sees a step, its word, and how to look up an argument of it.
pub(crate) type WordVisitor<'v> = dyn FnMut(&Step, &str, &dyn Fn(&str) -> Option<Value>) + 'v;

/// What is known before anything runs: defaults of parameters, values of loops.
struct Known<'p> {
    params: &'p BTreeMap<String, Parameter>,
    variables: Vec<(String, Value)>,
}

impl Lookup for Known<'_> {
    fn get(&self, path: &str) -> Option<Value> {
        if let Some(name) = path.strip_prefix("params.") {
            return self.params.get(name).map(|parameter| parameter.default.clone());
        }
        let (root, rest) = path.split_once('.').unwrap_or((path, ""));
        let (_, value) = self.variables.iter().rev().find(|(name, _)| name == root)?;
        match rest {
            "" => Some(value.clone()),
            rest => walk(value, rest).cloned(),
        }
    }
}

fn visit_words(steps: &[Step], known: &mut Known<'_>, visit: &mut WordVisitor<'_>) {
    for step in steps {
        match &step.verb {
            Verb::Do { action: word, with }
            | Verb::Inject {
                fault: word, with, ..
            } => {
                visit(step, word, &|argument| with.member_in(argument, known));
            }
            Verb::OneOf(branches) => {
                for branch in branches {
                    visit_words(&branch.steps, known, visit);
                }
            }
            Verb::ForEach {
                variable,
                values: list,
                steps,
            } => {
                let list = list.resolve(known).ok();
                // Whatever else a loop does, it does it at least with an unknown value.
                let turns = list.as_ref().and_then(Value::as_array).cloned();
                for value in turns.unwrap_or_else(|| vec![Value::Null]) {
                    known.variables.push((variable.clone(), value));
                    visit_words(steps, known, visit);
                    known.variables.pop();
                }
            }
            _ => {}
        }
    }
}

/// A text, or those of a list.
fn texts(value: Option<Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A parameter: a value for each tier. Durations are seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Value without a tier.
    pub default: Value,
    /// Values of named tiers, such as `quick`.
    pub tiers: BTreeMap<String, Value>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place, such as `3` or `4.1`, from 1.
    pub place: String,
    /// Line and column in the text, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The name other steps refer to it by.
    pub name: Option<String>,
    /// The requirements this step decides; empty = the scenario's only one; [`NOTHING`] = none at all.
    pub verifies: Vec<String>,
    /// What it does.
    pub verb: Verb,
}

/// `verifies: none`: a step that prepares, and shows nothing of any requirement.
pub const NOTHING: &str = "none";

/// What a step does.
#[derive(Clone, Debug)]
pub enum Verb {
    /// Calls a handle: `unit.start`, `cloud.queue`.
    Do {
        /// Full name of the action.
        action: String,
        /// Its arguments.
        with: Template,
    },
    /// Arms a fault, until cleared or the end: `cloud.status`.
    Inject {
        /// Full name of the fault.
        fault: String,
        /// Its arguments.
        with: Template,
        /// When it begins to act.
        when: When,
    },
    /// Waits for an event; looks back to the last `do`.
    Expect(Watch),
    /// States that an event does not happen.
    Never(Watch),
    /// Waits for the first of several events and goes on with the steps of that branch.
    OneOf(Vec<Branch>),
    /// Measures the time between two moments or events and judges it.
    Measure(Box<Measure>),
    /// Lets time pass.
    Wait(Wait),
    /// Runs steps once for each value.
    ForEach {
        /// Name the steps refer to the value by.
        variable: String,
        /// The values.
        values: Template,
        /// The steps.
        steps: Vec<Step>,
    },
}

/// When an injected fault begins to act.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// What must come first.
    pub trigger: Trigger,
    /// How likely each match is struck from then on, from 0 to 1; `None` = always.
    pub probability: Option<f64>,
}

/// What a fault waits for before it acts.
#[derive(Clone, Debug, Default)]
pub enum Trigger {
    /// Nothing.
    #[default]
    Now,
    /// This long after it was injected.
    In(Span),
    /// A moment.
    At(Moment),
    /// An event, counted from the injection on.
    Event {
        /// Full name of the event.
        event: String,
        /// Partial match of its fields.
        matching: Template,
        /// Which of them, from 1.
        nth: u32,
        /// How often the fault acts, at each `nth` of them; 1 unless it acts on the unit.
        times: u32,
        /// How long after it.
        offset: Option<Span>,
    },
}

/// What `expect` and `never` watch for.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Full name of the event, such as `unit.ack`.
    pub event: String,
    /// Partial match of its fields.
    pub matching: Template,
    /// CEL condition over `event`, `params` and named steps.
    pub condition: Option<Condition>,
    /// Not before this moment.
    pub after: Option<Moment>,
    /// Not after this moment.
    pub before: Option<Moment>,
    /// Not later than this long after the step began (for `never`: watched this long).
    pub within: Option<Span>,
    /// The event must then not be followed by another of its kind for this long.
    pub hold: Option<Span>,
    /// How many such events; 1 if not said.
    pub times: Option<Template>,
    /// Name of the step whose success is the stimulus; without it the verdict is inconclusive.
    pub stimulus: Option<String>,
}

impl Watch {
    /// Names of the steps (or other roots) its window and match refer to.
    pub fn steps(&self) -> Vec<String> {
        let moments = self
            .after
            .iter()
            .chain(&self.before)
            .map(|moment| moment.step().to_owned());
        let root = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
        let matched = self.matching.references().into_iter().map(root);
        moments.chain(matched).chain(self.stimulus.clone()).collect()
    }
}

impl Plan {
    /// The line of a step, by the place its records name, such as `4.1`, or `4.1#2` in a round of `for_each`.
    pub fn line_of(&self, place: &str) -> Option<usize> {
        let place = place.split('#').next()?;
        line_among(&self.steps, place)
    }
}

fn line_among(steps: &[Step], place: &str) -> Option<usize> {
    steps.iter().find_map(|step| match &step.verb {
        _ if step.place == place => Some(step.line),
        Verb::ForEach { steps, .. } => line_among(steps, place),
        Verb::OneOf(branches) => branches.iter().find_map(|branch| {
            let within = line_among(&branch.steps, place);
            within.or_else(|| (branch.place == place).then_some(step.line))
        }),
        _ => None,
    })
}

/// One branch of `one_of`.
#[derive(Clone, Debug)]
pub struct Branch {
    /// What chooses the branch.
    pub watch: Watch,
    /// Name of the event for later steps.
    pub name: Option<String>,
    /// Its place, such as `4.2`.
    pub place: String,
    /// What follows.
    pub steps: Vec<Step>,
}

/// How long to wait.
#[derive(Clone, Debug)]
pub enum Wait {
    /// A span from now.
    For(Span),
    /// Until a moment.
    Until(Moment),
}
