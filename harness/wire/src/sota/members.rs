//! Reads JSON structures by the rules of this protocol: every member required, unknown ones ignored.

use super::dialect::Dialect;
use crate::oddity::{Oddity, OddityKind};
use serde_json::{Map, Value};

/// How result codes are written: as names to the client, as numbers by the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codes {
    Names,
    Numbers,
}

/// What a reader needs to know and where it puts what it notices.
pub(super) struct Context {
    pub(super) dialect: Dialect,
    pub(super) codes: Codes,
    pub(super) oddities: Vec<Oddity>,
}

impl Context {
    pub(super) fn new(dialect: Dialect, codes: Codes) -> Self {
        Context {
            dialect,
            codes,
            oddities: Vec::new(),
        }
    }

    pub(super) fn invalid(&mut self, kind: OddityKind, path: &str, detail: impl Into<String>) {
        self.oddities.push(Oddity::invalid(kind, path, detail));
    }

    pub(super) fn tolerable(&mut self, kind: OddityKind, path: &str, detail: impl Into<String>) {
        self.oddities.push(Oddity::tolerable(kind, path, detail));
    }

    fn wrong_type<T>(&mut self, path: &str, expected: &str) -> Option<T> {
        self.invalid(OddityKind::WrongType, path, format!("must be {expected}"));
        None
    }
}

/// A structure that can be read from JSON.
pub(super) trait Read: Sized {
    /// Reads `value`, which stands at `path`; `None` if a required part is missing or wrong.
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self>;
}

impl Read for String {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => context.wrong_type(path, "a string"),
        }
    }
}

impl Read for bool {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        match value.as_bool() {
            Some(flag) => Some(flag),
            None => context.wrong_type(path, "a boolean"),
        }
    }
}

impl Read for u64 {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        match value.as_u64() {
            Some(number) => Some(number),
            None => context.wrong_type(path, "a whole number, not negative"),
        }
    }
}

impl Read for i32 {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        match value.as_i64().and_then(|number| i32::try_from(number).ok()) {
            Some(number) => Some(number),
            None => context.wrong_type(path, "a whole number of 32 bits"),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, path: &str, context: &mut Context) -> Option<Self> {
        let Some(items) = value.as_array() else {
            return context.wrong_type(path, "an array");
        };
        let items: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| T::read(item, &format!("{path}/{index}"), context))
            .collect();
        items.into_iter().collect()
    }
}

/// The members of an object, each to be asked for once.
pub(super) struct Members<'v> {
    map: &'v Map<String, Value>,
    path: String,
    known: Vec<&'static str>,
}

impl<'v> Members<'v> {
    pub(super) fn of(value: &'v Value, path: &str, context: &mut Context) -> Option<Self> {
        match value.as_object() {
            Some(map) => Some(Members {
                map,
                path: path.to_owned(),
                known: Vec::new(),
            }),
            None => context.wrong_type(path, "an object"),
        }
    }

    /// A required member.
    pub(super) fn get<T: Read>(&mut self, name: &'static str, context: &mut Context) -> Option<T> {
        let path = format!("{}/{name}", self.path);
        self.known.push(name);
        match self.map.get(name) {
            Some(value) => T::read(value, &path, context),
            None => {
                context.invalid(OddityKind::MissingMember, &path, "required member is absent");
                None
            }
        }
    }

    /// A member that may be absent.
    pub(super) fn optional<T: Read>(&mut self, name: &'static str, context: &mut Context) -> Option<T> {
        if self.map.contains_key(name) {
            self.get(name, context)
        } else {
            self.known.push(name);
            None
        }
    }

    /// Notes the members nobody asked for.
    pub(super) fn note_unknown(&self, context: &mut Context) {
        for name in self
            .map
            .keys()
            .filter(|name| !self.known.contains(&name.as_str()))
        {
            let path = format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1"));
            context.tolerable(
                OddityKind::UnknownMember,
                &path,
                "not a member this protocol defines",
            );
        }
    }
}
