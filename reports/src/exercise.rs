//! What of a protocol was exercised, in words: shares, and what was not.

use hil_trace::{ProtocolExercise, ValueReached};

/// One kind of what there is to exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Such as `message types`.
    pub(crate) noun: &'static str,
    /// How many were exercised.
    pub(crate) reached: usize,
    /// How many there are.
    pub(crate) all: usize,
    /// Those that were not.
    pub(crate) missing: Vec<String>,
}

/// Every kind, in the order reports list them.
pub(crate) fn shares(exercise: &ProtocolExercise) -> [Share; 4] {
    let counts = exercise.counts();
    let share = |noun, (reached, all), missing| Share {
        noun,
        reached,
        all,
        missing,
    };
    [
        share("message types", counts.messages, missing_messages(exercise)),
        share("fields", counts.fields, missing_fields(exercise)),
        share("error answers", counts.errors, missing_values(&exercise.errors)),
        share("transitions", counts.transitions, missing_transitions(exercise)),
    ]
}

/// Transitions the protocol does not foresee, such as `item: installed → downloading`.
pub(crate) fn unforeseen(exercise: &ProtocolExercise) -> Vec<String> {
    let odd = exercise.transitions.iter().filter(|t| !t.foreseen);
    odd.map(|t| format!("{}: {} → {}", t.of, t.from, t.to)).collect()
}

/// Such as `10 of 12 message types, 30 of 39 fields`.
pub(crate) fn line(exercise: &ProtocolExercise) -> String {
    let shares = shares(exercise).into_iter().filter(|share| share.all > 0);
    let words = shares.map(|share| format!("{} of {} {}", share.reached, share.all, share.noun));
    words.collect::<Vec<_>>().join(", ")
}

fn missing_messages(exercise: &ProtocolExercise) -> Vec<String> {
    let messages = exercise.messages.iter().filter(|message| message.instances == 0);
    let names = messages.map(|message| message.name.clone());
    names.chain(missing_values(&exercise.types)).collect()
}

/// Fields of messages that came; those of others go without saying.
fn missing_fields(exercise: &ProtocolExercise) -> Vec<String> {
    let came = exercise.messages.iter().filter(|message| message.instances > 0);
    let fields = came.flat_map(|message| {
        let missing = message.fields.iter().filter(|(_, instances)| **instances == 0);
        missing.map(|(field, _)| format!("{} {field}", message.name))
    });
    fields.collect()
}

fn missing_values(values: &[ValueReached]) -> Vec<String> {
    let missing = values.iter().filter(|value| value.instances == 0);
    missing
        .map(|value| format!("{} {} {}", value.event, value.field, value.value))
        .collect()
}

fn missing_transitions(exercise: &ProtocolExercise) -> Vec<String> {
    let missing = exercise
        .transitions
        .iter()
        .filter(|t| t.foreseen && t.instances == 0);
    missing
        .map(|t| format!("{}: {} → {}", t.of, t.from, t.to))
        .collect()
}
