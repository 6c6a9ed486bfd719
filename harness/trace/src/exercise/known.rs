//! What there is to exercise in one protocol.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Everything a unit of one protocol can be led through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exercisable {
    /// The events that are messages, by full name such as `unit.ack`, with their fields.
    pub messages: BTreeMap<String, BTreeSet<String>>,
    /// Fields whose values tell message types apart, such as the methods of a call.
    pub types: Vec<Valued>,
    /// Fields whose values are errors.
    pub errors: Vec<Valued>,
    /// What goes through states.
    pub machines: Vec<Machine>,
}

/// A field and the values of it that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Valued {
    /// Full name of the event.
    pub event: String,
    /// The field.
    pub field: String,
    /// The values as text.
    pub values: BTreeSet<String>,
}

/// Things of one kind that go from state to state, as messages tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// What goes through states, such as `command`.
    pub name: String,
    /// Full name of the event that tells states.
    pub event: String,
    /// Facts it must have.
    pub matching: Map<String, Value>,
    /// The field with a list of such things; `None` = the event tells of one.
    pub each: Option<String>,
    /// Paths of the members that tell one from another, joined by dots; empty = there is only one.
    pub entity: Vec<String>,
    /// Path of its state.
    pub state: String,
    /// Which state may follow which; the state before the first one is [`Machine::START`].
    pub moves: BTreeMap<String, BTreeSet<String>>,
}

impl Machine {
    /// The state of what nothing was told of so far.
    pub const START: &'static str = "start";
}
