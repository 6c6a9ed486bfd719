//! Points and lengths of time as scenarios write them.

use crate::{
    lookup::{Lookup, Unresolved},
    sum::{ExpressionError, Sum},
};
use hil_trace::Stamp;
use std::{fmt, time::Duration};

/// A point in time: a named step with spans added or taken away, such as `nacked + 3s` or
/// `polled + ${unit.poll_interval} * 2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment(Sum);

impl Moment {
    /// Reads a moment; it names one step.
    pub fn parse(text: &str) -> Result<Moment, ExpressionError> {
        let sum = Sum::parse(text)?;
        let named = sum
            .terms
            .iter()
            .filter(|t| matches!(t.atom, crate::sum::Atom::Step(_)));
        let factors: Vec<f64> = named.map(|t| t.factor).collect();
        if factors == [1.0] {
            return Ok(Moment(sum));
        }
        let message = match factors.as_slice() {
            [] => "a moment begins with the name of a step, such as `nacked + 3s`",
            [_] => "the step of a moment is neither taken away nor multiplied",
            _ => "a moment names one step only",
        };
        Err(whole(text, message))
    }

    /// The step it counts from.
    pub fn step(&self) -> &str {
        self.0.steps().next().unwrap_or_default()
    }

    /// The point on the bench's clock; `at` tells when a named step happened. Never before the start of the bench.
    pub fn resolve(
        &self,
        at: &dyn Fn(&str) -> Option<Stamp>,
        lookup: &dyn Lookup,
    ) -> Result<Stamp, Unresolved> {
        let step = at(self.step()).ok_or_else(|| Unresolved::NotHappened {
            step: self.step().to_owned(),
        })?;
        let seconds = self.0.seconds(lookup)?;
        let span = Duration::from_micros((seconds.abs() * 1e6).round() as u64);
        Ok(if seconds < 0.0 {
            step.minus(span)
        } else {
            step + span
        })
    }

    /// Every path it refers to.
    pub fn references(&self) -> Vec<&str> {
        self.0.references()
    }

    /// Seconds from the step it names to the moment, if that does not depend on the run.
    pub fn seconds_after_step(&self) -> Option<f64> {
        let step = Sum::parse(self.step()).ok()?;
        self.0.difference(&step)
    }

    /// Seconds from another moment to this one, if that does not depend on the run.
    pub fn seconds_since(&self, other: &Moment) -> Option<f64> {
        self.0.difference(&other.0)
    }
}

/// A length of time, such as `3s` or `${unit.poll_interval} * 2 + 500ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Span(Sum);

impl Span {
    /// Reads a span; it names no step.
    pub fn parse(text: &str) -> Result<Span, ExpressionError> {
        let sum = Sum::parse(text).map_err(|error| ExpressionError {
            message: error.message.replace("a step name, a duration", "a duration"),
            ..error
        })?;
        if let Some(step) = sum.steps().next() {
            let message = format!("a span is a duration such as 3s; `{step}` names a step");
            return Err(whole(text, &message));
        }
        Ok(Span(sum))
    }

    /// The length; negative sums have none.
    pub fn resolve(&self, lookup: &dyn Lookup) -> Result<Duration, Unresolved> {
        let seconds = self.0.seconds(lookup)?;
        let negative = || Unresolved::Negative {
            text: self.0.text.clone(),
            seconds,
        };
        let micros = (seconds * 1e6).round();
        if micros < 0.0 {
            return Err(negative());
        }
        Ok(Duration::from_micros(micros as u64))
    }

    /// Seconds, possibly negative, if it refers to nothing.
    pub fn constant(&self) -> Option<f64> {
        self.0.constant()
    }

    /// Every path it refers to.
    pub fn references(&self) -> Vec<&str> {
        self.0.references()
    }

    /// Seconds by which this is longer than another span, if that does not depend on the run.
    pub fn seconds_beyond(&self, other: &Span) -> Option<f64> {
        self.0.difference(&other.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

fn whole(text: &str, message: &str) -> ExpressionError {
    ExpressionError {
        offset: 0,
        length: text.len(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    fn scope() -> Map<String, Value> {
        let scope = json!({"unit": {"poll_interval": 30, "jitter": "500ms", "name": "x"}});
        scope.as_object().unwrap().clone()
    }

    fn span(text: &str) -> Result<Duration, Unresolved> {
        Span::parse(text).unwrap().resolve(&scope())
    }

    #[test]
    fn spans_add_up() {
        assert_eq!(span("3s"), Ok(Duration::from_secs(3)));
        assert_eq!(span("1.5s + 500ms"), Ok(Duration::from_secs(2)));
        assert_eq!(span("${unit.poll_interval} * 2"), Ok(Duration::from_secs(60)));
        assert_eq!(
            span("2 * ${unit.poll_interval} - ${unit.jitter}"),
            Ok(Duration::from_millis(59_500))
        );
        assert_eq!(span("${unit.poll_interval}/4"), Ok(Duration::from_millis(7_500)));
        assert_eq!(span("1m*0.5"), Ok(Duration::from_secs(30)));
    }

    #[test]
    fn spans_without_a_value_say_why() {
        assert!(matches!(span("${unit.x}"), Err(Unresolved::Missing { .. })));
        assert!(matches!(
            span("${unit.name}"),
            Err(Unresolved::NotADuration { .. })
        ));
        assert!(matches!(
            span("1s - ${unit.poll_interval}"),
            Err(Unresolved::Negative { .. })
        ));
    }

    #[test]
    fn moments_count_from_a_step() {
        let at = |name: &str| (name == "nacked").then_some(Stamp(5_000_000));
        let resolve = |text: &str| Moment::parse(text).unwrap().resolve(&at, &scope());
        assert_eq!(resolve("nacked"), Ok(Stamp(5_000_000)));
        assert_eq!(resolve("nacked + 3s"), Ok(Stamp(8_000_000)));
        assert_eq!(resolve("nacked - 1s"), Ok(Stamp(4_000_000)));
        assert_eq!(resolve("nacked - 1m"), Ok(Stamp(0)));
        assert_eq!(resolve("${unit.poll_interval} + nacked"), Ok(Stamp(35_000_000)));
        let step = "other".to_owned();
        assert_eq!(resolve("other"), Err(Unresolved::NotHappened { step }));
    }

    #[test]
    fn windows_are_compared_where_they_can_be() {
        let moment = |text| Moment::parse(text).unwrap();
        let difference = |a, b| moment(a).seconds_since(&moment(b));
        assert_eq!(difference("nacked + 5s", "nacked + 3s"), Some(2.0));
        assert_eq!(
            difference("a + ${unit.x} * 2", "a + ${unit.x} + ${unit.x}"),
            Some(0.0)
        );
        assert_eq!(difference("a + ${unit.x}", "a"), None);
        assert_eq!(difference("a", "b"), None);
    }

    #[test]
    fn wrong_expressions_are_refused_with_a_place() {
        let error = |text| Span::parse(text).unwrap_err();
        assert_eq!(error("3").message, "a duration needs a unit: ms, s, m or h");
        assert_eq!(error("3s 4s").offset, 3);
        assert_eq!(error("3s +").offset, 4);
        assert_eq!(error("${unit.x").message, "expected `${path}`");
        assert_eq!(error("${} * 2").length, 3);
        assert_eq!(error("3s / 0").message, "cannot divide by zero");
        assert_eq!(error("nacked + 3s").offset, 0);
        for text in ["3s", "a + b", "3s - a", "2 * a", ""] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }
}
