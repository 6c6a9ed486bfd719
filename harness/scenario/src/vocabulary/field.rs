//! Fields of actions and events.

use indexmap::IndexMap;
use std::{fmt, str::FromStr};

/// Fields by name, in the order of the vocabulary.
pub type Fields = IndexMap<String, Field>;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub kind: FieldType,
    /// Whether it must be given.
    pub required: bool,
    /// The words it may be; empty = any text.
    pub values: Vec<String>,
    /// The least a number may be.
    pub min: Option<i64>,
    /// The most a number may be.
    pub max: Option<i64>,
    /// What it means.
    pub summary: String,
}

/// Type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A span of time; resolved to seconds.
    Duration,
    /// A map.
    Object,
    /// A list.
    List,
    /// The role of an image, such as `next`, or an image derived from it, such as `next-flipped`.
    Artifact,
    /// Anything.
    Any,
}

impl FieldType {
    /// Every type.
    pub const ALL: [FieldType; 9] = [
        FieldType::String,
        FieldType::Integer,
        FieldType::Number,
        FieldType::Boolean,
        FieldType::Duration,
        FieldType::Object,
        FieldType::List,
        FieldType::Artifact,
        FieldType::Any,
    ];

    /// The word in vocabulary files.
    pub fn name(self) -> &'static str {
        match self {
            FieldType::String => "string",
            FieldType::Integer => "integer",
            FieldType::Number => "number",
            FieldType::Boolean => "boolean",
            FieldType::Duration => "duration",
            FieldType::Object => "object",
            FieldType::List => "list",
            FieldType::Artifact => "artifact",
            FieldType::Any => "any",
        }
    }
}

impl FieldType {
    /// The type in the words of people.
    pub fn described(self) -> &'static str {
        match self {
            FieldType::String => "text",
            FieldType::Integer => "a whole number",
            FieldType::Number => "a number",
            FieldType::Boolean => "true or false",
            FieldType::Duration => "a duration",
            FieldType::Object => "a map",
            FieldType::List => "a list",
            FieldType::Artifact => "the role of an image",
            FieldType::Any => "anything",
        }
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such field type")]
pub struct UnknownFieldType;

impl FromStr for FieldType {
    type Err = UnknownFieldType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FieldType::ALL
            .into_iter()
            .find(|t| t.name() == text)
            .ok_or(UnknownFieldType)
    }
}
