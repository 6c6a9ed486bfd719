//! What a decoder noticed besides the value: the one vocabulary of all codecs.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How much an oddity matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The message is valid; a receiver carries on (an unknown member, a spelling of another dialect).
    Tolerable,
    /// The message breaks a rule of its protocol; a receiver must not act on it as if it were valid.
    Invalid,
}

/// What kind of thing is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddityKind {
    /// Not UTF-8, or another problem below the text.
    Encoding,
    /// Not JSON, not an archive, not the text grammar.
    Syntax,
    /// The frame around the message is broken: checksum, delimiters, length.
    Framing,
    /// A member name occurs twice.
    DuplicateMember,
    /// A member nobody defined.
    UnknownMember,
    /// A required member is absent.
    MissingMember,
    /// A member has another JSON type than defined.
    WrongType,
    /// A value of the right type that is not allowed: range, pattern, length.
    InvalidValue,
    /// A name outside its enumeration: message type, command, state.
    UnknownName,
    /// A spelling of another dialect or an older release.
    Dialect,
    /// More than belongs there: bytes after the value, surplus fields.
    Surplus,
    /// Parts that contradict each other: a checksum and its text, a count and its list.
    Contradiction,
}

/// One thing a decoder noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oddity {
    /// What kind of thing it is.
    pub kind: OddityKind,
    /// Whether the message is still valid.
    pub weight: Weight,
    /// Where: a JSON pointer such as `/data/items/0/version`, or a header or byte position; empty = the whole.
    pub path: String,
    /// One sentence for people.
    pub detail: String,
}

impl Oddity {
    /// An oddity that makes the message invalid.
    pub fn invalid(kind: OddityKind, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Oddity {
            kind,
            weight: Weight::Invalid,
            path: path.into(),
            detail: detail.into(),
        }
    }

    /// An oddity a receiver must live with.
    pub fn tolerable(kind: OddityKind, path: impl Into<String>, detail: impl Into<String>) -> Self {
        Oddity {
            kind,
            weight: Weight::Tolerable,
            path: path.into(),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.path, self.detail)
        }
    }
}

/// A decoded value and everything odd about it. `value` is `None` only if nothing could be understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The value, as far as it could be understood.
    pub value: Option<T>,
    /// Everything odd, in the order met.
    pub oddities: Vec<Oddity>,
}

impl<T> Decoded<T> {
    /// A value without oddities.
    pub fn clean(value: T) -> Self {
        Decoded {
            value: Some(value),
            oddities: Vec::new(),
        }
    }

    /// Nothing could be understood.
    pub fn nothing(oddity: Oddity) -> Self {
        Decoded {
            value: None,
            oddities: vec![oddity],
        }
    }

    /// True if there is a value and no oddity of weight [`Weight::Invalid`].
    pub fn is_valid(&self) -> bool {
        self.value.is_some() && self.first_invalid().is_none()
    }

    /// The first oddity that makes the message invalid.
    pub fn first_invalid(&self) -> Option<&Oddity> {
        self.oddities.iter().find(|o| o.weight == Weight::Invalid)
    }

    /// The same oddities around another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Decoded<U> {
        Decoded {
            value: self.value.map(f),
            oddities: self.oddities,
        }
    }
}
