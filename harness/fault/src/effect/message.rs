//! Effects on one message of a connection that stays.

use super::alteration::Alteration;
use crate::{FaultError, arguments::Arguments};
use std::time::Duration;

/// The effect of a fault on one message.
#[derive(Clone, Debug, PartialEq)]
pub enum MessageEffect {
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
    /// The connection is reset without a close frame.
    Abort {
        /// The message is sent first, and the reset comes this much later; `None` = instead of the message.
        after: Option<Duration>,
    },
    /// The message is sent once more messages have gone, out of order.
    Reorder {
        /// How many.
        past: u32,
    },
    /// The message is sent in a WebSocket frame of another kind.
    Opcode {
        /// 1 text, 2 binary, 3 one the standard reserves.
        opcode: u8,
    },
    /// The message is sent in several WebSocket frames.
    Fragment {
        /// How many.
        parts: usize,
        /// A ping stands between two of them.
        pings: bool,
    },
    /// The message has other bytes.
    Alter(Alteration),
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

impl MessageEffect {
    /// The effect of `cloud.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<MessageEffect>, FaultError> {
        Ok(Some(match kind {
            "withhold" => MessageEffect::Withhold,
            "nack" => MessageEffect::Nack {
                retry_after_ms: read.span("retry_after")?.map(|span| span.as_millis() as i64),
            },
            "repeat" => MessageEffect::Repeat {
                copies: read
                    .count_in("copies", 1..=1000, "must be from 1 to 1000")?
                    .unwrap_or(1),
            },
            "delay" => MessageEffect::Delay {
                span: read.span("by")?.ok_or(read.missing("by"))?,
            },
            "close" => MessageEffect::Close {
                code: read
                    .count_in("code", 0..=u16::MAX, "must be from 0 to 65535")?
                    .ok_or(read.missing("code"))?,
            },
            "silence" => MessageEffect::Silence {
                span: read.span("for")?,
            },
            "replace" => MessageEffect::Replace {
                text: read.text("text")?.ok_or(read.missing("text"))?,
            },
            "abort" => MessageEffect::Abort {
                after: read.span("after")?,
            },
            "reorder" => MessageEffect::Reorder {
                past: read
                    .count_in("past", 1..=1000, "must be from 1 to 1000")?
                    .unwrap_or(1),
            },
            "opcode" => MessageEffect::Opcode {
                opcode: match read.text("opcode")?.as_deref() {
                    Some("text") => 1,
                    Some("binary") => 2,
                    Some("reserved") => 3,
                    _ => return Err(read.bad("opcode", "text, binary or reserved")),
                },
            },
            "fragment" => MessageEffect::Fragment {
                parts: read
                    .count_in("parts", 2..=1000, "must be from 2 to 1000")?
                    .unwrap_or(2),
                pings: read.flag("pings")?.unwrap_or(false),
            },
            _ => return Ok(Alteration::parse(kind, read)?.map(MessageEffect::Alter)),
        }))
    }
}
