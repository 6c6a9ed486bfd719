//! Writes frames to the serial line: the unit with its two sticky switches, the caller plainly or like `mos`.

use super::{
    checksum::{Crc, crc_text},
    piece::{Delimiter, Event},
};

/// What `mos` sends until it is answered: EOT between quotes and two line feeds.
pub const HANDSHAKE: [u8; 9] = *b"\"\"\"\x04\"\"\"\n\n";
/// What `mos` sends once when the unit has answered.
pub const HANDSHAKE_ACK: [u8; 3] = *b"\"\"\"";
/// The unit's answer to the EOT frame, without delay.
pub const EOT_REPLY: [u8; 7] = *b"\"\"\"\x04\"\"\"";

/// The sending half of a unit. Both switches are off after a restart and stay on once set: checksums after
/// the first frame with a valid one, quotes after the first quotes received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitEncoder {
    checksums: bool,
    quotes: bool,
    queued: Vec<u8>,
}

impl UnitEncoder {
    /// The state after a restart.
    pub fn new() -> Self {
        UnitEncoder::default()
    }

    /// True once every frame gets a checksum.
    pub fn checksums(&self) -> bool {
        self.checksums
    }

    /// True once every frame is put between quotes.
    pub fn quotes(&self) -> bool {
        self.quotes
    }

    /// Sets the switches by what the deframer saw in one read, and returns what has to be sent at once.
    /// The line feed that answers an empty frame waits for the next thing sent.
    pub fn observe(&mut self, events: &[Event]) -> Vec<u8> {
        let mut send_now = false;
        for event in events {
            let delimiter = match event {
                Event::Frame(frame) => {
                    self.checksums |= frame.crc == Crc::Valid;
                    frame.delimiter
                }
                Event::Eot(delimiter) => {
                    self.queued.extend_from_slice(&EOT_REPLY);
                    send_now = true;
                    *delimiter
                }
                Event::Empty(delimiter) => {
                    self.queued.push(b'\n');
                    *delimiter
                }
                Event::Junk { delimiter, .. } => *delimiter,
                Event::Discarded { .. } | Event::FlowControl(_) => continue,
            };
            self.quotes |= delimiter == Delimiter::Quotes;
        }
        if send_now {
            std::mem::take(&mut self.queued)
        } else {
            Vec::new()
        }
    }

    /// The bytes of one frame, behind whatever was queued. `json` must be ASCII.
    pub fn frame(&mut self, json: &[u8]) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.queued);
        let quotes: &[u8] = if self.quotes { b"\"\"\"" } else { b"" };
        bytes.push(b'\n');
        bytes.extend_from_slice(quotes);
        bytes.extend_from_slice(json);
        if self.checksums {
            bytes.extend_from_slice(crc_text(json).as_bytes());
        }
        bytes.extend_from_slice(quotes);
        bytes.push(b'\n');
        bytes
    }
}

/// The least a caller has to send: the frame on a line of its own, with or without checksum.
pub fn caller_line(json: &[u8], checksum: bool) -> Vec<u8> {
    let mut bytes = json.to_vec();
    if checksum {
        bytes.extend_from_slice(crc_text(json).as_bytes());
    }
    bytes.push(b'\n');
    bytes
}

/// A request as `mos` sends it: both delimiters and a checksum.
pub fn mos_frame(json: &[u8]) -> Vec<u8> {
    let mut bytes = b"\n\"\"\"".to_vec();
    bytes.extend_from_slice(json);
    bytes.extend_from_slice(crc_text(json).as_bytes());
    bytes.extend_from_slice(b"\"\"\"\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ota_rpc::uart::Deframer;

    #[test]
    fn the_handshake_is_answered_at_once() {
        let mut deframer = Deframer::unit();
        let mut encoder = UnitEncoder::new();
        let answer = encoder.observe(&deframer.push(&HANDSHAKE));
        assert_eq!(answer, b"\n\"\"\"\x04\"\"\"\n\n");
        assert!(encoder.quotes() && !encoder.checksums());
        let seen = Deframer::caller().push(&answer);
        assert!(seen.contains(&Event::Eot(Delimiter::Quotes)));
    }

    #[test]
    fn switches_stay_on() {
        let mut deframer = Deframer::unit();
        let mut encoder = UnitEncoder::new();
        assert_eq!(encoder.frame(b"{}"), b"\n{}\n");
        encoder.observe(&deframer.push(&caller_line(b"{}", true)));
        assert_eq!(encoder.frame(b"{}"), b"\n{}a3a6bf43\n");
        encoder.observe(&deframer.push(&caller_line(b"{}", false)));
        assert!(encoder.checksums());
        assert_eq!(encoder.observe(&deframer.push(b"\n")), b"");
        assert_eq!(encoder.frame(b"{}")[..2], *b"\n\n");
    }
}
