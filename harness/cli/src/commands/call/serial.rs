//! A call over a serial line, with the handshake and framing of `mos` (reference section 2.1).

use super::{Call, CallError, Progress};
use hil_link::serial;
use hil_wire::ota_rpc::{
    Frame, decode, encode_ascii,
    uart::{Deframer, Event, FlowControl, HANDSHAKE, HANDSHAKE_ACK, mos_frame},
};
use std::{io, path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep_until},
};

pub(super) async fn call(call: &Call, path: &Path, progress: &mut Progress) -> Result<Frame, CallError> {
    let text = path.to_string_lossy();
    let stream = serial::open(&text, call.baud_rate).map_err(|source| CallError::Connect {
        target: text.into_owned(),
        source,
    })?;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut line = Line {
        call,
        deframer: Deframer::caller(),
        outgoing: HANDSHAKE.to_vec(),
        later: None,
        held: false,
        repeated: false,
    };
    let mut again = tokio::time::interval(HANDSHAKE_EVERY);
    again.reset();
    let mut buffer = vec![0; READ_SIZE];
    let mut next_piece = Instant::now();
    loop {
        let sendable = !line.outgoing.is_empty() && !line.held;
        let piece = line.outgoing.len().min(PIECE);
        let later = line.later.as_ref().map(|(at, _)| *at);
        tokio::select! {
            biased;
            read = reader.read(&mut buffer) => match read.map_err(broken)? {
                0 => return Err(broken(io::ErrorKind::UnexpectedEof.into())),
                count => {
                    if let Some(reply) = line.take(&buffer[..count], progress)? {
                        return Ok(reply);
                    }
                }
            },
            sent = write_at(next_piece, &mut writer, &line.outgoing[..piece]), if sendable => {
                line.outgoing.drain(..sent.map_err(broken)?);
                next_piece = Instant::now() + BETWEEN_PIECES;
            }
            () = sleep_until(later.unwrap_or(next_piece)), if later.is_some() => {
                line.outgoing.extend(line.later.take().into_iter().flat_map(|(_, bytes)| bytes));
            }
            _ = again.tick(), if !progress.synchronised => {
                if line.outgoing.is_empty() {
                    line.outgoing.extend_from_slice(&HANDSHAKE);
                }
            }
        }
    }
}

/// The caller's side of the line.
struct Line<'a> {
    call: &'a Call,
    deframer: Deframer,
    outgoing: Vec<u8>,
    /// What goes out from an instant on.
    later: Option<(Instant, Vec<u8>)>,
    /// The unit said XOFF.
    held: bool,
    repeated: bool,
}

impl Line<'_> {
    /// Takes what was read; returns the reply once it is there.
    fn take(&mut self, read: &[u8], progress: &mut Progress) -> Result<Option<Frame>, CallError> {
        for event in self.deframer.push(read) {
            match event {
                Event::Eot(_) if !progress.synchronised => {
                    progress.synchronised = true;
                    self.outgoing.clear();
                    self.outgoing.extend_from_slice(&HANDSHAKE_ACK);
                    self.later = Some((Instant::now() + AFTER_HANDSHAKE, framed(&self.call.frame)));
                }
                // Flow control is ignored while synchronising.
                Event::FlowControl(FlowControl::Xoff) => self.held = progress.synchronised,
                Event::FlowControl(FlowControl::Xon) => self.held = false,
                Event::Frame(frame) if progress.synchronised && frame.crc.is_acceptable() => {
                    let Some(reply) = decode(&frame.json).value else {
                        continue;
                    };
                    if !self.call.is_answered_by(&reply) {
                        continue;
                    }
                    match self.call.repeated_for(&reply, self.repeated)? {
                        Some(again) => {
                            self.repeated = true;
                            self.outgoing.extend(framed(&again));
                        }
                        None => return Ok(Some(reply)),
                    }
                }
                // Console output, echoes, damaged frames: the unit's own business.
                _ => {}
            }
        }
        Ok(None)
    }
}

async fn write_at(at: Instant, writer: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) -> io::Result<usize> {
    sleep_until(at).await;
    writer.write(bytes).await
}

fn framed(frame: &Frame) -> Vec<u8> {
    mos_frame(&encode_ascii(frame))
}

fn broken(error: io::Error) -> CallError {
    CallError::Broken(error.to_string())
}

const HANDSHAKE_EVERY: Duration = Duration::from_millis(200);
const AFTER_HANDSHAKE: Duration = Duration::from_millis(200);
/// Units without flow control have small buffers.
const PIECE: usize = 16;
const BETWEEN_PIECES: Duration = Duration::from_millis(5);
const READ_SIZE: usize = 4096;
