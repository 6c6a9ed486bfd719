//! What a fault does once it triggers.

use std::time::Duration;

/// Where inside an HTTP exchange a connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetPoint {
    /// The request was read and has no effect.
    BeforeHandling,
    /// The request took effect, its answer never leaves.
    AfterHandling,
    /// Inside the body of the answer, after so many bytes.
    InBody(u64),
}

/// The effect of a fault on one exchange or message.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Another status instead of handling the request.
    Status {
        /// Status code.
        status: u16,
        /// Value of the Retry-After header.
        retry_after: Option<String>,
        /// Body.
        body: Option<String>,
    },
    /// The connection is reset.
    Reset(ResetPoint),
    /// Nothing more is sent; the connection stays open.
    Stall {
        /// Bytes of the body sent first; `None` = not even a status line.
        after_bytes: Option<u64>,
        /// Goes on after this time.
        span: Option<Duration>,
    },
    /// The whole body in small pieces.
    Drip {
        /// Bytes of each piece, at least 1.
        bytes: u64,
        /// Time between two pieces.
        every: Duration,
    },
    /// Part of the body, then an orderly end.
    Truncate {
        /// Bytes sent.
        after_bytes: u64,
        /// Whether Content-Length announces the whole.
        announce: bool,
    },
    /// One bit of the body flipped.
    Corrupt {
        /// Which byte; negative counts from the end.
        byte: i64,
    },
    /// Another body with status 200.
    Body {
        /// The body.
        body: String,
        /// Its content type.
        content_type: String,
    },
    /// A redirect.
    Redirect {
        /// Where to.
        target: String,
        /// 302, or what was asked for.
        status: u16,
    },
    /// The message is dropped instead of sent.
    Withhold,
    /// The message is refused: a nack instead of an ack.
    Nack {
        /// Milliseconds the peer shall wait.
        retry_after_ms: Option<i64>,
    },
    /// The message is sent again.
    Repeat {
        /// How many copies more.
        copies: u32,
    },
    /// The message is sent later.
    Delay {
        /// How much later.
        span: Duration,
    },
    /// The WebSocket is closed with this code instead of sending the message.
    Close {
        /// Close code.
        code: u16,
    },
    /// From this message on nothing is sent and nothing taken notice of, not even a ping; the connection stays open.
    Silence {
        /// Ends after this time; `None` = never.
        span: Option<Duration>,
    },
    /// The message is replaced by this text.
    Replace {
        /// The text.
        text: String,
    },
}

impl Effect {
    /// True for effects on one message of a connection that stays, as opposed to an HTTP exchange.
    pub fn is_for_messages(&self) -> bool {
        matches!(
            self,
            Effect::Withhold
                | Effect::Nack { .. }
                | Effect::Repeat { .. }
                | Effect::Delay { .. }
                | Effect::Close { .. }
                | Effect::Silence { .. }
                | Effect::Replace { .. }
        )
    }
}
