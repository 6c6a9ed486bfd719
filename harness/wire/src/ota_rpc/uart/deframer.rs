//! Cuts a byte stream into frames, on either side of the serial line.

use super::piece::{Delimiter, DiscardReason, Event, FlowControl, classify};

/// Whose rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The unit receives: junk before `{` is skipped, a high byte empties the buffer, metadata shorter
    /// than eight characters is not checked.
    Unit,
    /// The caller receives: a frame begins directly behind a delimiter, all else is console output, high
    /// bytes are noise of another baud rate, any metadata has to be a checksum.
    Caller,
}

/// A streaming receiver. Bytes go in, [`Event`]s come out.
#[derive(Clone, Debug)]
pub struct Deframer {
    side: Side,
    max_frame_size: usize,
    buffer: Vec<u8>,
    /// The bytes of the buffer before this one hold no complete delimiter.
    searched: usize,
    after_delimiter: bool,
}

/// Default of `rpc.max_frame_size`, in bytes.
pub const MAX_FRAME_SIZE: usize = 4096;

impl Deframer {
    /// A unit's receiver with the default frame size.
    pub fn unit() -> Self {
        Deframer::new(Side::Unit, MAX_FRAME_SIZE)
    }

    /// A caller's receiver. It allows long console lines.
    pub fn caller() -> Self {
        Deframer::new(Side::Caller, 64 * 1024)
    }

    /// A receiver; more than `max_frame_size` + 6 bytes without a delimiter are discarded.
    pub fn new(side: Side, max_frame_size: usize) -> Self {
        Deframer {
            side,
            max_frame_size,
            buffer: Vec::new(),
            searched: 0,
            after_delimiter: false,
        }
    }

    /// Takes bytes one after another; how they were split into reads makes no difference.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            self.take(&[byte], &mut events);
        }
        events
    }

    /// Takes the bytes of one read as the upstream unit does. The quotes are looked for first in all that
    /// is there, then the line feed; a high byte discards what came before and after it in the same read.
    pub fn push_read(&mut self, read: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        self.take(read, &mut events);
        events
    }

    /// Bytes waiting for a delimiter.
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Forgets everything, as after a restart.
    pub fn reset(&mut self) {
        *self = Deframer::new(self.side, self.max_frame_size);
    }

    fn take(&mut self, read: &[u8], events: &mut Vec<Event>) {
        let mut high_byte = false;
        for &byte in read {
            match byte {
                0x11 => events.push(Event::FlowControl(FlowControl::Xon)),
                0x13 => events.push(Event::FlowControl(FlowControl::Xoff)),
                _ => {
                    high_byte |= byte >= 0x80;
                    self.buffer.push(byte);
                }
            }
        }
        if high_byte && self.side == Side::Unit {
            self.discard(DiscardReason::HighByte, events);
            return;
        }
        while let Some((at, delimiter)) = self.find_delimiter() {
            let length = match delimiter {
                Delimiter::Quotes => QUOTES.len(),
                Delimiter::Line => 1,
            };
            let piece = &self.buffer[..at];
            events.push(classify(self.side, piece, delimiter, self.after_delimiter));
            self.buffer.drain(..at + length);
            self.searched = 0;
            self.after_delimiter = true;
        }
        self.searched = self.buffer.len().saturating_sub(QUOTES.len() - 1);
        if self.buffer.len() > self.max_frame_size + 6 {
            self.discard(DiscardReason::Oversize, events);
        }
    }

    fn find_delimiter(&self) -> Option<(usize, Delimiter)> {
        let fresh = &self.buffer[self.searched..];
        let quotes = fresh.windows(QUOTES.len()).position(|window| window == QUOTES);
        if let Some(at) = quotes {
            return Some((self.searched + at, Delimiter::Quotes));
        }
        let line = fresh.iter().position(|&b| b == b'\n');
        line.map(|at| (self.searched + at, Delimiter::Line))
    }

    fn discard(&mut self, reason: DiscardReason, events: &mut Vec<Event>) {
        events.push(Event::Discarded {
            bytes: self.buffer.len(),
            reason,
        });
        self.buffer.clear();
        self.searched = 0;
        self.after_delimiter = false;
    }
}

const QUOTES: &[u8] = b"\"\"\"";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ota_rpc::uart::{Crc, mos_frame};

    fn frames(events: &[Event]) -> Vec<(&[u8], Crc)> {
        events
            .iter()
            .filter_map(|event| match event {
                Event::Frame(frame) => Some((&frame.json[..], frame.crc)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn an_overlong_line_is_discarded_and_the_next_one_read() {
        let mut deframer = Deframer::unit();
        let mut bytes = vec![b'x'; 5000];
        bytes.extend_from_slice(b"\n{}\n");
        let events = deframer.push(&bytes);
        assert_eq!(
            events[0],
            Event::Discarded {
                bytes: 4103,
                reason: DiscardReason::Oversize
            }
        );
        assert_eq!(frames(&events), [(&b"{}"[..], Crc::Absent)]);
    }

    #[test]
    fn a_high_byte_empties_a_units_buffer_but_not_a_callers() {
        let mut unit = Deframer::unit();
        assert_eq!(
            unit.push_read(b"{\"id\":1\xff}\n"),
            [Event::Discarded {
                bytes: 10,
                reason: DiscardReason::HighByte
            }]
        );
        assert_eq!(frames(&unit.push_read(b"{}\n")), [(&b"{}"[..], Crc::Absent)]);
        let events = Deframer::caller().push(b"\xff\x80noise\n{}\n");
        assert_eq!(frames(&events), [(&b"{}"[..], Crc::Absent)]);
    }

    #[test]
    fn quotes_go_first_within_one_read() {
        let split_frame = b"\"\"\"{\n\"id\":1\n}\"\"\"\n";
        let events = Deframer::unit().push_read(split_frame);
        assert_eq!(frames(&events), [(&b"{\n\"id\":1\n}"[..], Crc::Absent)]);
        assert!(frames(&Deframer::unit().push(split_frame)).is_empty());
    }

    #[test]
    fn a_caller_takes_no_frame_out_of_a_console_line() {
        let events = Deframer::caller().push(b"{}\nstate {} ok\n{} trailing\n");
        assert!(matches!(&events[0], Event::Junk { bytes, .. } if bytes == b"{}"));
        assert!(matches!(&events[1], Event::Junk { .. }));
        assert!(matches!(&events[2], Event::Frame(frame) if !frame.crc.is_acceptable()));
    }

    #[test]
    fn the_check_differs_by_side() {
        let short = b"\n{}1234\n";
        assert_eq!(frames(&Deframer::unit().push(short)), [(&b"{}"[..], Crc::Absent)]);
        assert!(!frames(&Deframer::caller().push(short))[0].1.is_acceptable());
        let framed = mos_frame(b"{}");
        for side in [Side::Unit, Side::Caller] {
            let mut deframer = Deframer::new(side, MAX_FRAME_SIZE);
            assert_eq!(frames(&deframer.push(&framed)), [(&b"{}"[..], Crc::Valid)]);
        }
    }
}
