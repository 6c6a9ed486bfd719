//! Takes known members out of a JSON object; what is left, unknown or of a wrong type, stays with its owner.

use crate::oddity::{Oddity, OddityKind, Weight};
use serde_json::{Map, Value};

pub(super) struct Members<'a> {
    pub(super) rest: Map<String, Value>,
    pub(super) oddities: Vec<Oddity>,
    path: &'a str,
}

impl<'a> Members<'a> {
    pub(super) fn new(rest: Map<String, Value>, path: &'a str) -> Self {
        Members {
            rest,
            oddities: Vec::new(),
            path,
        }
    }

    /// Takes a member if `read` understands it. Otherwise it stays and is noted with `weight`.
    pub(super) fn take<T>(
        &mut self,
        name: &str,
        expected: &str,
        weight: Weight,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        match read(self.rest.get(name)?) {
            Some(value) => {
                self.rest.shift_remove(name);
                Some(value)
            }
            None => {
                self.oddities.push(Oddity {
                    kind: OddityKind::WrongType,
                    weight,
                    path: self.path_of(name),
                    detail: format!("must be {expected}"),
                });
                None
            }
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, "a string", Weight::Invalid, read_text)
    }

    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        self.take(name, "an integer", Weight::Invalid, Value::as_i64)
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        self.take(name, "a boolean", Weight::Invalid, Value::as_bool)
    }

    /// Takes a member whatever it is.
    pub(super) fn any(&mut self, name: &str) -> Option<Value> {
        self.rest.shift_remove(name)
    }

    /// Notes that a required member is absent.
    pub(super) fn require<T>(&mut self, name: &str, value: &Option<T>) {
        if value.is_none() && !self.rest.contains_key(name) {
            self.oddities.push(Oddity::invalid(
                OddityKind::MissingMember,
                self.path_of(name),
                "required member is absent",
            ));
        }
    }

    /// Notes every member left over that is not one of `known`.
    pub(super) fn note_unknown(&mut self, known: &[&str]) {
        for name in self.rest.keys().filter(|name| !known.contains(&name.as_str())) {
            self.oddities.push(Oddity::tolerable(
                OddityKind::UnknownMember,
                self.path_of(name),
                "not a member this protocol defines",
            ));
        }
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1"))
    }
}

pub(super) fn read_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
