//! Ways a JSON answer can be wrong, or unusual: what the right answer becomes.

use crate::{FaultError, arguments::Arguments};

/// What becomes of a JSON body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadJson {
    /// Its first half, with the length of that.
    Truncated,
    /// An HTML page.
    Html,
    /// An array where an object belongs, and the other way round.
    OtherShape,
    /// `null`.
    Null,
    /// Nothing.
    Empty,
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// The right body, and more text behind it.
    Trailing,
    /// Arrays inside arrays, so many levels, instead of it.
    Deep(usize),
    /// An unknown member with so many bytes in each object, or such an item where there is none.
    Huge(usize),
    /// Unknown members in every object: still right.
    UnknownMembers,
}

impl BadJson {
    /// From the arguments `kind`, `depth` and `bytes`.
    pub(super) fn parse(read: &Arguments<'_>) -> Result<BadJson, FaultError> {
        Ok(match read.text("kind")?.ok_or(read.missing("kind"))?.as_str() {
            "truncated" => BadJson::Truncated,
            "html" => BadJson::Html,
            "other_shape" => BadJson::OtherShape,
            "null" => BadJson::Null,
            "empty" => BadJson::Empty,
            "not_utf8" => BadJson::NotUtf8,
            "trailing" => BadJson::Trailing,
            "deep" => BadJson::Deep(
                read.count_in("depth", 1..=4 << 20, "must be from 1 to 4194304")?
                    .unwrap_or(DEPTH),
            ),
            "huge" => BadJson::Huge(
                read.count_in("bytes", 1..=64 << 20, "must be from 1 to 67108864")?
                    .unwrap_or(SIZE),
            ),
            "unknown_members" => BadJson::UnknownMembers,
            _ => return Err(read.bad("kind", "a kind of malformed JSON")),
        })
    }
}

/// Levels, unless said otherwise: more than recursive parsers bear.
const DEPTH: usize = 100_000;
/// Bytes, unless said otherwise.
const SIZE: usize = 2 << 20;
