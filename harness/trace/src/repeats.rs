//! All repeats of a scenario on one unit, as figures.

use crate::{Bounds, Histogram, RepeatValue, Statistics};
use serde::{Deserialize, Serialize};

/// What is known of all repeats of a scenario together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many there should be.
    pub planned: u32,
    /// How many were run and judged.
    pub ran: u32,
    /// How many passed.
    pub passed: u32,
    /// How many of those that passed are known by their figures alone; their records were not kept.
    pub by_figures: u32,
    /// Measured times, in the order of their names.
    pub series: Vec<TimedSeries>,
}

/// One measured time over all repeats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedSeries {
    /// Its name.
    pub name: String,
    /// Smallest step of the clock, seconds.
    pub resolution: f64,
    /// How far a value may be off at most, seconds.
    pub tolerance: f64,
    /// What it is held against; none if it is only measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Box<Bounds>>,
    /// Repeats that might have had a value, and have none.
    pub missing: u32,
    /// Its figures.
    pub statistics: Statistics,
    /// How often its values fall where.
    pub histogram: Histogram,
    /// Its values in the order of repetitions.
    pub values: Vec<RepeatValue>,
}
