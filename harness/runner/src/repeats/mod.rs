//! Repeats of a scenario: what is kept of each, and what all of them say together.

mod bounds;
mod extremes;
mod fold;
mod keeper;
#[cfg(test)]
mod tests;

pub(crate) use fold::Fold;
pub(crate) use keeper::Keeper;
