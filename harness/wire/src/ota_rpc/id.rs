//! The id that ties a reply to its request.

use serde_json::{Number, Value};
use std::fmt;

/// A frame id: any JSON number or string (reference section 1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// A number; `mos` draws integers from 2^40 up to 2^41.
    Number(Number),
    /// A string.
    Text(String),
}

impl Id {
    /// Reads an id; `None` for every type but number and string.
    pub fn from_value(value: &Value) -> Option<Id> {
        match value {
            Value::Number(number) => Some(Id::Number(number.clone())),
            Value::String(text) => Some(Id::Text(text.clone())),
            _ => None,
        }
    }

    /// The id as JSON.
    pub fn to_value(&self) -> Value {
        match self {
            Id::Number(number) => Value::Number(number.clone()),
            Id::Text(text) => Value::String(text.clone()),
        }
    }

    /// The id as the upstream service echoes it: a string made only of digits becomes a number.
    pub fn upstream_echo(&self) -> Id {
        match self {
            Id::Text(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text
                .parse::<i64>()
                .map_or_else(|_| self.clone(), |number| Id::Number(number.into())),
            _ => self.clone(),
        }
    }

    /// True if a reply with id `reply` answers a request with this id, however the number is spelled.
    pub fn answers(&self, reply: &Id) -> bool {
        self == reply || self.upstream_echo() == reply.upstream_echo()
    }
}

impl From<i64> for Id {
    fn from(number: i64) -> Self {
        Id::Number(number.into())
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Id::Text(text.to_owned())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(number) => number.fmt(f),
            Id::Text(text) => write!(f, "{text:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_of_digits_answers_as_a_number() {
        assert_eq!(Id::from("0042").upstream_echo(), Id::from(42));
        assert!(Id::from("42").answers(&Id::from(42)));
        assert!(!Id::from("4a").answers(&Id::from(4)));
        assert_eq!(Id::from("").upstream_echo(), Id::from(""));
        let huge = Id::from("99999999999999999999");
        assert_eq!(huge.upstream_echo(), huge);
    }
}
