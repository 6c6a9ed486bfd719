//! A counter of milliseconds of 32 bits that runs on a battery, and what software makes of it.

use hil_trace::Stamp;

/// The counter, which wraps every 49.7 days, and how often software has seen it wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    /// What it counts besides the time since the bench began.
    pub(crate) ahead: u32,
    /// Wraps software has seen.
    pub(crate) wraps: u32,
    /// What software read last.
    pub(crate) last: u32,
}

impl Counter {
    /// What the hardware shows.
    pub(crate) fn raw(self, now: Stamp) -> u32 {
        // The low 32 bits are the counter.
        ((now.0 / 1000) as u32).wrapping_add(self.ahead)
    }

    /// Milliseconds that never wrap, as careful software makes them: it notices each wrap by the counter having become
    /// smaller.
    pub(crate) fn extended(&mut self, now: Stamp) -> u64 {
        let raw = self.raw(now);
        if raw < self.last {
            self.wraps = self.wraps.wrapping_add(1);
        }
        self.last = raw;
        (u64::from(self.wraps) << 32) | u64::from(raw)
    }

    /// Sets it so that it wraps after so many milliseconds.
    pub(crate) fn wrap_after(&mut self, milliseconds: u32, now: Stamp) {
        let wanted = 0u32.wrapping_sub(milliseconds);
        self.ahead = self.ahead.wrapping_add(wanted.wrapping_sub(self.raw(now)));
        self.last = wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_where_the_counter_wraps() {
        let mut counter = Counter::default();
        let at = |seconds: u64| Stamp(seconds * 1_000_000);
        counter.wrap_after(30_000, at(5));
        let before = counter.extended(at(6));
        assert_eq!(counter.raw(at(34)), u32::MAX - 999);
        assert_eq!(counter.raw(at(36)), 1000);
        assert_eq!(counter.extended(at(36)) - before, 30_000);
        assert_eq!(counter.extended(at(3636)) - before, 3_630_000);
    }
}
