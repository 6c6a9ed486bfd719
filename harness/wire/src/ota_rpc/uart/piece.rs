//! What a receiver finds between two delimiters.

use super::{
    checksum::{Crc, check_as_caller, check_as_unit},
    deframer::Side,
};

/// What ended a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delimiter {
    /// A line feed.
    Line,
    /// Three double quotes, the older delimiter; a unit that has seen one uses it from then on.
    Quotes,
}

/// Why bytes were thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiscardReason {
    /// A byte of 0x80 or above.
    HighByte,
    /// More bytes without a delimiter than a frame may have.
    Oversize,
}

/// A flow control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowControl {
    /// 0x11: go on.
    Xon,
    /// 0x13: stop.
    Xoff,
}

/// A frame as it came over the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialFrame {
    /// The bytes from the first `{` to the last `}`.
    pub json: Vec<u8>,
    /// Whether the checksum fits.
    pub crc: Crc,
    /// What ended the frame.
    pub delimiter: Delimiter,
    /// Bytes before the first `{`.
    pub junk: Vec<u8>,
    /// Bytes behind the last `}`, without trailing white space.
    pub metadata: Vec<u8>,
}

/// One thing a receiver noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A frame; one with a wrong checksum has to be dropped.
    Frame(SerialFrame),
    /// A frame that is the single byte 0x04.
    Eot(Delimiter),
    /// Nothing but white space before the delimiter.
    Empty(Delimiter),
    /// Something that is no frame: console output, noise, a damaged frame.
    Junk {
        /// The bytes, without the delimiter.
        bytes: Vec<u8>,
        /// What ended them.
        delimiter: Delimiter,
    },
    /// The receiver threw its buffer away.
    Discarded {
        /// How many bytes.
        bytes: usize,
        /// Why.
        reason: DiscardReason,
    },
    /// A flow control byte, taken out of the stream.
    FlowControl(FlowControl),
}

/// Tells what the bytes before a delimiter are.
pub(super) fn classify(side: Side, bytes: &[u8], delimiter: Delimiter, after_delimiter: bool) -> Event {
    let trimmed = bytes.trim_ascii();
    if trimmed.is_empty() {
        return Event::Empty(delimiter);
    }
    let frame = match side {
        Side::Unit => {
            if trimmed == [EOT] {
                return Event::Eot(delimiter);
            }
            take_apart(bytes, delimiter, check_as_unit)
        }
        Side::Caller => {
            if after_delimiter && trimmed == [EOT] && bytes[0] == EOT {
                return Event::Eot(delimiter);
            }
            (after_delimiter && bytes[0] == b'{')
                .then(|| take_apart(bytes, delimiter, check_as_caller))
                .flatten()
        }
    };
    match frame {
        Some(frame) => Event::Frame(frame),
        None => Event::Junk {
            bytes: bytes.to_vec(),
            delimiter,
        },
    }
}

fn take_apart(bytes: &[u8], delimiter: Delimiter, check: fn(&[u8], &[u8]) -> Crc) -> Option<SerialFrame> {
    let first = bytes.iter().position(|&b| b == b'{')?;
    let last = bytes.iter().rposition(|&b| b == b'}')?;
    if last < first {
        return None;
    }
    let json = &bytes[first..=last];
    let metadata = bytes[last + 1..].trim_ascii_end();
    Some(SerialFrame {
        json: json.to_vec(),
        crc: check(json, metadata),
        delimiter,
        junk: bytes[..first].to_vec(),
        metadata: metadata.to_vec(),
    })
}

const EOT: u8 = 0x04;
