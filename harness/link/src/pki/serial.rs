//! Serial numbers: a sequence that follows from the seed.

use std::{cell::Cell, fmt};

/// Serial number of a certificate: 1 to 20 bytes, big-endian, positive.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// From big-endian bytes; none if they are not 1 to 20 bytes without leading zeros, or would need a 21st for the
    /// sign.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let room = if first >= 0x80 { 19 } else { 20 };
        (first != 0 && bytes.len() <= room).then(|| Serial(bytes.to_vec()))
    }

    /// Big-endian bytes without leading zeros.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As rcgen takes it.
    pub(super) fn number(&self) -> rcgen::SerialNumber {
        rcgen::SerialNumber::from_slice(&self.0)
    }
}

/// Lower-case hex, as in [`hil_trace::CertificateFacts`].
impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The serial numbers of one authority in order.
#[derive(Debug)]
pub(super) struct SerialSequence {
    seed: u64,
    count: Cell<u64>,
}

impl SerialSequence {
    /// The sequence of a seed.
    pub(super) fn new(seed: u64) -> Self {
        SerialSequence {
            seed,
            count: Cell::new(0),
        }
    }

    /// The next one: eight bytes, the first between 0x40 and 0x7f, so that every way of writing it is equally long.
    pub(super) fn next(&self) -> Serial {
        let count = self.count.get();
        self.count.set(count.wrapping_add(1));
        let number = mix(self.seed ^ mix(count));
        Serial((number & !(1 << 63) | 1 << 62).to_be_bytes().to_vec())
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads neighbours apart.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_gives_the_same_numbers_and_no_number_twice() {
        let (one, other) = (SerialSequence::new(7), SerialSequence::new(7));
        let numbers: BTreeSet<String> = (0..1000)
            .map(|_| {
                let serial = one.next();
                assert_eq!(serial, other.next());
                assert_eq!(serial.to_string().len(), 16);
                assert!((0x40..0x80).contains(&serial.bytes()[0]));
                serial.to_string()
            })
            .collect();
        assert_eq!(numbers.len(), 1000);
        assert_ne!(SerialSequence::new(8).next(), SerialSequence::new(7).next());
    }

    #[test]
    fn given_numbers_are_checked() {
        assert!(Serial::from_bytes(&[]).is_none());
        assert!(Serial::from_bytes(&[0, 1]).is_none());
        assert!(Serial::from_bytes(&[0x80; 20]).is_none());
        assert_eq!(Serial::from_bytes(&[0xec, 0x0a]).unwrap().to_string(), "ec0a");
    }
}
