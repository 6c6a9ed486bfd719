//! A package by name and version.

use super::members::{Context, Members, Read};
use serde_json::{Value, json};

/// A package; neither part may hold white space in the text grammar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version, free text.
    pub version: String,
}

impl Package {
    /// A package.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Package {
            name: name.into(),
            version: version.into(),
        }
    }

    /// The package as JSON.
    pub fn to_value(&self) -> Value {
        json!({"name": self.name, "version": self.version})
    }
}

impl Read for Package {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let mut members = Members::of(value, path, context)?;
        let name = members.get("name", context);
        let version = members.get("version", context);
        members.note_unknown(context);
        Some(Package {
            name: name?,
            version: version?,
        })
    }
}
