//! A fault as somebody asked for it.

use crate::{Effect, arguments::Arguments};
use serde_json::{Map, Value};

/// A fault: what it waits for, and what it does.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultSpec {
    /// Full name, such as `cloud.status`.
    pub name: String,
    /// Operation or message it waits for; `any` for all.
    pub on: String,
    /// Facts the message must have, compared one by one.
    pub matching: Map<String, Value>,
    /// Matches let pass before the first effect.
    pub skip: u32,
    /// How often it acts; `None` = until cleared.
    pub times: Option<u32>,
    /// Each match strikes with this probability; `None` = always.
    pub probability: Option<f64>,
    /// What it does.
    pub effect: Effect,
}

/// Why arguments do not make a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault of that name.
    #[error("there is no fault `{0}`")]
    UnknownFault(String),
    /// A needed argument is not there.
    #[error("`{fault}` needs `{argument}`")]
    Missing {
        /// The fault.
        fault: String,
        /// The argument.
        argument: &'static str,
    },
    /// An argument has the wrong type or value.
    #[error("`{argument}` of `{fault}`: {problem}")]
    BadArgument {
        /// The fault.
        fault: String,
        /// The argument.
        argument: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl FaultSpec {
    /// Reads a fault from its name and arguments. Durations are numbers of seconds or texts such as `3s`.
    pub fn parse(name: &str, arguments: &Map<String, Value>) -> Result<FaultSpec, FaultError> {
        let read = Arguments {
            fault: name,
            map: arguments,
        };
        let effect = Effect::parse(name, &read)?;
        let matching = match arguments.get("match") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map.clone(),
            Some(_) => return Err(read.bad("match", "a map of facts")),
        };
        Ok(FaultSpec {
            name: name.to_owned(),
            on: read.text("on")?.unwrap_or_else(|| "any".to_owned()),
            matching,
            skip: read.count_in("skip", 0..=u32::MAX, TOO_OFTEN)?.unwrap_or(0),
            times: read.count_in("times", 0..=u32::MAX, TOO_OFTEN)?,
            probability: None,
            effect,
        })
    }

    /// The same fault, striking each match with this probability only, from 0 to 1.
    #[must_use]
    pub fn with_probability(self, probability: Option<f64>) -> FaultSpec {
        FaultSpec { probability, ..self }
    }
}

const TOO_OFTEN: &str = "must be 4294967295 at most";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnswerPart, ExchangeEffect, UnitEffect};
    use serde_json::json;
    use std::time::Duration;

    fn parse(name: &str, arguments: Value) -> Result<FaultSpec, FaultError> {
        FaultSpec::parse(name, arguments.as_object().expect("a map"))
    }

    #[test]
    fn reads_arguments_of_every_kind() {
        let spec = parse(
            "cloud.status",
            json!({"on": "ack", "status": 503, "retry_after": 120, "times": 2}),
        );
        let effect = Effect::Exchange(ExchangeEffect::Status {
            status: 503,
            retry_after: Some("120".into()),
            retry_in: None,
            body: None,
        });
        assert_eq!(
            spec.map(|s| (s.on, s.times, s.effect)),
            Ok(("ack".into(), Some(2), effect))
        );
        let spec = parse("cloud.stall", json!({"on": "poll", "for": "1.5s"}));
        let effect = Effect::Exchange(ExchangeEffect::Stall {
            part: AnswerPart::Body,
            after_bytes: None,
            span: Some(Duration::from_millis(1500)),
        });
        assert_eq!(spec.map(|s| s.effect), Ok(effect));
        let spec = parse(
            "unit.power_cut_at_write",
            json!({"write": 7, "torn": true, "for": "2s"}),
        );
        let effect = Effect::Unit(UnitEffect::PowerCutAtWrite {
            write: 7,
            torn: true,
            outage: Some(Duration::from_secs(2)),
        });
        assert_eq!(spec.map(|s| s.effect), Ok(effect));
    }

    #[test]
    fn blames_the_argument() {
        let missing = parse("cloud.status", json!({"on": "ack"}));
        assert_eq!(
            missing.map_err(|e| e.to_string()),
            Err("`cloud.status` needs `status`".into())
        );
        assert!(matches!(
            parse("cloud.moon", json!({})),
            Err(FaultError::UnknownFault(_))
        ));
    }

    #[test]
    fn what_is_too_much_is_said_and_not_made_less() {
        for (name, arguments) in [
            ("cloud.delay", json!({"by": "soon"})),
            ("cloud.delay", json!({"by": 1e19})),
            ("cloud.repeat", json!({"copies": u64::MAX})),
            ("cloud.withhold", json!({"times": 1_u64 << 32})),
            ("cloud.status", json!({"status": 99_999})),
            ("cloud.close", json!({"code": 99_999})),
            ("cloud.fragment", json!({"parts": 1})),
            ("cloud.bad_json", json!({"kind": "deep", "depth": u64::MAX})),
            ("line.split", json!({"parts": 65, "pause": "1s"})),
            (
                "unit.brown_out",
                json!({"dips": u64::MAX, "up": "0s", "down": "0s"}),
            ),
        ] {
            let refused = matches!(parse(name, arguments), Err(FaultError::BadArgument { .. }));
            assert!(refused, "{name}");
        }
    }
}
