//! Effects on the bytes of a serial line or another byte stream.

use crate::{FaultError, arguments::Arguments};
use std::time::Duration;

/// The effect of a fault on a piece of bytes: what one side sends at once, such as a frame with its delimiters.
#[derive(Clone, Debug, PartialEq)]
pub enum LineEffect {
    /// Bytes from the seed come in addition; never those of flow control.
    Noise {
        /// How many.
        bytes: usize,
        /// Which bytes they may be.
        kind: NoiseKind,
        /// Inside the piece instead of in front of it.
        inside: bool,
    },
    /// Bytes are lost.
    Drop {
        /// How many.
        bytes: usize,
        /// From which on, negative from the end; `None` = from the seed, no delimiter.
        at: Option<i64>,
    },
    /// Bytes come twice.
    Duplicate {
        /// How many.
        bytes: usize,
        /// From which on, as for lost ones.
        at: Option<i64>,
    },
    /// The lowest bit of one byte is flipped.
    Flip {
        /// Which, as for lost ones.
        at: Option<i64>,
    },
    /// The bytes arrive as one reads them who listens at another rate.
    Garble {
        /// Rate they are sent at, in bits per second.
        rate: u32,
    },
    /// The bytes arrive in parts.
    Split {
        /// How many parts.
        parts: usize,
        /// Pause between two.
        pause: Duration,
    },
    /// From this piece on nothing passes in either direction.
    Silence {
        /// Ends after this time; `None` = never.
        span: Option<Duration>,
    },
}

/// What noise is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoiseKind {
    /// Any byte.
    Any,
    /// Lower-case letters, as of a console.
    Letters,
    /// Bytes of 0x80 and above, as of another rate.
    High,
}

impl LineEffect {
    /// The effect of `line.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<LineEffect>, FaultError> {
        let bytes = || -> Result<usize, FaultError> {
            let bytes = read.count_in("bytes", 1..=65_536, "must be from 1 to 65536")?;
            Ok(bytes.unwrap_or(1))
        };
        Ok(Some(match kind {
            "noise" => LineEffect::Noise {
                bytes: bytes()?,
                kind: match read.text("kind")?.as_deref() {
                    None | Some("any") => NoiseKind::Any,
                    Some("letters") => NoiseKind::Letters,
                    Some("high") => NoiseKind::High,
                    Some(_) => return Err(read.bad("kind", "any, letters or high")),
                },
                inside: read.flag("inside")?.unwrap_or(false),
            },
            "drop" => LineEffect::Drop {
                bytes: bytes()?,
                at: read.whole("at")?,
            },
            "duplicate" => LineEffect::Duplicate {
                bytes: bytes()?,
                at: read.whole("at")?,
            },
            "flip" => LineEffect::Flip {
                at: read.whole("at")?,
            },
            "garble" => LineEffect::Garble {
                rate: read
                    .count_in(
                        "rate",
                        1..=u32::MAX,
                        "must be bits per second, from 1 to 4294967295",
                    )?
                    .ok_or(read.missing("rate"))?,
            },
            "split" => LineEffect::Split {
                parts: read
                    .count_in("parts", 2..=64, "must be from 2 to 64")?
                    .unwrap_or(2),
                pause: read.span("pause")?.ok_or(read.missing("pause"))?,
            },
            "silence" => LineEffect::Silence {
                span: read.span("for")?,
            },
            _ => return Ok(None),
        }))
    }
}
