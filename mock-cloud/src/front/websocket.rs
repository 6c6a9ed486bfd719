//! A WebSocket that is open, on either side: moves frames, records each, answers pings and closes, tells the core.

use super::{
    Host,
    bytes::ended_by,
    frame::{Assembler, CLOSE, Frame, FrameError, PING, Role},
    link::{Item, Queue},
    outgoing::Outgoing,
};
use bytes::{Bytes, BytesMut};
use hil_link::{Stream, StreamHandle};
use hil_trace::{Ending, Party, Stamp};
use rand::Rng;
use std::{io, rc::Rc, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Serves an open WebSocket to its end; `read` is what came behind the handshake.
pub(super) async fn serve(
    host: &Rc<Host>,
    connection: u32,
    role: Role,
    stream: Stream,
    read: Bytes,
    queue: Queue,
) -> (Ending, Party) {
    let socket = Socket {
        host,
        connection,
        role,
        handle: stream.handle(),
        assembler: Assembler::default(),
        outgoing: Outgoing::default(),
        sent: None,
        received: false,
        closed_by: Party::Unit,
        silent: None,
        ended: false,
    };
    socket.serve(stream, BytesMut::from(read), queue).await
}

struct Socket<'a> {
    host: &'a Rc<Host>,
    connection: u32,
    role: Role,
    handle: StreamHandle,
    assembler: Assembler,
    outgoing: Outgoing,
    /// Our close frame is on its way; the peer's must come until then.
    sent: Option<Stamp>,
    /// The peer's close frame came.
    received: bool,
    /// Who sent the first close frame.
    closed_by: Party,
    /// Nothing is sent or taken notice of until then.
    silent: Option<Stamp>,
    /// Nothing more is sent: the stream ends behind what is on its way.
    ended: bool,
}

impl Socket<'_> {
    async fn serve(mut self, stream: Stream, mut incoming: BytesMut, mut queue: Queue) -> (Ending, Party) {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (ending, by) = loop {
            // What a frame made the core send is noted before the next frame.
            while let Ok(item) = queue.try_recv() {
                self.stage(item);
            }
            if !self.received && !self.ended {
                match self.take(&mut incoming).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::debug!("connection {}: {error}", self.connection);
                        self.stage(Item::Frame(Frame::close(error.close_code())));
                        self.ended = true;
                    }
                }
            }
            let flushed = self.outgoing.is_done();
            if flushed && self.received && self.sent.is_some() {
                break (Ending::Fin, self.closed_by);
            }
            if flushed && self.ended {
                break (Ending::Fin, Party::Cloud);
            }
            tokio::select! {
                biased;
                item = queue.recv() => match item {
                    Some(item) => self.stage(item),
                    None => break (Ending::Fin, Party::Cloud),
                },
                sent = self.outgoing.advance(&mut writer), if !self.outgoing.is_done() => if let Err(error) = sent {
                    break broken(&self.handle, &error);
                },
                read = reader.read_buf(&mut incoming) => match read {
                    Ok(0) => break (Ending::Fin, ended_by(&self.handle)),
                    Ok(_) => {}
                    Err(error) => break broken(&self.handle, &error),
                },
                () = self.host.edge.clock.sleep_until(self.sent.unwrap_or_default()), if self.sent.is_some() => {
                    break (Ending::Fin, Party::Cloud);
                }
            }
        };
        if ending == Ending::Fin {
            finish(self.host, &mut writer).await;
        }
        (ending, by)
    }

    /// Takes one frame out of what was read; false if there is no whole one.
    async fn take(&mut self, incoming: &mut BytesMut) -> Result<bool, FrameError> {
        let Some(frame) = Frame::take(incoming, self.role, MESSAGE_LIMIT)? else {
            incoming.reserve(READ_SIZE);
            return Ok(false);
        };
        self.host.edge.frame(self.connection, Party::Unit, &frame);
        let Some((opcode, payload)) = self.assembler.take(frame, MESSAGE_LIMIT)? else {
            return Ok(true);
        };
        if self.is_silent() {
            return Ok(true);
        }
        match opcode {
            PING => self.host.pong(self.connection, payload.clone()),
            CLOSE => {
                self.received = true;
                let code = payload
                    .first_chunk()
                    .map_or(1000, |code| u16::from_be_bytes(*code));
                self.stage(Item::Frame(Frame::close(code)));
            }
            _ => {}
        }
        let connection = self.connection;
        self.host
            .tell(|core, now, out| core.websocket_message(now, connection, opcode, &payload, out))
            .await;
        Ok(true)
    }

    fn is_silent(&self) -> bool {
        self.silent
            .is_some_and(|until| self.host.edge.clock.now() < until)
    }

    /// Records a frame and puts its bytes on their way; nothing follows a close frame.
    fn stage(&mut self, item: Item) {
        if self.sent.is_some() || self.ended || self.is_silent() {
            return;
        }
        let frame = match item {
            Item::Frame(frame) => frame,
            Item::Bytes(..) => return,
            Item::Silence(span) => {
                let now = self.host.edge.clock.now();
                let until = |span: Duration| now.0.saturating_add(span.as_micros() as u64);
                self.silent = Some(Stamp(span.map_or(u64::MAX, until)));
                return;
            }
            Item::End => {
                self.ended = true;
                return;
            }
        };
        self.host.edge.frame(self.connection, Party::Cloud, &frame);
        if frame.opcode == CLOSE {
            if !self.received {
                self.closed_by = Party::Cloud;
            }
            let now = self.host.edge.clock.now();
            self.sent = Some(Stamp(now.0 + CLOSE_LIMIT.as_micros() as u64));
        }
        let mask = match self.role {
            Role::Server => None,
            Role::Client => Some(self.host.random.borrow_mut().random()),
        };
        frame.put(mask, &mut self.outgoing.bytes);
    }
}

/// Ends our side of a stream in order; a peer that takes nothing is not waited for.
pub(super) async fn finish(host: &Host, writer: &mut (impl AsyncWriteExt + Unpin)) {
    tokio::select! {
        biased;
        _ = writer.shutdown() => {}
        () = host.edge.clock.sleep(Duration::from_secs(1)) => {}
    }
}

/// How a failing stream ended, and by whom.
pub(super) fn broken(handle: &StreamHandle, error: &io::Error) -> (Ending, Party) {
    match error.kind() {
        _ if handle.is_reset() => (Ending::Reset, Party::Cloud),
        io::ErrorKind::ConnectionReset => (Ending::Reset, Party::Unit),
        _ => (Ending::Broken, ended_by(handle)),
    }
}

const MESSAGE_LIMIT: usize = 8 << 20;
const READ_SIZE: usize = 4096;

/// How long a peer may take to answer our close frame.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);
