//! Arguments of faults: typed access that blames the argument.

use crate::FaultError;
use hil_diagnostic::{duration_of, parse_duration};
use serde_json::{Map, Value};
use std::{ops::RangeInclusive, time::Duration};

/// The arguments of one fault, with its name for those it blames.
pub(crate) struct Arguments<'a> {
    /// Full name of the fault.
    pub(crate) fault: &'a str,
    /// The arguments.
    pub(crate) map: &'a Map<String, Value>,
}

impl Arguments<'_> {
    /// The mistake of an argument that is not there.
    pub(crate) fn missing(&self, argument: &'static str) -> FaultError {
        FaultError::Missing {
            fault: self.fault.to_owned(),
            argument,
        }
    }

    /// The mistake of an argument with a wrong type or value.
    pub(crate) fn bad(&self, argument: &'static str, problem: &'static str) -> FaultError {
        FaultError::BadArgument {
            fault: self.fault.to_owned(),
            argument,
            problem,
        }
    }

    /// An argument as it is; null is none.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|v| !v.is_null())
    }

    /// Text.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.bad(name, "must be text")),
        }
    }

    /// Text, or a number as text.
    pub(crate) fn loose_text(&self, name: &'static str) -> Option<String> {
        self.value(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    /// A whole number.
    pub(crate) fn whole(&self, name: &'static str) -> Result<Option<i64>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_i64()
                .map(Some)
                .ok_or(self.bad(name, "must be a whole number")),
        }
    }

    /// A whole number, not negative.
    pub(crate) fn count(&self, name: &'static str) -> Result<Option<u64>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or(self.bad(name, "must be a whole number, not negative")),
        }
    }

    /// A whole number inside a range; `problem` says which.
    pub(crate) fn count_in<T: TryFrom<u64> + PartialOrd>(
        &self,
        name: &'static str,
        range: RangeInclusive<T>,
        problem: &'static str,
    ) -> Result<Option<T>, FaultError> {
        let Some(count) = self.count(name)? else {
            return Ok(None);
        };
        let count = T::try_from(count).ok().filter(|count| range.contains(count));
        count.map(Some).ok_or(self.bad(name, problem))
    }

    /// A whole number that is not 0.
    pub(crate) fn at_least_one(&self, name: &'static str) -> Result<Option<u64>, FaultError> {
        self.count_in(name, 1..=u64::MAX, "must be at least 1")
    }

    /// True or false.
    pub(crate) fn flag(&self, name: &'static str) -> Result<Option<bool>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_bool()
                .map(Some)
                .ok_or(self.bad(name, "must be true or false")),
        }
    }

    /// A span: seconds, or text such as `3s`.
    pub(crate) fn span(&self, name: &'static str) -> Result<Option<Duration>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => parse_duration(text)
                .ok()
                .map(Some)
                .ok_or(self.bad(name, "must be a duration such as 500ms or 3s")),
            Some(value) => value
                .as_f64()
                .and_then(|seconds| duration_of(seconds).ok())
                .map(Some)
                .ok_or(self.bad(
                    name,
                    "must be a duration, not negative and of a hundred years at most",
                )),
        }
    }
}
