//! One clock for a bench: monotonic stamps, and the wall time they stand for.

use hil_trace::{ClockKind, Stamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// The clock of one bench. It runs on the timer of the tokio runtime it was made in: a paused runtime makes it
/// virtual.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    epoch_unix_us: i64,
    kind: ClockKind,
}

impl Clock {
    /// Wall time at which virtual benches begin: 2026-03-02T09:00:00Z, in Unix microseconds.
    pub const VIRTUAL_EPOCH_US: i64 = 1_772_442_000_000_000;

    /// A clock for a paused runtime, which must be the current one.
    pub fn new_virtual() -> Self {
        Clock {
            start: Instant::now(),
            epoch_unix_us: Self::VIRTUAL_EPOCH_US,
            kind: ClockKind::Virtual,
        }
    }

    /// The machine's clock.
    pub fn new_real() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock {
            start: Instant::now(),
            epoch_unix_us: unix.as_micros() as i64,
            kind: ClockKind::Real,
        }
    }

    /// Virtual or real.
    pub fn kind(&self) -> ClockKind {
        self.kind
    }

    /// Unix microseconds of stamp zero.
    pub fn epoch_unix_us(&self) -> i64 {
        self.epoch_unix_us
    }

    /// Now, on the bench's monotonic clock.
    pub fn now(&self) -> Stamp {
        Stamp(self.start.elapsed().as_micros() as u64)
    }

    /// Wall time of a stamp in Unix microseconds.
    pub fn unix_us(&self, stamp: Stamp) -> i64 {
        self.epoch_unix_us + stamp.0 as i64
    }

    /// Wall time now, in Unix milliseconds.
    pub fn unix_ms(&self) -> i64 {
        self.unix_us(self.now()).div_euclid(1000)
    }

    /// Waits until a stamp; returns at once if it has passed.
    pub async fn sleep_until(&self, stamp: Stamp) {
        tokio::time::sleep_until(self.start + Duration::from_micros(stamp.0)).await;
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}
