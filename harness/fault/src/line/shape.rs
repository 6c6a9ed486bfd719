//! The parts a piece of bytes arrives in, after a fault.

use super::rate;
use crate::{LineEffect, NoiseKind};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::{ops::Range, time::Duration};

/// Bytes that arrive together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePart {
    /// How long after the part before.
    pub pause: Duration,
    /// The bytes; may be none.
    pub bytes: Vec<u8>,
}

impl LinePart {
    /// Bytes nothing happens to.
    pub fn whole(bytes: &[u8]) -> Self {
        LinePart {
            pause: Duration::ZERO,
            bytes: bytes.to_vec(),
        }
    }
}

impl LineEffect {
    /// What becomes of bytes on a line of this rate (bits per second); nothing where the line is silent. `draw`, from
    /// the seed, decides what the fault leaves open.
    pub fn shape(&self, bytes: &[u8], rate: u32, draw: u64) -> Vec<LinePart> {
        let random = &mut SmallRng::seed_from_u64(draw);
        let whole = match self {
            LineEffect::Noise {
                bytes: count,
                kind,
                inside,
            } => {
                let noise: Vec<u8> = (0..*count).map(|_| noise(*kind, random)).collect();
                let at = if *inside {
                    place(bytes, None, 1, random).start
                } else {
                    0
                };
                [&bytes[..at], &noise, &bytes[at..]].concat()
            }
            LineEffect::Drop { bytes: count, at } => {
                let lost = place(bytes, *at, *count, random);
                [&bytes[..lost.start], &bytes[lost.end..]].concat()
            }
            LineEffect::Duplicate { bytes: count, at } => {
                let twice = place(bytes, *at, *count, random);
                [&bytes[..twice.end], &bytes[twice.start..]].concat()
            }
            LineEffect::Flip { at } => {
                let place = place(bytes, *at, 1, random);
                let mut flipped = bytes.to_vec();
                flipped[place].iter_mut().for_each(|byte| *byte ^= 1);
                flipped
            }
            LineEffect::Garble { rate: sent_at } => rate::heard(bytes, *sent_at, rate),
            LineEffect::Split { parts, pause } => {
                let size = bytes.len().div_ceil(*parts).max(1);
                let parts = bytes.chunks(size).enumerate();
                return parts
                    .map(|(index, part)| LinePart {
                        pause: if index == 0 { Duration::ZERO } else { *pause },
                        bytes: part.to_vec(),
                    })
                    .collect();
            }
            LineEffect::Silence { .. } => return Vec::new(),
        };
        vec![LinePart::whole(&whole)]
    }
}

/// Where `count` bytes are struck: from `at` on, or somewhere between the delimiters.
fn place(bytes: &[u8], at: Option<i64>, count: usize, random: &mut SmallRng) -> Range<usize> {
    let is_inner = |byte: &u8| !matches!(byte, b'\n' | b'\r' | b'"');
    let first = bytes.iter().position(is_inner).unwrap_or(0);
    let last = bytes
        .iter()
        .rposition(is_inner)
        .map_or(bytes.len(), |last| last + 1);
    let start = match at {
        Some(at) if at < 0 => bytes.len() as i64 + at,
        Some(at) => at,
        None => {
            random.random_range(first..last.saturating_sub(count.min(last - first)).max(first) + 1) as i64
        }
    };
    let start = usize::try_from(start).unwrap_or(0).min(bytes.len());
    start..start.saturating_add(count).min(bytes.len())
}

fn noise(kind: NoiseKind, random: &mut SmallRng) -> u8 {
    loop {
        let byte = match kind {
            NoiseKind::Any => random.random(),
            NoiseKind::Letters => random.random_range(b'a'..=b'z'),
            NoiseKind::High => random.random_range(0x80..=0xff),
        };
        if !matches!(byte, XON | XOFF) {
            return byte;
        }
    }
}

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &[u8] = b"\n\"\"\"{\"id\":1}a3a6bf43\"\"\"\n";

    fn whole(effect: &LineEffect, draw: u64) -> Vec<u8> {
        let parts = effect.shape(FRAME, 115_200, draw);
        parts.into_iter().flat_map(|part| part.bytes).collect()
    }

    #[test]
    fn every_effect_changes_what_it_says_and_the_seed_decides_where() {
        let at = |at| Some(at);
        assert_eq!(
            whole(&LineEffect::Drop { bytes: 2, at: at(1) }, 0),
            b"\n\"{\"id\":1}a3a6bf43\"\"\"\n"
        );
        assert_eq!(
            whole(&LineEffect::Drop { bytes: 9, at: at(-1) }, 0),
            FRAME[..FRAME.len() - 1]
        );
        assert_eq!(
            whole(&LineEffect::Duplicate { bytes: 1, at: at(4) }, 0),
            b"\n\"\"\"{{\"id\":1}a3a6bf43\"\"\"\n"
        );
        assert_eq!(
            whole(&LineEffect::Flip { at: at(4) }, 0),
            b"\n\"\"\"z\"id\":1}a3a6bf43\"\"\"\n"
        );
        for draw in 0..200 {
            let dropped = whole(&LineEffect::Drop { bytes: 3, at: None }, draw);
            assert!(
                dropped.len() == FRAME.len() - 3 && dropped.ends_with(b"\n"),
                "{draw}"
            );
            let flipped = whole(&LineEffect::Flip { at: None }, draw);
            assert!(flipped != FRAME && flipped.starts_with(b"\n\"\"\"") && flipped.ends_with(b"\"\"\"\n"));
            let noisy = whole(
                &LineEffect::Noise {
                    bytes: 30,
                    kind: NoiseKind::Any,
                    inside: false,
                },
                draw,
            );
            assert!(noisy.ends_with(FRAME) && !noisy[..30].iter().any(|byte| matches!(*byte, XON | XOFF)));
            assert_eq!(flipped, whole(&LineEffect::Flip { at: None }, draw));
        }
    }

    #[test]
    fn a_split_piece_arrives_whole_but_in_parts() {
        let pause = Duration::from_millis(40);
        let parts = LineEffect::Split { parts: 3, pause }.shape(FRAME, 115_200, 1);
        let pauses: Vec<Duration> = parts.iter().map(|part| part.pause).collect();
        assert_eq!(pauses, [Duration::ZERO, pause, pause]);
        assert_eq!(
            parts.into_iter().flat_map(|part| part.bytes).collect::<Vec<u8>>(),
            FRAME
        );
    }

    #[test]
    fn even_no_bytes_can_be_struck() {
        for effect in [
            LineEffect::Drop { bytes: 1, at: None },
            LineEffect::Flip { at: None },
            LineEffect::Flip { at: Some(7) },
            LineEffect::Garble { rate: 9600 },
        ] {
            assert!(
                effect
                    .shape(b"", 115_200, 3)
                    .iter()
                    .all(|part| part.bytes.is_empty())
            );
        }
    }
}
