//! The serial line: frames out of bytes, and the handshake.

use super::{Connection, Seen, event};
use hil_trace::{Event, Party, Record, Who};
use hil_wire::ota_rpc::uart::{Deframer, Delimiter, Event as Piece};
use serde_json::Map;

/// Both directions of a serial line.
pub(super) struct Line {
    from_unit: Deframer,
    /// As a unit reads that gets the bytes of each write at once.
    to_unit: Deframer,
    /// As a unit reads that gets them one by one: what follows a high byte in the same write is a frame to it.
    to_unit_by_byte: Deframer,
}

impl Default for Line {
    fn default() -> Self {
        Line {
            from_unit: Deframer::caller(),
            to_unit: Deframer::unit(),
            to_unit_by_byte: Deframer::unit(),
        }
    }
}

impl Connection {
    /// Events of the bytes of one read or write. How a unit's reads fall is not known: whatever it may have taken for a
    /// call is one.
    pub(super) fn bytes(&mut self, record: &Record, from: Party, bytes: &[u8]) -> Vec<Event> {
        let pieces = match from {
            Party::Unit => self.line.from_unit.push(bytes),
            _ => {
                let mut pieces = self.line.to_unit.push_read(bytes);
                for piece in self.line.to_unit_by_byte.push(bytes) {
                    if !pieces.contains(&piece) {
                        pieces.push(piece);
                    }
                }
                pieces
            }
        };
        let mut events = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Frame(frame) => {
                    let seen = Seen::Serial {
                        crc: frame.crc,
                        quotes: frame.delimiter == Delimiter::Quotes,
                    };
                    events.extend(self.message(record, from, &frame.json, seen));
                }
                Piece::Eot(_) if from == Party::Unit => {
                    events.push(event(record, Who::Unit, "handshake", Map::new()));
                }
                _ => {}
            }
        }
        events
    }
}
