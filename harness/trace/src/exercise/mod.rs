//! What runs exercise of a protocol: message types and their fields, error answers, transitions of states; against all
//! there is to exercise.

mod fold;
mod known;
mod reached;

pub use fold::{Exercise, Exercised};
pub use known::{Exercisable, Machine, Valued};
pub use reached::{
    ExerciseCounts, MessageReached, ProtocolExercise, TransitionReached, ValueReached, exercise,
};
