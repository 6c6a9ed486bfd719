//! WebSocket frames on the wire (RFC 6455 section 5.2). Nothing is judged here but what makes parsing impossible.

use crate::Frame;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Why bytes are no frame a unit can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// An extension nobody agreed on.
    #[error("reserved bits are set")]
    ReservedBits,
    /// Longer than [`PAYLOAD_LIMIT`].
    #[error("a frame of {0} bytes")]
    TooLong(u64),
}

/// Takes one frame from the front of a buffer; `None` if more bytes are needed. Masked and unmasked frames are read
/// alike.
pub(crate) fn decode(buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let [first, second, ..] = **buffer else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(FrameError::ReservedBits);
    }
    let (extended, short) = match second & 0x7f {
        126 => (2, None),
        127 => (8, None),
        short => (0, Some(u64::from(short))),
    };
    let masked = second & 0x80 != 0;
    let header = 2 + extended + if masked { 4 } else { 0 };
    if buffer.len() < header {
        return Ok(None);
    }
    let length = short.unwrap_or_else(|| (&buffer[2..]).get_uint(extended));
    if length > PAYLOAD_LIMIT {
        return Err(FrameError::TooLong(length));
    }
    let length = length as usize;
    if buffer.len() < header + length {
        buffer.reserve(header + length - buffer.len());
        return Ok(None);
    }
    let mut mask = [0; 4];
    if masked {
        mask.copy_from_slice(&buffer[header - 4..header]);
    }
    buffer.advance(header);
    let mut payload = buffer.split_to(length);
    apply_mask(&mut payload, mask);
    Ok(Some(Frame {
        opcode: first & 0x0f,
        fin: first & 0x80 != 0,
        payload: payload.freeze(),
    }))
}

/// The bytes of one frame, masked if a mask is given.
pub(crate) fn encode(frame: &Frame, mask: Option<[u8; 4]>) -> Bytes {
    let mut bytes = BytesMut::with_capacity(frame.payload.len() + 14);
    bytes.put_u8(u8::from(frame.fin) << 7 | frame.opcode & 0x0f);
    let bit = if mask.is_some() { 0x80 } else { 0 };
    match frame.payload.len() {
        length @ 0..=125 => bytes.put_u8(bit | length as u8),
        length @ 126..=0xffff => {
            bytes.put_u8(bit | 126);
            bytes.put_u16(length as u16);
        }
        length => {
            bytes.put_u8(bit | 127);
            bytes.put_u64(length as u64);
        }
    }
    let mask = mask.inspect(|mask| bytes.put_slice(mask));
    let start = bytes.len();
    bytes.put_slice(&frame.payload);
    apply_mask(&mut bytes[start..], mask.unwrap_or_default());
    bytes.freeze()
}

fn apply_mask(payload: &mut [u8], mask: [u8; 4]) {
    if mask != [0; 4] {
        for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= key;
        }
    }
}

/// Longest payload a unit reads.
pub(crate) const PAYLOAD_LIMIT: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_waits_for_the_rest() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let frame = Frame::new(2, vec![7; length]);
                let bytes = encode(&frame, mask);
                let mut part = BytesMut::from(&bytes[..bytes.len() - 1]);
                assert_eq!(decode(&mut part), Ok(None));
                let mut whole = BytesMut::from(&bytes[..]);
                whole.put_u8(0x8a);
                assert_eq!(decode(&mut whole), Ok(Some(frame)));
                assert_eq!(whole.len(), 1);
            }
        }
    }

    #[test]
    fn refuses_what_cannot_be_read() {
        assert_eq!(
            decode(&mut BytesMut::from(&[0xc2, 0][..])),
            Err(FrameError::ReservedBits)
        );
        let long = [&[0x82, 127][..], &u64::MAX.to_be_bytes()].concat();
        assert_eq!(
            decode(&mut BytesMut::from(&long[..])),
            Err(FrameError::TooLong(u64::MAX))
        );
    }

    #[test]
    fn matches_the_examples_of_the_standard() {
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let frame = Frame::new(1, "Hello");
        assert_eq!(encode(&frame, Some([0x37, 0xfa, 0x21, 0x3d])), masked[..]);
        assert_eq!(decode(&mut BytesMut::from(&masked[..])), Ok(Some(frame)));
    }
}
