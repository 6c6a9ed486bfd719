//! `sweep`: a scenario that runs once for each point at which power is cut, between two of its steps.

use std::time::Duration;

/// A sweep of power cuts. Its reference run, without a cut, says how many flash writes and how much time lie between
/// the two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Which points.
    pub cut: SweepCut,
    /// The step whose end the points are counted from.
    pub from: String,
    /// The step with whose end they end.
    pub to: String,
    /// How long power stays away.
    pub power_back_after: Duration,
    /// At most so many flash writes are spent, as far as can be told beforehand.
    pub wear: Option<u64>,
    /// What a point can come to: words, and the CEL condition over named steps that tells it; the first that holds.
    pub outcomes: Vec<(String, String)>,
}

/// The points of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub enum SweepCut {
    /// Every write to flash; `torn`: also in the midst of each.
    FlashWrites {
        /// Also with the write half done.
        torn: bool,
    },
    /// Points in time so far apart.
    Every(Duration),
    /// So many points in time, evenly spaced.
    Points(u32),
}

impl Sweep {
    /// Whether flash writes must be counted in the unit.
    pub fn counts_writes(&self) -> bool {
        matches!(self.cut, SweepCut::FlashWrites { .. }) || self.wear.is_some()
    }
}

/// The probe that counts flash writes.
pub const FLASH_WRITES: &str = "flash_writes";
/// The stimulus that cuts power at one of them.
pub const CUT_AT_WRITE: &str = "cut_at_write";
