//! The serial transport: frames between delimiters, with an optional checksum (reference section 2.1).

mod checksum;
mod deframer;
mod encoder;
mod piece;

pub use checksum::{Crc, crc_text, crc32};
pub use deframer::{Deframer, MAX_FRAME_SIZE, Side};
pub use encoder::{EOT_REPLY, HANDSHAKE, HANDSHAKE_ACK, UnitEncoder, caller_line, mos_frame};
pub use piece::{Delimiter, DiscardReason, Event, FlowControl, SerialFrame};
