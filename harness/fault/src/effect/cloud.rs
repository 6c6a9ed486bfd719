//! Effects on the cloud as a whole, made by its handle.

use crate::{FaultError, arguments::Arguments};
use std::time::Duration;

/// The effect of a fault on the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudEffect {
    /// It stops and starts again.
    Restart {
        /// Whether it still has what it stored.
        kept: bool,
        /// How long it is away.
        down: Duration,
    },
    /// Another instance, with a store of its own and nothing in it, answers at the same addresses; then the first one
    /// again. Connections end at both moments.
    OtherInstance {
        /// For how long.
        span: Duration,
    },
}

impl CloudEffect {
    /// The effect of `cloud.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<CloudEffect>, FaultError> {
        Ok(Some(match kind {
            "restart" => CloudEffect::Restart {
                kept: match read.text("store")?.as_deref() {
                    None | Some("kept") => true,
                    Some("lost") => false,
                    Some(_) => return Err(read.bad("store", "kept or lost")),
                },
                down: read.span("down")?.unwrap_or_default(),
            },
            "other_instance" => CloudEffect::OtherInstance {
                span: read.span("for")?.ok_or(read.missing("for"))?,
            },
            _ => return Ok(None),
        }))
    }
}
