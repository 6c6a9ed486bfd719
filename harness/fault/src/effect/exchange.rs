//! Effects on one HTTP exchange, made on its bytes below the handling of the request.

use super::BadJson;
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

/// Which part of an answer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerPart {
    /// Status line and headers.
    Head,
    /// The body.
    Body,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In chunks of so many bytes.
    Chunked {
        /// Bytes of each chunk, at least 1.
        bytes: u64,
        /// Whether the last chunk, which says that it is over, is sent.
        ended: bool,
    },
    /// By the end of the connection.
    Close,
}

/// What became of the unit's key or token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is known no more.
    Revoked,
    /// It is known and may do nothing.
    Disabled,
}

/// Where URLs lead that a cloud tells wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongPlace {
    /// A name that does not resolve.
    Unresolved,
    /// The right host, and a port nobody listens on.
    Refused,
    /// Whoever reads it.
    Loopback,
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
        /// The same as a date so long after the answer, if there is no such value.
        retry_in: Option<Duration>,
        /// Body.
        body: Option<String>,
    },
    /// The connection is reset.
    Reset(ResetPoint),
    /// Nothing more is sent; the connection stays open.
    Stall {
        /// Where.
        part: AnswerPart,
        /// Bytes of that part sent first; `None` = not even a status line.
        after_bytes: Option<u64>,
        /// Goes on after this time.
        span: Option<Duration>,
    },
    /// A part of the answer in small pieces.
    Drip {
        /// Which; a dripping head comes before a body in one piece.
        part: AnswerPart,
        /// Bytes of each piece, at least 1.
        bytes: u64,
        /// Time between two pieces.
        every: Duration,
    },
    /// Part of the body, then an orderly end.
    Truncate {
        /// Bytes sent.
        after_bytes: u64,
        /// Whether Content-Length announces the whole; else the end of the connection ends it.
        announce: bool,
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
    /// URLs of the cloud in the answer lead elsewhere.
    WrongUrl(WrongPlace),
    /// The whole body, and a Content-Length that is off by so many bytes; then an orderly end.
    Length {
        /// Bytes too many, or too few if negative.
        by: i64,
    },
    /// The whole body without Content-Length.
    Framed(Framing),
    /// A request for a part is answered with the whole and status 200.
    IgnoreRange,
    /// The entity tag is another, so that parts asked for `If-Range` of the right one are answered with the whole.
    EntityTag {
        /// The tag, with its quotes.
        tag: String,
    },
    /// Bytes after the right body: spaces after JSON, zeros after anything else.
    Padding {
        /// How many.
        bytes: u64,
    },
    /// A header with another value.
    Header {
        /// Its name.
        name: String,
        /// Its value; `None` = it is left out.
        value: Option<String>,
    },
    /// JSON that is not as it should be.
    BadJson(BadJson),
    /// Each item of the list is there twice.
    ListTwice,
    /// The list comes in reverse order.
    ListReversed,
    /// A request that is to change something is refused, as there is no room to store it.
    StorageFull {
        /// 507, or 503.
        status: u16,
        /// Value of the Retry-After header.
        retry_after: Option<String>,
    },
    /// The answer to a key or token that is not good any more.
    Key(KeyState),
}

impl ExchangeEffect {
    /// The effect of `cloud.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<ExchangeEffect>, FaultError> {
        Ok(Some(match kind {
            "status" => ExchangeEffect::Status {
                status: read
                    .count_in("status", 100..=999, "must be from 100 to 999")?
                    .ok_or(read.missing("status"))?,
                retry_after: read.loose_text("retry_after"),
                retry_in: read.span("retry_in")?,
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
                part: part(read)?,
                after_bytes: read.count("after_bytes")?,
                span: read.span("for")?,
            },
            "drip" => ExchangeEffect::Drip {
                part: part(read)?,
                bytes: read.at_least_one("bytes")?.unwrap_or(1),
                every: read.span("every")?.ok_or(read.missing("every"))?,
            },
            "truncate" => ExchangeEffect::Truncate {
                after_bytes: read.count("after_bytes")?.ok_or(read.missing("after_bytes"))?,
                announce: read.flag("announce")?.unwrap_or(true),
            },
            "body" => ExchangeEffect::Body {
                body: read.text("body")?.ok_or(read.missing("body"))?,
                content_type: read
                    .text("content_type")?
                    .unwrap_or_else(|| "application/json".to_owned()),
            },
            "redirect" => ExchangeEffect::Redirect {
                target: read.text("target")?.ok_or(read.missing("target"))?,
                status: read
                    .count_in("status", 300..=399, "must be that of a redirect")?
                    .unwrap_or(302),
            },
            "wrong_url" => {
                let place = read.text("leads_to")?.ok_or(read.missing("leads_to"))?;
                ExchangeEffect::WrongUrl(match place.as_str() {
                    "unresolved" => WrongPlace::Unresolved,
                    "refused" => WrongPlace::Refused,
                    "loopback" => WrongPlace::Loopback,
                    _ => return Err(read.bad("leads_to", "unresolved, refused or loopback")),
                })
            }
            "length" => ExchangeEffect::Length {
                by: match read.whole("by")?.ok_or(read.missing("by"))? {
                    0 => return Err(read.bad("by", "must not be 0")),
                    by => by,
                },
            },
            "framing" => {
                let bytes = read.at_least_one("bytes")?.unwrap_or(1024);
                let chunked = |ended| Framing::Chunked { bytes, ended };
                let framing = read.text("framing")?.ok_or(read.missing("framing"))?;
                ExchangeEffect::Framed(match framing.as_str() {
                    "chunked" => chunked(true),
                    "chunked_unended" => chunked(false),
                    "close" => Framing::Close,
                    _ => return Err(read.bad("framing", "chunked, chunked_unended or close")),
                })
            }
            "ignore_range" => ExchangeEffect::IgnoreRange,
            "entity_tag" => ExchangeEffect::EntityTag {
                tag: read
                    .text("tag")?
                    .unwrap_or_else(|| "\"something-else\"".to_owned()),
            },
            "padding" => ExchangeEffect::Padding {
                bytes: read.at_least_one("bytes")?.unwrap_or(2 << 20),
            },
            "header" => ExchangeEffect::Header {
                name: read.text("name")?.ok_or(read.missing("name"))?,
                value: read.loose_text("value"),
            },
            "bad_json" => ExchangeEffect::BadJson(BadJson::parse(read)?),
            "list_twice" => ExchangeEffect::ListTwice,
            "list_reversed" => ExchangeEffect::ListReversed,
            "storage_full" => ExchangeEffect::StorageFull {
                status: read
                    .count_in("status", 500..=599, "must be that of a server's error")?
                    .unwrap_or(507),
                retry_after: read.loose_text("retry_after"),
            },
            "key" => ExchangeEffect::Key(match read.text("state")?.ok_or(read.missing("state"))?.as_str() {
                "revoked" => KeyState::Revoked,
                "disabled" => KeyState::Disabled,
                _ => return Err(read.bad("state", "revoked or disabled")),
            }),
            _ => return Ok(None),
        }))
    }
}

/// The argument `part`; the body if it is not there.
fn part(read: &Arguments<'_>) -> Result<AnswerPart, FaultError> {
    match read.text("part")?.as_deref() {
        None | Some("body") => Ok(AnswerPart::Body),
        Some("head") => Ok(AnswerPart::Head),
        Some(_) => Err(read.bad("part", "head or body")),
    }
}
