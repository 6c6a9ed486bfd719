//! What one `expect` or `never` watches for: read from the record of its step, fed with events, settled once.

use super::matching::is_meant;
use hil_scenario::{Condition, NOTHING};
use hil_trace::{Event, Stamp};
use serde_json::{Map, Value};

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
    slack: Slack,
    seen: Vec<Event>,
    /// One of those seen may lie outside.
    unclear: bool,
    holding: Option<Stamp>,
}

/// How far times may be off for a watch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slack {
    /// The time between two stamps, microseconds.
    pub(super) us: u64,
    /// The window begins with the record of a step, or so soon after it that only the order of records tells.
    pub(super) begins_with_step: bool,
    /// The window ends with the record of a step.
    pub(super) ends_with_step: bool,
}

/// Where an event lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Placed {
    /// Outside of the window.
    Outside,
    /// So near to one of its ends that the clock does not tell.
    Unclear,
    /// In the window.
    Inside,
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

    pub(super) fn read(arguments: &Value, slack: Slack) -> Watch {
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
            slack,
            seen: Vec::new(),
            unclear: false,
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

    /// Where an event lies, whatever it is.
    pub(super) fn placed(&self, event: &Event) -> Placed {
        if self.precedes(event) {
            return Placed::Outside;
        }
        let at = event.at;
        let after = self.after.map_or(Placed::Inside, |after| {
            self.side(at >= after, at.0.abs_diff(after.0), self.slack.begins_with_step)
        });
        let before = self.before.map_or(Placed::Inside, |before| {
            self.side(at <= before, at.0.abs_diff(before.0), self.slack.ends_with_step)
        });
        after.min(before)
    }

    /// On which side of one end it lies, that far from it; `ordered`: on the inner side the order of records tells.
    fn side(&self, inner: bool, off_us: u64, ordered: bool) -> Placed {
        let clear = off_us > self.slack.us || self.slack.us == 0;
        match inner {
            true if clear || ordered => Placed::Inside,
            false if clear => Placed::Outside,
            _ => Placed::Unclear,
        }
    }

    /// Whether a `never` forbids the event.
    pub(super) fn forbids(&self, event: &Event) -> Placed {
        let early = self.after.is_some_and(|after| event.at < after);
        match () {
            () if early && self.slack.begins_with_step => Placed::Outside,
            () if !self.is_meant(event) => Placed::Outside,
            () => self.placed(event),
        }
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
        if let Some(until) = self.holding {
            let near = until.0.saturating_sub(event.at.0) <= self.slack.us && self.slack.us > 0;
            return match near {
                true => Answer::Marginal(event.clone()),
                false => Answer::NotHeld(event.clone()),
            };
        }
        let placed = self.placed(event);
        if let Some(after) = self.after.filter(|after| event.at < *after) {
            return match placed {
                Placed::Unclear => Answer::Marginal(event.clone()),
                _ => Answer::Early(event.clone(), after),
            };
        }
        if placed == Placed::Outside {
            return Answer::Open;
        }
        self.unclear |= placed == Placed::Unclear;
        self.seen.push(event.clone());
        if self.seen.len() < self.times.max(1) {
            return Answer::Open;
        }
        if self.unclear {
            return Answer::Marginal(event.clone());
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
        let last = self.holding.or(self.before)?;
        Some(Stamp(last.0.saturating_add(self.slack.us).saturating_add(1)))
    }

    /// The deadline has passed.
    pub(super) fn expire(&mut self) -> Answer {
        match self.holding {
            Some(_) => Answer::Met(std::mem::take(&mut self.seen)),
            None => Answer::Missing,
        }
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
