//! A receiver that listens at another rate than the sender's: start bit, eight data bits from the lowest on, stop bit.

/// The bytes as they are read at one rate when sent at another, both in bits per second. A byte whose stop bit is
/// missing counts as read, as with most receivers; the next one begins after the line has been idle again.
pub(super) fn heard(bytes: &[u8], sent_at: u32, read_at: u32) -> Vec<u8> {
    let wire: Vec<bool> = bytes.iter().flat_map(|byte| character(*byte)).collect();
    // Times are in steps of the receiver, 16 to a bit.
    let per_bit = f64::from(read_at) / f64::from(sent_at) * f64::from(STEPS);
    let level = |step: u64| {
        wire.get((step as f64 / per_bit) as usize)
            .copied()
            .unwrap_or(true)
    };
    let end = (wire.len() as f64 * per_bit) as u64;
    // The first step at which the next bit is on the wire.
    let next_bit = |step: u64| {
        let next = (step as f64 / per_bit).floor() + 1.0;
        ((next * per_bit).ceil() as u64).max(step + 1)
    };
    let (mut heard, mut step, mut idle) = (Vec::new(), 0, true);
    while step < end {
        if level(step) {
            idle = true;
        } else if idle && !level(step + HALF) {
            let bits = (0..8).map(|bit| u8::from(level(step + HALF + (bit + 1) * u64::from(STEPS))) << bit);
            heard.push(bits.fold(0, |byte, bit| byte | bit));
            step += HALF + 9 * u64::from(STEPS);
            idle = level(step);
            continue;
        }
        step = next_bit(step);
    }
    heard
}

fn character(byte: u8) -> impl Iterator<Item = bool> {
    let data = (0..8).map(move |bit| byte >> bit & 1 == 1);
    std::iter::once(false).chain(data).chain(std::iter::once(true))
}

const STEPS: u32 = 16;
const HALF: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rates_change_nothing() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(heard(&all, 115_200, 115_200), all);
        // Two percent off is still understood.
        assert_eq!(heard(&all, 115_200, 117_500), all);
    }

    #[test]
    fn half_the_rate_doubles_every_bit() {
        // "U" is 0101… on the wire: at half the rate each level is seen twice, and its end is one more bit.
        assert_eq!(heard(b"U", 57_600, 115_200), [0x66, 0xe6]);
        let frame = b"{\"method\":\"OTA.Commit\"}\n";
        let garbage = heard(frame, 74_880, 115_200);
        assert!(!garbage.is_empty() && garbage != frame, "{garbage:x?}");
    }

    #[test]
    fn rates_far_apart_take_no_longer() {
        let bytes = vec![0x55; 65_536];
        // Each level of the slow sender is a character of its own: five low ones in each byte.
        assert_eq!(heard(&bytes, 1, u32::MAX).len(), 5 * bytes.len());
        assert!(heard(&bytes, u32::MAX, 1).len() <= 1);
    }
}
