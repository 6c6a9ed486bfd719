//! What reaches an agent.

use crate::output::{ExchangeId, Frame, RequestId, SocketId, StreamId, TimerId};
use bytes::Bytes;
use hil_wire::http::{Headers, Request, Response};

/// One input. Numbers of requests, sockets opened by the agent and timers are the agent's own choice; numbers of
/// exchanges and of streams and sockets the harness opened are the shell's.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The software begins to run; always the first input.
    Boot,
    /// A timer is due.
    Timer(TimerId),
    /// The whole answer to a request.
    HttpAnswer {
        /// Which request.
        request: RequestId,
        /// The answer.
        response: Response,
    },
    /// Status and headers of the answer to a streamed request.
    HttpHead {
        /// Which request.
        request: RequestId,
        /// Status code.
        status: u16,
        /// Headers in wire order.
        headers: Headers,
    },
    /// The next bytes of a streamed answer.
    HttpChunk {
        /// Which request.
        request: RequestId,
        /// The bytes of one read.
        bytes: Bytes,
    },
    /// A streamed answer ended in order.
    HttpEnd {
        /// Which request.
        request: RequestId,
    },
    /// A request will get no (further) answer.
    HttpFailed {
        /// Which request.
        request: RequestId,
        /// Why.
        error: HttpError,
    },
    /// A face the agent serves got a request. An upgrade to WebSocket arrives here too.
    ServerRequest {
        /// To answer it by.
        exchange: ExchangeId,
        /// Name of the face.
        face: String,
        /// The request.
        request: Request,
    },
    /// The caller went away before the answer.
    ServerGone {
        /// Which exchange.
        exchange: ExchangeId,
    },
    /// A WebSocket is open: one the agent asked for, or an upgrade it accepted.
    WsOpened {
        /// Which socket.
        socket: SocketId,
        /// Headers of the answer (client side; empty on the server side).
        headers: Headers,
    },
    /// One WebSocket frame as received, control frames included; nothing is answered or put together for the agent.
    WsFrame {
        /// Which socket.
        socket: SocketId,
        /// The frame, unmasked.
        frame: Frame,
    },
    /// A WebSocket's connection ended in order, with or without a close frame before.
    WsClosed {
        /// Which socket.
        socket: SocketId,
    },
    /// A WebSocket could not be opened, or broke.
    WsFailed {
        /// Which socket.
        socket: SocketId,
        /// Why.
        error: HttpError,
    },
    /// A stream is open: one the agent asked for (`face` empty), or one on a face it serves.
    StreamOpened {
        /// Which stream.
        stream: StreamId,
        /// Name of the face.
        face: String,
    },
    /// Bytes of one read.
    StreamData {
        /// Which stream.
        stream: StreamId,
        /// The bytes.
        bytes: Bytes,
    },
    /// The other side has ended its half of a stream that can still be written.
    StreamEnded {
        /// Which stream.
        stream: StreamId,
    },
    /// The other side ended or broke the stream.
    StreamClosed {
        /// Which stream.
        stream: StreamId,
    },
}

/// Why an exchange got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The URL cannot be used.
    #[error("`{0}` is not a usable URL")]
    Url(String),
    /// No connection: unknown host, refused, unreachable.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("TLS: {0}")]
    Tls(String),
    /// A limit passed.
    #[error("timed out while {0}")]
    Timeout(&'static str),
    /// The connection broke, or the answer is not HTTP, or its body ends early.
    #[error("connection broke: {0}")]
    Broken(String),
    /// The body is larger than the limit.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The server answered an upgrade with something else.
    #[error("upgrade refused with status {}", .0.status)]
    Refused(Box<Response>),
}
