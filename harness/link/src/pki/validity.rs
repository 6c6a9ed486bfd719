//! From when to when a certificate holds.

use super::PkiError;
use std::time::Duration;
use time::OffsetDateTime;

/// The period in which a certificate holds, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment, Unix seconds.
    pub not_before: i64,
    /// Last moment, Unix seconds.
    pub not_after: i64,
}

impl Validity {
    /// What a usual certificate has: valid now, for a year, and a day back for clocks that lag.
    pub fn usual(now_unix_us: i64) -> Self {
        Self::for_span(now_unix_us, YEAR)
    }

    /// Valid now and for a while, and a day back for clocks that lag.
    pub fn for_span(now_unix_us: i64, span: Duration) -> Self {
        let now = now_unix_us.div_euclid(1_000_000);
        Validity {
            not_before: now.saturating_sub(seconds(DAY)),
            not_after: now.saturating_add(seconds(span)),
        }
    }

    /// Ended an hour ago.
    pub fn expired(now_unix_us: i64) -> Self {
        let now = now_unix_us.div_euclid(1_000_000);
        Validity {
            not_before: now.saturating_sub(seconds(YEAR)),
            not_after: now.saturating_sub(seconds(HOUR)),
        }
    }

    /// Begins in a day.
    pub fn not_yet(now_unix_us: i64) -> Self {
        let now = now_unix_us.div_euclid(1_000_000);
        Validity {
            not_before: now.saturating_add(seconds(DAY)),
            not_after: now.saturating_add(seconds(YEAR)),
        }
    }

    /// Both ends as a certificate writes them: years 1970 to 9999, not reversed.
    pub(super) fn ends(self) -> Result<(OffsetDateTime, OffsetDateTime), PkiError> {
        let range = 0..=LAST_SECOND;
        if !range.contains(&self.not_before)
            || !range.contains(&self.not_after)
            || self.not_before > self.not_after
        {
            return Err(PkiError::Validity(self));
        }
        let end =
            |seconds| OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| PkiError::Validity(self));
        Ok((end(self.not_before)?, end(self.not_after)?))
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_periods_are_refused() {
        for (not_before, not_after) in [(-1, 5), (5, LAST_SECOND + 1), (10, 9)] {
            let validity = Validity {
                not_before,
                not_after,
            };
            assert!(matches!(validity.ends(), Err(PkiError::Validity(v)) if v == validity));
        }
        assert!(
            Validity {
                not_before: 0,
                not_after: LAST_SECOND
            }
            .ends()
            .is_ok()
        );
    }
}
