//! Effects on one connection, made on its bytes below everything that is spoken over it.

use crate::{FaultError, arguments::Arguments};
use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the cloud to the unit.
    ToUnit,
    /// From the unit to the cloud.
    ToCloud,
}

impl Direction {
    /// The word in scenarios and traces.
    pub fn name(self) -> &'static str {
        match self {
            Direction::ToUnit => "to_unit",
            Direction::ToCloud => "to_cloud",
        }
    }
}

/// One way, or both (`None`).
pub type Directions = Option<Direction>;

/// The effect of a fault on one connection. Bytes are counted from the first one after the fault came to it.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionEffect {
    /// Bytes arrive later.
    Latency {
        /// How much later.
        span: Duration,
        /// By how much the span differs at most, both ways.
        jitter: Duration,
        /// Which way.
        way: Directions,
    },
    /// Bytes arrive no faster.
    Bandwidth {
        /// Bytes per second, at least 1.
        rate: u64,
        /// Which way.
        way: Directions,
    },
    /// Bytes arrive in small writes.
    Chunk {
        /// Bytes of each write, at least 1.
        bytes: u64,
        /// Time between two writes.
        every: Duration,
        /// Which way.
        way: Directions,
    },
    /// Nothing moves any more; the connection stays open.
    Stall {
        /// Which way; both make it a black hole.
        way: Directions,
        /// Bytes that pass first.
        after_bytes: u64,
        /// Goes on after this time; `None` = never.
        span: Option<Duration>,
    },
    /// One way ends in order, what follows on it is lost; the other way goes on.
    HalfClose {
        /// Which way.
        way: Direction,
        /// Bytes that pass first.
        after_bytes: u64,
    },
    /// The connection is reset.
    Reset {
        /// Which way bytes are counted.
        way: Direction,
        /// Bytes that pass first; `None` = at once, a new connection before a byte was read.
        after_bytes: Option<u64>,
    },
    /// One bit of a byte is flipped.
    Corrupt {
        /// Which way.
        way: Direction,
        /// Which byte, from 0.
        byte: u64,
    },
    /// The connection ends in order.
    Truncate {
        /// Which way bytes are counted.
        way: Direction,
        /// Bytes that pass first.
        after_bytes: u64,
    },
}

impl ConnectionEffect {
    /// The effect of `net.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<ConnectionEffect>, FaultError> {
        let one_way = || match directions(read)? {
            None => Ok(Direction::ToUnit),
            Some(way) => way.ok_or(read.bad("direction", "to_unit or to_cloud")),
        };
        let ways = || directions(read).map(Option::flatten);
        let after = || read.count("after_bytes");
        Ok(Some(match kind {
            "latency" => ConnectionEffect::Latency {
                span: read.span("span")?.ok_or(read.missing("span"))?,
                jitter: read.span("jitter")?.unwrap_or_default(),
                way: ways()?,
            },
            "bandwidth" => ConnectionEffect::Bandwidth {
                rate: read
                    .at_least_one("bytes_per_second")?
                    .ok_or(read.missing("bytes_per_second"))?,
                way: ways()?,
            },
            "chunk" => ConnectionEffect::Chunk {
                bytes: read.at_least_one("bytes")?.unwrap_or(1),
                every: read.span("every")?.unwrap_or(BETWEEN_CHUNKS),
                way: ways()?,
            },
            "stall" => ConnectionEffect::Stall {
                way: match directions(read)? {
                    None => Some(Direction::ToUnit),
                    Some(way) => way,
                },
                after_bytes: after()?.unwrap_or(0),
                span: read.span("for")?,
            },
            "black_hole" => ConnectionEffect::Stall {
                way: None,
                after_bytes: 0,
                span: read.span("for")?,
            },
            "half_close" => ConnectionEffect::HalfClose {
                way: one_way()?,
                after_bytes: after()?.unwrap_or(0),
            },
            "reset" => ConnectionEffect::Reset {
                way: one_way()?,
                after_bytes: after()?,
            },
            "corrupt" => ConnectionEffect::Corrupt {
                way: one_way()?,
                byte: read.count("byte")?.unwrap_or(0),
            },
            "truncate" => ConnectionEffect::Truncate {
                way: one_way()?,
                after_bytes: after()?.ok_or(read.missing("after_bytes"))?,
            },
            _ => return Ok(None),
        }))
    }

    /// Whether it acts on bytes that go this way.
    pub fn concerns(&self, direction: Direction) -> bool {
        match self {
            ConnectionEffect::Latency { way, .. }
            | ConnectionEffect::Bandwidth { way, .. }
            | ConnectionEffect::Chunk { way, .. }
            | ConnectionEffect::Stall { way, .. } => way.is_none_or(|way| way == direction),
            ConnectionEffect::HalfClose { way, .. }
            | ConnectionEffect::Reset { way, .. }
            | ConnectionEffect::Corrupt { way, .. }
            | ConnectionEffect::Truncate { way, .. } => *way == direction,
        }
    }

    /// How many bytes pass before it acts; `None` if it acts on bytes rather than between two.
    pub fn threshold(&self) -> Option<u64> {
        match self {
            ConnectionEffect::Stall { after_bytes, .. }
            | ConnectionEffect::HalfClose { after_bytes, .. }
            | ConnectionEffect::Truncate { after_bytes, .. } => Some(*after_bytes),
            ConnectionEffect::Reset { after_bytes, .. } => Some(after_bytes.unwrap_or(0)),
            _ => None,
        }
    }
}

/// The direction asked for: one, both, or none named.
fn directions(read: &Arguments<'_>) -> Result<Option<Directions>, FaultError> {
    match read.text("direction")?.as_deref() {
        None => Ok(None),
        Some("to_unit") => Ok(Some(Some(Direction::ToUnit))),
        Some("to_cloud") => Ok(Some(Some(Direction::ToCloud))),
        Some("both") => Ok(Some(None)),
        Some(_) => Err(read.bad("direction", "to_unit, to_cloud or both")),
    }
}

/// Keeps writes apart where the system would join them.
const BETWEEN_CHUNKS: Duration = Duration::from_millis(1);
