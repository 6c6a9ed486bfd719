//! Instants inside one trace.

use serde::{Deserialize, Serialize};
use std::{fmt, ops::Add, time::Duration};

/// Microseconds since the start of the bench, on its monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The start of the bench.
    pub const ZERO: Stamp = Stamp(0);

    /// Time passed since an earlier stamp; zero if that one is later.
    pub fn since(self, earlier: Stamp) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Seconds since the start of the bench.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This stamp moved back, not before the start.
    pub fn minus(self, span: Duration) -> Stamp {
        Stamp(self.0.saturating_sub(span.as_micros() as u64))
    }
}

impl Add<Duration> for Stamp {
    type Output = Stamp;

    fn add(self, span: Duration) -> Stamp {
        Stamp(
            self.0
                .saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)),
        )
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.seconds())
    }
}
