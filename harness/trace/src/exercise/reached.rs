//! What all instances of a run exercised, against all there is.

use super::{Exercisable, Exercised, Valued};
use crate::InstanceSummary;
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything there is to exercise in one protocol, and in how many instances each was. None is not exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolExercise {
    /// Messages in the order of names.
    pub messages: Vec<MessageReached>,
    /// Values that tell message types apart.
    pub types: Vec<ValueReached>,
    /// Values that are errors.
    pub errors: Vec<ValueReached>,
    /// Transitions of states.
    pub transitions: Vec<TransitionReached>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReached {
    /// Full name of its event, such as `unit.ack`.
    pub name: String,
    /// Instances with one.
    pub instances: u64,
    /// Its fields, with the instances in which each had a value.
    pub fields: BTreeMap<String, u64>,
}

/// A value of a field of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueReached {
    /// Full name of the event.
    pub event: String,
    /// The field.
    pub field: String,
    /// The value as text.
    pub value: String,
    /// Instances with it.
    pub instances: u64,
}

/// A step from state to state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionReached {
    /// What went, such as `command`.
    pub of: String,
    /// The state before; `start` if nothing had been told.
    pub from: String,
    /// The state after.
    pub to: String,
    /// Whether the protocol foresees it.
    pub foreseen: bool,
    /// Instances with it.
    pub instances: u64,
}

/// How much was exercised, and of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExerciseCounts {
    /// Message types: events, and the values that tell types apart.
    pub messages: (usize, usize),
    /// Fields of messages.
    pub fields: (usize, usize),
    /// Error answers.
    pub errors: (usize, usize),
    /// Transitions that the protocol foresees.
    pub transitions: (usize, usize),
}

/// What the instances of a run exercised, by protocol; only protocols that ran.
pub fn exercise(
    instances: &[InstanceSummary],
    known: &BTreeMap<Protocol, Exercisable>,
) -> BTreeMap<Protocol, ProtocolExercise> {
    let mut ran: BTreeMap<Protocol, Vec<&Exercised>> = BTreeMap::new();
    for instance in instances.iter().filter(|instance| instance.skipped.is_none()) {
        ran.entry(instance.header.protocol)
            .or_default()
            .push(&instance.exercised);
    }
    let reached = ran.iter().filter_map(|(protocol, exercised)| {
        let known = known.get(protocol)?;
        Some((*protocol, reached(exercised, known)))
    });
    reached.collect()
}

fn reached(exercised: &[&Exercised], known: &Exercisable) -> ProtocolExercise {
    let messages = known.messages.iter().map(|(name, fields)| {
        let given: Vec<&BTreeSet<String>> = exercised
            .iter()
            .filter_map(|one| one.messages.get(name))
            .collect();
        MessageReached {
            name: name.clone(),
            instances: given.len() as u64,
            fields: fields
                .iter()
                .map(|field| {
                    let with = given.iter().filter(|given| given.contains(field));
                    (field.clone(), with.count() as u64)
                })
                .collect(),
        }
    });
    ProtocolExercise {
        messages: messages.collect(),
        types: values(&known.types, exercised, |one| &one.types),
        errors: values(&known.errors, exercised, |one| &one.errors),
        transitions: transitions(exercised, known),
    }
}

fn values(
    known: &[Valued],
    exercised: &[&Exercised],
    seen: impl Fn(&Exercised) -> &BTreeSet<(String, String, String)>,
) -> Vec<ValueReached> {
    let all = known.iter().flat_map(|rule| {
        let key = |value: &String| (rule.event.clone(), rule.field.clone(), value.clone());
        rule.values.iter().map(key)
    });
    let reached = all.map(|key| {
        let with = exercised.iter().filter(|one| seen(one).contains(&key));
        let instances = with.count() as u64;
        let (event, field, value) = key;
        ValueReached {
            event,
            field,
            value,
            instances,
        }
    });
    reached.collect()
}

/// Those the protocol foresees, and whatever else happened.
fn transitions(exercised: &[&Exercised], known: &Exercisable) -> Vec<TransitionReached> {
    let foreseen: BTreeSet<(String, String, String)> = known
        .machines
        .iter()
        .flat_map(|machine| {
            let pairs = machine
                .moves
                .iter()
                .flat_map(|(from, next)| next.iter().map(move |to| (from, to)));
            pairs.map(|(from, to)| (machine.name.clone(), from.clone(), to.clone()))
        })
        .collect();
    let seen = exercised.iter().flat_map(|one| &one.transitions);
    let all: BTreeSet<&(String, String, String)> = foreseen.iter().chain(seen).collect();
    let reached = all.into_iter().map(|transition| {
        let (of, from, to) = transition.clone();
        let with = exercised
            .iter()
            .filter(|one| one.transitions.contains(transition));
        TransitionReached {
            of,
            from,
            to,
            foreseen: foreseen.contains(transition),
            instances: with.count() as u64,
        }
    });
    reached.collect()
}

impl ProtocolExercise {
    /// How much of it was exercised.
    pub fn counts(&self) -> ExerciseCounts {
        let messages = self.messages.iter().map(|message| message.instances);
        let types = self.types.iter().map(|value| value.instances);
        let foreseen = self.transitions.iter().filter(|transition| transition.foreseen);
        ExerciseCounts {
            messages: share(messages.chain(types)),
            fields: share(
                self.messages
                    .iter()
                    .flat_map(|message| message.fields.values().copied()),
            ),
            errors: share(self.errors.iter().map(|value| value.instances)),
            transitions: share(foreseen.map(|transition| transition.instances)),
        }
    }
}

/// How many are not zero, and how many there are.
fn share(instances: impl Iterator<Item = u64>) -> (usize, usize) {
    instances.fold((0, 0), |(reached, all), instances| {
        (reached + usize::from(instances > 0), all + 1)
    })
}
