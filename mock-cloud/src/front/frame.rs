//! WebSocket frames (RFC 6455 section 5.2) between bytes and values, one by one, so that the trace shows fragments
//! and control frames as they were. Pure; [`super::websocket`] moves the bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Which end of the connection we are: clients mask what they send, servers must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The unit connected to us.
    Server,
    /// We connected to the unit.
    Client,
}

/// One frame, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub(crate) opcode: u8,
    /// Last fragment of its message.
    pub(crate) fin: bool,
    /// The payload.
    pub(crate) payload: Bytes,
}

/// Why bytes are no acceptable frame; [`FrameError::close_code`] says how to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// A reserved bit is set though no extension was agreed on.
    #[error("a reserved bit is set")]
    Reserved,
    /// An opcode RFC 6455 does not know.
    #[error("unknown opcode {0}")]
    Opcode(u8),
    /// A frame of a client without a mask, or of a server with one.
    #[error("the mask is wrong for this direction")]
    Mask,
    /// A control frame with more than 125 bytes or without FIN.
    #[error("a control frame is fragmented or too long")]
    Control,
    /// A continuation without a beginning, or a beginning inside a message.
    #[error("fragments are out of order")]
    Order,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// More than the limit.
    #[error("the message is too big")]
    TooBig,
}

impl FrameError {
    /// The close code that answers it.
    pub(crate) fn close_code(self) -> u16 {
        match self {
            FrameError::Text => 1007,
            FrameError::TooBig => 1009,
            _ => 1002,
        }
    }
}

impl Frame {
    /// A close frame with a code.
    pub(crate) fn close(code: u16) -> Self {
        Frame {
            opcode: CLOSE,
            fin: true,
            payload: Bytes::copy_from_slice(&code.to_be_bytes()),
        }
    }

    /// A frame that is a whole message or a control frame.
    pub(crate) fn whole(opcode: u8, payload: Bytes) -> Self {
        Frame {
            opcode,
            fin: true,
            payload,
        }
    }

    /// Takes the next frame out of what was read; `None` until it is complete. At most `limit` bytes of payload.
    pub(crate) fn take(buffer: &mut BytesMut, role: Role, limit: usize) -> Result<Option<Frame>, FrameError> {
        let [first, second, ..] = **buffer else {
            return Ok(None);
        };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        let (masked, short) = (second & 0x80 != 0, usize::from(second & 0x7f));
        if first & 0x70 != 0 {
            return Err(FrameError::Reserved);
        }
        if !matches!(opcode, 0..=2 | CLOSE..=PONG) {
            return Err(FrameError::Opcode(opcode));
        }
        if masked != (role == Role::Server) {
            return Err(FrameError::Mask);
        }
        if opcode >= CLOSE && (!fin || short > 125) {
            return Err(FrameError::Control);
        }
        let length_bytes = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let head = 2 + length_bytes + if masked { 4 } else { 0 };
        if buffer.len() < head {
            return Ok(None);
        }
        let length = match length_bytes {
            0 => short,
            _ => buffer[2..2 + length_bytes].iter().fold(0_usize, |sum, byte| {
                sum.saturating_mul(256).saturating_add(usize::from(*byte))
            }),
        };
        if length > limit {
            return Err(FrameError::TooBig);
        }
        if buffer.len() - head < length {
            buffer.reserve(head + length - buffer.len());
            return Ok(None);
        }
        let mut mask = [0; 4];
        if masked {
            mask.copy_from_slice(&buffer[head - 4..head]);
        }
        buffer.advance(head);
        let mut payload = buffer.split_to(length);
        apply(mask, &mut payload);
        Ok(Some(Frame {
            opcode,
            fin,
            payload: payload.freeze(),
        }))
    }

    /// Appends the frame; a client's is masked.
    pub(crate) fn put(&self, mask: Option<[u8; 4]>, out: &mut BytesMut) {
        out.reserve(self.payload.len() + 14);
        out.put_u8(u8::from(self.fin) << 7 | self.opcode);
        let flag = u8::from(mask.is_some()) << 7;
        match self.payload.len() {
            length @ 0..=125 => out.put_u8(flag | length as u8),
            length @ 126..=0xffff => {
                out.put_u8(flag | 126);
                out.put_u16(length as u16);
            }
            length => {
                out.put_u8(flag | 127);
                out.put_u64(length as u64);
            }
        }
        let mask = mask.inspect(|mask| out.put_slice(mask)).unwrap_or_default();
        let start = out.len();
        out.put_slice(&self.payload);
        apply(mask, &mut out[start..]);
    }
}

/// Joins fragments into messages.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    opcode: u8,
    fragments: BytesMut,
}

impl Assembler {
    /// Takes a frame; returns opcode and payload of the message it completes. Control frames are complete at once.
    pub(crate) fn take(&mut self, frame: Frame, limit: usize) -> Result<Option<(u8, Bytes)>, FrameError> {
        if frame.opcode >= CLOSE {
            return Ok(Some((frame.opcode, frame.payload)));
        }
        let inside = self.opcode != 0;
        if inside == (frame.opcode != 0) {
            return Err(FrameError::Order);
        }
        let (opcode, payload) = if !inside && frame.fin {
            (frame.opcode, frame.payload)
        } else {
            if self.fragments.len() + frame.payload.len() > limit {
                return Err(FrameError::TooBig);
            }
            self.opcode |= frame.opcode;
            self.fragments.extend_from_slice(&frame.payload);
            if !frame.fin {
                return Ok(None);
            }
            (
                std::mem::take(&mut self.opcode),
                std::mem::take(&mut self.fragments).freeze(),
            )
        };
        if opcode == TEXT && std::str::from_utf8(&payload).is_err() {
            return Err(FrameError::Text);
        }
        Ok(Some((opcode, payload)))
    }
}

fn apply(mask: [u8; 4], payload: &mut [u8]) {
    if mask != [0; 4] {
        for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
            *byte ^= mask;
        }
    }
}

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    #[test]
    fn frames_survive_both_directions_in_any_pieces() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            for (role, mask) in [(Role::Server, Some([1, 2, 3, 4])), (Role::Client, None)] {
                let frame = Frame::whole(2, vec![7; length].into());
                let mut bytes = BytesMut::new();
                frame.put(mask, &mut bytes);
                frame.put(mask, &mut bytes);
                let mut read = BytesMut::new();
                let mut found = Vec::new();
                for piece in bytes.chunks(100) {
                    read.extend_from_slice(piece);
                    while let Some(frame) = Frame::take(&mut read, role, LIMIT).unwrap() {
                        found.push(frame);
                    }
                }
                assert_eq!(found, [frame.clone(), frame], "{length}");
            }
        }
    }

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 6455 section 5.7: a masked "Hello".
        let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let frame = Frame::take(&mut BytesMut::from(&bytes[..]), Role::Server, LIMIT).unwrap();
        assert_eq!(frame, Some(Frame::whole(TEXT, Bytes::from_static(b"Hello"))));
    }

    #[test]
    fn what_breaks_the_rules_is_named() {
        for (bytes, error) in [
            (&[0xc1, 0x80][..], FrameError::Reserved),
            (&[0x83, 0x80], FrameError::Opcode(3)),
            (&[0x81, 0x00], FrameError::Mask),
            (&[0x09, 0x80], FrameError::Control),
            (&[0x89, 0xfe], FrameError::Control),
            (
                &[0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0],
                FrameError::TooBig,
            ),
        ] {
            let found = Frame::take(&mut BytesMut::from(bytes), Role::Server, LIMIT);
            assert_eq!(found, Err(error));
        }
    }

    #[test]
    fn fragments_are_joined_around_control_frames() {
        let frame = |opcode, fin, payload: &'static [u8]| Frame {
            opcode,
            fin,
            payload: Bytes::from_static(payload),
        };
        let mut assembler = Assembler::default();
        // The character ä is cut in two: only the whole must be UTF-8.
        assert_eq!(assembler.take(frame(1, false, &[0xc3]), LIMIT), Ok(None));
        let ping = assembler.take(frame(9, true, b"p"), LIMIT);
        assert_eq!(ping, Ok(Some((PING, Bytes::from_static(b"p")))));
        let whole = assembler.take(frame(0, true, &[0xa4]), LIMIT);
        assert_eq!(whole, Ok(Some((TEXT, Bytes::from_static("ä".as_bytes())))));
        assert_eq!(assembler.take(frame(0, true, b""), LIMIT), Err(FrameError::Order));
        assert_eq!(
            assembler.take(frame(1, true, &[0xff]), LIMIT),
            Err(FrameError::Text)
        );
        assert_eq!(assembler.take(frame(2, false, b"123"), 4), Ok(None));
        assert_eq!(assembler.take(frame(0, true, b"45"), 4), Err(FrameError::TooBig));
    }
}
