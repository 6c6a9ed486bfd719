//! The serial line: frames out of bytes, and the handshake.

use super::{Connection, Seen, event};
use hil_trace::{Event, Party, Record, Who};
use hil_wire::ota_rpc::uart::{Deframer, Delimiter, Event as Piece};
use serde_json::Map;

/// Both directions of a serial line.
pub(super) struct Line {
    from_unit: Deframer,
    to_unit: Deframer,
}

impl Default for Line {
    fn default() -> Self {
        Line {
            from_unit: Deframer::caller(),
            to_unit: Deframer::unit(),
        }
    }
}

impl Connection {
    /// Events of the bytes of one read or write.
    pub(super) fn bytes(&mut self, record: &Record, from: Party, bytes: &[u8]) -> Vec<Event> {
        let pieces = match from {
            Party::Unit => self.line.from_unit.push(bytes),
            _ => self.line.to_unit.push_read(bytes),
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
