//! Two runs held against each other: what got worse, what got better, what can no longer be told.

mod case;
mod changes;
mod conditions;
mod fold;
mod outcome;
mod rank_sum;
mod side;
mod timing;

pub use changes::{CatalogueChange, Change, Condition, Flaky, Loss, LossOf};
pub use fold::Comparison;
pub use outcome::Outcome;
pub use side::{Side, SideFacts, UnitFacts};
pub use timing::{TimeChange, TimeSample, TimeVerdict};

#[cfg(test)]
mod tests;
