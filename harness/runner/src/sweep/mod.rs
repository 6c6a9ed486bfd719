//! Sweeps of power cuts: which instances one has, and the harness's hand on the power of each.

mod cutter;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use cutter::Cutter;
pub(crate) use plan::{points_after, reference_of};

/// The fact by which the cut of a sweep is told from other faults: its point.
pub(crate) const POINT: &str = "point";
