//! What one `expect` or `never` watches for: read from the record of its step, fed with events, settled once.

use super::matching::is_meant;
use hil_scenario::{Condition, NOTHING};
use hil_trace::{Event, Stamp};
use serde_json::{Map, Value};
use std::rc::Rc;

/// A watch as the record of its step describes it. All times are absolute.
#[derive(Clone)]
pub(super) struct Watch {
    pub(super) event: String,
    pub(super) verifies: Vec<String>,
    pub(super) stimulus: Option<String>,
    pattern: Value,
    condition: Option<Condition>,
    variables: Map<String, Value>,
    /// Events up to this record are none of its business.
    base: Option<u64>,
    after: Option<Stamp>,
    pub(super) before: Option<Stamp>,
    hold_us: Option<u64>,
    times: usize,
    tolerance_us: u64,
    seen: Vec<Event>,
    holding: Option<Stamp>,
}

/// What a watch says after an event or a deadline.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    /// Nothing yet.
    Open,
    /// The event came, in its window.
    Met(Vec<Event>),
    /// It came too early.
    Early(Event, Stamp),
    /// It came, so near to a bound that the clock's tolerance decides.
    Marginal(Event),
    /// After it, another one came while it should hold.
    NotHeld(Event),
    /// It did not come in time; what came instead, of the same name.
    Missing,
}

/// The requirements a step names, without the word that it decides none.
pub(super) fn decided(verifies: &[String]) -> impl Iterator<Item = &String> {
    verifies.iter().filter(|id| *id != NOTHING)
}

impl Watch {
    /// The requirements it decides by name.
    pub(super) fn decided(&self) -> impl Iterator<Item = &String> {
        decided(&self.verifies)
    }

    pub(super) fn read(arguments: &Value, tolerance_us: u64) -> Watch {
        let stamp = |name: &str| arguments.get(name).and_then(Value::as_u64).map(Stamp);
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let strings = |name: &str| -> Vec<String> {
            let list = arguments.get(name).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Watch {
            event: text("event").unwrap_or_default().to_owned(),
            verifies: strings("verifies"),
            stimulus: text("stimulus").map(str::to_owned),
            pattern: arguments
                .get("match")
                .cloned()
                .unwrap_or_else(|| Value::Object(Map::new())),
            condition: text("where").and_then(|text| Condition::parse(text).ok()),
            variables: arguments
                .get("variables")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            base: arguments.get("base").and_then(Value::as_u64),
            after: stamp("after_us"),
            before: stamp("before_us"),
            hold_us: arguments.get("hold_us").and_then(Value::as_u64),
            times: arguments.get("times").and_then(Value::as_u64).unwrap_or(1) as usize,
            tolerance_us,
            seen: Vec::new(),
            holding: None,
        }
    }

    pub(super) fn is_meant(&self, event: &Event) -> bool {
        is_meant(
            event,
            &self.event,
            &self.pattern,
            self.condition.as_ref(),
            &self.variables,
        )
    }

    fn precedes(&self, event: &Event) -> bool {
        let record = event.records.last().copied().unwrap_or_default();
        self.base.is_some_and(|base| record <= base)
    }

    /// True if the event lies in the window a `never` forbids.
    pub(super) fn covers(&self, event: &Event) -> bool {
        !self.precedes(event)
            && self.after.is_none_or(|after| event.at >= after)
            && self.before.is_none_or(|before| event.at <= before)
            && self.is_meant(event)
    }

    /// Every event in the window, in order, if it is drawn so many microseconds wider at both ends; narrower if negative.
    pub(super) fn covered<'e>(&self, events: &'e [Rc<Event>], wider_us: i64) -> Vec<&'e Rc<Event>> {
        let moved = |stamp: Stamp, us: i64| Stamp(stamp.0.saturating_add_signed(us));
        let inside = |event: &&Rc<Event>| {
            !self.precedes(event)
                && self.after.is_none_or(|after| event.at >= moved(after, -wider_us))
                && self
                    .before
                    .is_none_or(|before| event.at <= moved(before, wider_us))
                && self.is_meant(event)
        };
        events.iter().filter(inside).collect()
    }

    /// True if a `never` also forbids what came before its step: it names the moment it begins at.
    pub(super) fn covers_the_past(&self) -> bool {
        self.after.is_some()
    }

    /// Takes in an event of an `expect`.
    pub(super) fn observe(&mut self, event: &Event) -> Answer {
        if self.precedes(event) || !self.is_meant(event) {
            return Answer::Open;
        }
        if self.holding.is_some() {
            return Answer::NotHeld(event.clone());
        }
        if let Some(after) = self.after
            && event.at < after
        {
            let short = after.0 - event.at.0;
            return if short <= self.tolerance_us {
                Answer::Marginal(event.clone())
            } else {
                Answer::Early(event.clone(), after)
            };
        }
        self.seen.push(event.clone());
        if self.seen.len() < self.times.max(1) {
            return Answer::Open;
        }
        match self.hold_us {
            None => Answer::Met(std::mem::take(&mut self.seen)),
            Some(hold) => {
                self.holding = Some(Stamp(event.at.0.saturating_add(hold)));
                Answer::Open
            }
        }
    }

    /// The instant after which nothing can settle it any more; strictly after its window.
    pub(super) fn deadline(&self) -> Option<Stamp> {
        let slack = match self.holding {
            Some(_) => 0,
            None => self.tolerance_us,
        };
        let last = self.holding.or(self.before)?;
        Some(Stamp(last.0.saturating_add(slack).saturating_add(1)))
    }

    /// The deadline has passed.
    pub(super) fn expire(&mut self) -> Answer {
        match self.holding {
            Some(_) => Answer::Met(std::mem::take(&mut self.seen)),
            None => Answer::Missing,
        }
    }

    /// True if the event came after its window closed, but within the tolerance.
    pub(super) fn is_late(&self, event: &Event) -> bool {
        self.before.is_some_and(|before| event.at > before)
    }

    /// `unit.ack {id: "x"}`, for people.
    pub(super) fn describe(&self) -> String {
        let mut text = self.event.clone();
        if self.times > 1 {
            text = format!("{} times {text}", self.times);
        }
        if self
            .pattern
            .as_object()
            .is_some_and(|pattern| !pattern.is_empty())
        {
            text = format!("{text} {}", self.pattern);
        }
        if let Some(condition) = &self.condition {
            text = format!("{text} where {}", condition.text());
        }
        text
    }

    /// How many of several came.
    pub(super) fn progress(&self) -> Option<(usize, usize)> {
        (self.times > 1).then_some((self.seen.len(), self.times))
    }
}
