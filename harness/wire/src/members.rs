//! A typed reader for the members of one JSON object. It collects every [`Oddity`] instead of stopping at the
//! first, so one decoding names all mistakes of a message at once.

use crate::oddity::{Oddity, OddityKind, Weight};
use serde_json::{Map, Value};

/// The members of one object at one place of a message.
#[derive(Debug)]
pub struct Members<'v, 'o> {
    members: &'v Map<String, Value>,
    path: String,
    oddities: &'o mut Vec<Oddity>,
    known: Vec<&'static str>,
}

impl<'v, 'o> Members<'v, 'o> {
    /// Opens an object; anything else is reported as [`OddityKind::WrongType`]. `path` is its JSON pointer,
    /// empty for the whole message.
    pub fn open(value: &'v Value, path: impl Into<String>, oddities: &'o mut Vec<Oddity>) -> Option<Self> {
        let path = path.into();
        match value {
            Value::Object(members) => Some(Members {
                members,
                path,
                oddities,
                known: Vec::new(),
            }),
            other => {
                oddities.push(Oddity::invalid(
                    OddityKind::WrongType,
                    path,
                    format!("an object is expected, not {}", type_name(other)),
                ));
                None
            }
        }
    }

    /// A member that has to be there; absence and a wrong type are invalid.
    pub fn required<T: FromMember<'v>>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        match self.members.get(name) {
            Some(value) => self.typed(name, value),
            None => {
                self.report(
                    OddityKind::MissingMember,
                    Weight::Invalid,
                    name,
                    format!("`{name}` is missing"),
                );
                None
            }
        }
    }

    /// A member that may be absent; a wrong type (null included) is invalid.
    pub fn optional<T: FromMember<'v>>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let value = self.members.get(name)?;
        self.typed(name, value)
    }

    /// A member that may be absent or null, both meaning the same.
    pub fn nullable<T: FromMember<'v>>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let value = self.members.get(name).filter(|v| !v.is_null())?;
        self.typed(name, value)
    }

    /// Reports an invalid value of one member unless `holds`.
    pub fn require(&mut self, holds: bool, name: &str, rule: &str) {
        if !holds {
            self.report(OddityKind::InvalidValue, Weight::Invalid, name, rule.to_owned());
        }
    }

    /// Reports something about one member; an empty name means the object itself.
    pub fn report(&mut self, kind: OddityKind, weight: Weight, name: &str, detail: impl Into<String>) {
        let path = if name.is_empty() {
            self.path.clone()
        } else {
            self.pointer(name)
        };
        self.oddities.push(Oddity {
            kind,
            weight,
            path,
            detail: detail.into(),
        });
    }

    /// The JSON pointer of one member.
    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1"))
    }

    /// The oddities found so far, for readers of inner objects.
    pub fn oddities(&mut self) -> &mut Vec<Oddity> {
        self.oddities
    }

    /// Reports every member that was never asked for as tolerable and returns them in message order.
    pub fn finish(mut self) -> Map<String, Value> {
        let rest = self.rest();
        for name in rest.keys() {
            let detail = format!("`{name}` is not defined here");
            self.report(OddityKind::UnknownMember, Weight::Tolerable, name, detail);
        }
        rest
    }

    /// Every member that was never asked for, without a report.
    pub fn rest(&self) -> Map<String, Value> {
        self.members
            .iter()
            .filter(|(name, _)| !self.known.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn typed<T: FromMember<'v>>(&mut self, name: &'static str, value: &'v Value) -> Option<T> {
        let typed = T::from_member(value);
        if typed.is_none() {
            let detail = format!("`{name}` is {}, not {}", type_name(value), T::EXPECTED);
            self.report(OddityKind::WrongType, Weight::Invalid, name, detail);
        }
        typed
    }
}

/// A Rust type that stands for one JSON type.
pub trait FromMember<'v>: Sized {
    /// The JSON type with its article, such as `a string`.
    const EXPECTED: &'static str;

    /// The value, if it has the JSON type.
    fn from_member(value: &'v Value) -> Option<Self>;
}

macro_rules! from_member {
    ($type:ty, $expected:literal, $read:expr) => {
        impl<'v> FromMember<'v> for $type {
            const EXPECTED: &'static str = $expected;

            fn from_member(value: &'v Value) -> Option<Self> {
                let read: fn(&'v Value) -> Option<Self> = $read;
                read(value)
            }
        }
    };
}

from_member!(&'v str, "a string", |v| v.as_str());
from_member!(String, "a string", |v| v.as_str().map(str::to_owned));
from_member!(bool, "a boolean", |v| v.as_bool());
from_member!(i64, "an integer", |v| v.as_i64());
from_member!(u64, "an integer of at least zero", |v| v.as_u64());
from_member!(&'v Map<String, Value>, "an object", |v| v.as_object());
from_member!(Map<String, Value>, "an object", |v| v.as_object().cloned());
from_member!(&'v Vec<Value>, "an array", |v| v.as_array());
from_member!(&'v Value, "any value", Some);

/// The JSON type of a value with its article, such as `a number`.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_every_mistake_at_once() {
        let value = json!({"name": 1, "extra": true, "gone": null});
        let mut oddities = Vec::new();
        let mut members = Members::open(&value, "/item", &mut oddities).unwrap();
        assert_eq!(members.required::<String>("name"), None);
        assert_eq!(members.required::<u64>("count"), None);
        assert_eq!(members.nullable::<u64>("gone"), None);
        assert_eq!(members.finish(), *json!({"extra": true}).as_object().unwrap());
        let seen: Vec<_> = oddities.iter().map(|o| (o.kind, o.path.as_str())).collect();
        assert_eq!(
            seen,
            [
                (OddityKind::WrongType, "/item/name"),
                (OddityKind::MissingMember, "/item/count"),
                (OddityKind::UnknownMember, "/item/extra"),
            ]
        );
    }

    #[test]
    fn opens_objects_only() {
        let mut oddities = Vec::new();
        assert!(Members::open(&json!([]), "", &mut oddities).is_none());
        assert_eq!(oddities[0].kind, OddityKind::WrongType);
    }
}
