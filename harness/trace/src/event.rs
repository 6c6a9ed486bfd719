//! Decoded views of records, named in the protocol's own words: what scenarios expect and ladders show.

use crate::Stamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// Whose event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The unit sent or did it.
    Unit,
    /// The mock cloud sent or did it.
    Cloud,
    /// A fault acted.
    Fault,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Who::Unit => "unit",
            Who::Cloud => "cloud",
            Who::Fault => "fault",
        })
    }
}

/// Something that happened, in words: derived from one or more records, never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Whose event it is.
    pub who: Who,
    /// Name from the protocol's vocabulary, such as `unitStatus` or `ack`.
    pub name: String,
    /// When the deciding record was made.
    pub at: Stamp,
    /// The records it was read from, in order; the last one decided it.
    pub records: Vec<u64>,
    /// Its facts.
    pub fields: Map<String, Value>,
}

impl Event {
    /// `unit.unitStatus`, the way scenarios write it.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.who, self.name)
    }

    /// One of its facts.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// One of its facts as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name).and_then(Value::as_str)
    }
}
