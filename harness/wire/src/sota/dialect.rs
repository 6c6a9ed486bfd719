//! The two ways the client writes its enumerations.

use crate::json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// How commands and events are written as JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Releases up to 0.2.32: `{"variant":"X","fields":[...]}`.
    #[default]
    Rustc,
    /// Releases from 0.2.33: `{"X":...}`.
    Serde,
}

impl Dialect {
    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Rustc => "rustc",
            Dialect::Serde => "serde",
        }
    }

    /// The dialect of a message that carries data; `None` for bare names, which are the same in both.
    pub fn detect(message: &[u8]) -> Option<Dialect> {
        Dialect::of_shape(&json::parse(message).value?)
    }

    pub(super) fn of_shape(value: &Value) -> Option<Dialect> {
        let members = value.as_object()?;
        if members.contains_key("variant") {
            return Some(Dialect::Rustc);
        }
        let name = members.keys().next().filter(|_| members.len() == 1)?;
        name.starts_with(|c: char| c.is_ascii_uppercase())
            .then_some(Dialect::Serde)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a command or event cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotExpressible {
    /// The dialect has no such variant.
    #[error("the {dialect} dialect has no {name}")]
    Variant {
        /// Name of the variant.
        name: &'static str,
        /// The dialect asked for.
        dialect: Dialect,
    },
    /// Install events of the serde dialect carry exactly one result.
    #[error("{name} in the serde dialect carries one result, not {results}")]
    ResultCount {
        /// Name of the variant.
        name: &'static str,
        /// Results there are.
        results: usize,
    },
    /// The text grammar has no words for it.
    #[error("{name} cannot be written as text")]
    Text {
        /// Name of the command.
        name: &'static str,
    },
    /// A word of the text grammar is empty or has white space or a semicolon in it.
    #[error("{word:?} cannot be a word of the text grammar")]
    Word {
        /// The word.
        word: String,
    },
}
