//! The notebook of the thorough decoder: where it is in the message, and what it found there.

use super::direction::{Dialect, Direction};
use crate::oddity::{Oddity, OddityKind, Weight};
use std::{borrow::Cow, fmt};

/// What a rule may depend on besides the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) direction: Direction,
    pub(crate) dialect: Dialect,
}

impl Context {
    pub(crate) fn is_from_cloud(self) -> bool {
        self.direction == Direction::CloudToUnit
    }

    /// How much it matters that a size limit of the unit's parser is exceeded (reference section 1.3):
    /// a unit drops such a message, a cloud need not.
    pub(crate) fn unit_limit(self) -> Weight {
        if self.is_from_cloud() {
            Weight::Invalid
        } else {
            Weight::Tolerable
        }
    }
}

/// A broken rule, not yet bound to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: OddityKind,
    pub(crate) weight: Weight,
    pub(crate) detail: Cow<'static, str>,
}

impl Fault {
    pub(crate) fn invalid(kind: OddityKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Fault {
            kind,
            weight: Weight::Invalid,
            detail: detail.into(),
        }
    }

    pub(crate) fn tolerable(kind: OddityKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Fault {
            kind,
            weight: Weight::Tolerable,
            detail: detail.into(),
        }
    }

    pub(crate) fn weighing(weight: Weight, kind: OddityKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Fault {
            kind,
            weight,
            detail: detail.into(),
        }
    }
}

/// A place in the message, as a chain of steps from the root; prints as a JSON pointer.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Entry(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    pub(crate) fn member(&'a self, name: &'a str) -> Place<'a> {
        Place::Member(self, name)
    }

    pub(crate) fn entry(&'a self, index: usize) -> Place<'a> {
        Place::Entry(self, index)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Member(parent, name) => {
                write!(f, "{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Place::Entry(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// Everything found so far.
pub(crate) struct Report {
    pub(crate) context: Context,
    pub(crate) oddities: Vec<Oddity>,
}

impl Report {
    pub(crate) fn new(context: Context, oddities: Vec<Oddity>) -> Self {
        Report { context, oddities }
    }

    pub(crate) fn tell(&mut self, place: &Place<'_>, fault: Fault) {
        self.oddities.push(Oddity {
            kind: fault.kind,
            weight: fault.weight,
            path: place.to_string(),
            detail: fault.detail.into_owned(),
        });
    }

    pub(crate) fn wrong_type(&mut self, place: &Place<'_>, expected: &'static str) {
        let detail = format!("must be {expected}");
        self.tell(place, Fault::invalid(OddityKind::WrongType, detail));
    }
}
