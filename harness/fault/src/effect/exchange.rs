//! Effects on one HTTP exchange, made on its bytes below the handling of the request.

use crate::{FaultError, arguments::Arguments};
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

/// The effect of a fault on one HTTP exchange.
#[derive(Clone, Debug, PartialEq)]
pub enum ExchangeEffect {
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
}

impl ExchangeEffect {
    /// The effect of `cloud.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<ExchangeEffect>, FaultError> {
        Ok(Some(match kind {
            "status" => ExchangeEffect::Status {
                status: read
                    .whole("status")?
                    .and_then(|n| u16::try_from(n).ok())
                    .ok_or(read.missing("status"))?,
                retry_after: read.loose_text("retry_after"),
                body: read.text("body")?,
            },
            "reset" => {
                ExchangeEffect::Reset(match read.text("when")?.ok_or(read.missing("when"))?.as_str() {
                    "before_handling" => ResetPoint::BeforeHandling,
                    "after_handling" => ResetPoint::AfterHandling,
                    "in_body" => ResetPoint::InBody(read.count("after_bytes")?.unwrap_or(0)),
                    _ => return Err(read.bad("when", "before_handling, after_handling or in_body")),
                })
            }
            "stall" => ExchangeEffect::Stall {
                after_bytes: read.count("after_bytes")?,
                span: read.span("for")?,
            },
            "drip" => ExchangeEffect::Drip {
                bytes: match read.count("bytes")? {
                    Some(0) => return Err(read.bad("bytes", "must be at least 1")),
                    bytes => bytes.unwrap_or(1),
                },
                every: read.span("every")?.ok_or(read.missing("every"))?,
            },
            "truncate" => ExchangeEffect::Truncate {
                after_bytes: read.count("after_bytes")?.ok_or(read.missing("after_bytes"))?,
                announce: read.flag("announce")?.unwrap_or(true),
            },
            "corrupt" => ExchangeEffect::Corrupt {
                byte: read.whole("byte")?.unwrap_or(0),
            },
            "body" => ExchangeEffect::Body {
                body: read.text("body")?.ok_or(read.missing("body"))?,
                content_type: read
                    .text("content_type")?
                    .unwrap_or_else(|| "application/json".to_owned()),
            },
            "redirect" => ExchangeEffect::Redirect {
                target: read.text("target")?.ok_or(read.missing("target"))?,
                status: match read.whole("status")? {
                    None => 302,
                    Some(status @ 300..=399) => status as u16,
                    Some(_) => return Err(read.bad("status", "must be that of a redirect")),
                },
            },
            _ => return Ok(None),
        }))
    }
}
