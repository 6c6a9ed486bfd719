//! What `measure` measures and what it holds the time against.

use crate::{condition::Condition, moment::Moment, moment::Span, template::Template};
use hil_trace::Quantile;

/// The time between two ends, with its bounds.
#[derive(Clone, Debug)]
pub struct Measure {
    /// Where it begins.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// Of each value alone.
    pub each: Limits,
    /// Of quantiles over all repeats.
    pub quantiles: Vec<(Quantile, Limits)>,
    /// How far the trend over all repeats may carry the value, up or down.
    pub drift: Option<Span>,
}

/// Least and greatest length allowed.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Not less than this.
    pub min: Option<Span>,
    /// Not more than this.
    pub max: Option<Span>,
}

impl Measure {
    /// True if the time, or what all repeats make of it, is held against anything.
    pub(crate) fn is_bounded(&self) -> bool {
        let holds = |limits: &Limits| limits.min.is_some() || limits.max.is_some();
        holds(&self.each) || self.quantiles.iter().any(|(_, limits)| holds(limits)) || self.drift.is_some()
    }
}

/// One end of a measured time.
#[derive(Clone, Debug)]
pub enum End {
    /// The moment of a named step.
    Step(String),
    /// An event, wherever it came in the instance.
    Event(Box<Occurrence>),
}

/// An event that has happened by the time of the step.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// Full name of the event, such as `unit.booted`.
    pub event: String,
    /// Partial match of its fields.
    pub matching: Template,
    /// CEL condition over `event`, `params` and named steps.
    pub condition: Option<Condition>,
    /// Not before this moment.
    pub after: Option<Moment>,
    /// Not after this moment.
    pub before: Option<Moment>,
    /// Which of those that fit.
    pub which: Which,
}

/// Which of several events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The first one.
    #[default]
    First,
    /// The last one.
    Last,
}

impl Which {
    /// Every one, in the order people think of them.
    pub const ALL: [Which; 2] = [Which::First, Which::Last];

    /// The word scenarios use.
    pub fn name(self) -> &'static str {
        match self {
            Which::First => "first",
            Which::Last => "last",
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Step(name) => f.write_str(name),
            End::Event(occurrence) => write!(f, "{} {}", occurrence.which.name(), occurrence.event),
        }
    }
}
