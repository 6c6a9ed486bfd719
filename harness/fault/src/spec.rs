//! A fault as somebody asked for it.

use crate::{Effect, ResetPoint};
use hil_diagnostic::parse_duration;
use serde_json::{Map, Value};
use std::time::Duration;

/// A fault: its site, its trigger, its effect.
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
        let kind = name
            .strip_prefix("cloud.")
            .ok_or_else(|| FaultError::UnknownFault(name.to_owned()))?;
        let effect = match kind {
            "status" => Effect::Status {
                status: read
                    .whole("status")?
                    .and_then(|n| u16::try_from(n).ok())
                    .ok_or(read.missing("status"))?,
                retry_after: read.loose_text("retry_after"),
                body: read.text("body")?,
            },
            "reset" => Effect::Reset(match read.text("when")?.ok_or(read.missing("when"))?.as_str() {
                "before_handling" => ResetPoint::BeforeHandling,
                "after_handling" => ResetPoint::AfterHandling,
                "in_body" => ResetPoint::InBody(read.count("after_bytes")?.unwrap_or(0)),
                _ => return Err(read.bad("when", "before_handling, after_handling or in_body")),
            }),
            "stall" => Effect::Stall {
                after_bytes: read.count("after_bytes")?,
                span: read.span("for")?,
            },
            "drip" => Effect::Drip {
                bytes: match read.count("bytes")? {
                    Some(0) => return Err(read.bad("bytes", "must be at least 1")),
                    bytes => bytes.unwrap_or(1),
                },
                every: read.span("every")?.ok_or(read.missing("every"))?,
            },
            "truncate" => Effect::Truncate {
                after_bytes: read.count("after_bytes")?.ok_or(read.missing("after_bytes"))?,
                announce: read.flag("announce")?.unwrap_or(true),
            },
            "corrupt" => Effect::Corrupt {
                byte: read.whole("byte")?.unwrap_or(0),
            },
            "body" => Effect::Body {
                body: read.text("body")?.ok_or(read.missing("body"))?,
                content_type: read
                    .text("content_type")?
                    .unwrap_or_else(|| "application/json".to_owned()),
            },
            "redirect" => Effect::Redirect {
                target: read.text("target")?.ok_or(read.missing("target"))?,
                status: match read.whole("status")? {
                    None => 302,
                    Some(status @ 300..=399) => status as u16,
                    Some(_) => return Err(read.bad("status", "must be that of a redirect")),
                },
            },
            "withhold" => Effect::Withhold,
            "nack" => Effect::Nack {
                retry_after_ms: read.span("retry_after")?.map(|span| span.as_millis() as i64),
            },
            "repeat" => Effect::Repeat {
                copies: read.count("copies")?.unwrap_or(1) as u32,
            },
            "delay" => Effect::Delay {
                span: read.span("by")?.ok_or(read.missing("by"))?,
            },
            "close" => Effect::Close {
                code: read
                    .whole("code")?
                    .and_then(|n| u16::try_from(n).ok())
                    .ok_or(read.missing("code"))?,
            },
            "silence" => Effect::Silence {
                span: read.span("for")?,
            },
            "replace" => Effect::Replace {
                text: read.text("text")?.ok_or(read.missing("text"))?,
            },
            _ => return Err(FaultError::UnknownFault(name.to_owned())),
        };
        let on = match read.text("on")? {
            Some(on) => on,
            None => read.text("message")?.unwrap_or_else(|| "any".to_owned()),
        };
        let matching = match arguments.get("match") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(map)) => map.clone(),
            Some(_) => return Err(read.bad("match", "a map of facts")),
        };
        let times = read.count("times")?.map(|n| n as u32);
        let skip = read.count("skip")?.unwrap_or(0) as u32;
        Ok(FaultSpec {
            name: name.to_owned(),
            on,
            matching,
            skip,
            times,
            effect,
        })
    }
}

struct Arguments<'a> {
    fault: &'a str,
    map: &'a Map<String, Value>,
}

impl Arguments<'_> {
    fn missing(&self, argument: &'static str) -> FaultError {
        FaultError::Missing {
            fault: self.fault.to_owned(),
            argument,
        }
    }

    fn bad(&self, argument: &'static str, problem: &'static str) -> FaultError {
        FaultError::BadArgument {
            fault: self.fault.to_owned(),
            argument,
            problem,
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|v| !v.is_null())
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.bad(name, "must be text")),
        }
    }

    fn loose_text(&self, name: &'static str) -> Option<String> {
        self.value(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    fn whole(&self, name: &'static str) -> Result<Option<i64>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_i64()
                .map(Some)
                .ok_or(self.bad(name, "must be a whole number")),
        }
    }

    fn count(&self, name: &'static str) -> Result<Option<u64>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or(self.bad(name, "must be a whole number, not negative")),
        }
    }

    fn flag(&self, name: &'static str) -> Result<Option<bool>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value
                .as_bool()
                .map(Some)
                .ok_or(self.bad(name, "must be true or false")),
        }
    }

    fn span(&self, name: &'static str) -> Result<Option<Duration>, FaultError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => parse_duration(text)
                .ok()
                .map(Some)
                .ok_or(self.bad(name, "must be a duration such as 500ms or 3s")),
            Some(value) => value
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .map(Some)
                .ok_or(self.bad(name, "must be a duration, not negative")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(name: &str, arguments: Value) -> Result<FaultSpec, FaultError> {
        FaultSpec::parse(name, arguments.as_object().expect("a map"))
    }

    #[test]
    fn reads_arguments_of_every_kind() {
        let spec = parse(
            "cloud.status",
            json!({"on": "ack", "status": 503, "retry_after": 120, "times": 2}),
        );
        let effect = Effect::Status {
            status: 503,
            retry_after: Some("120".into()),
            body: None,
        };
        assert_eq!(
            spec.map(|s| (s.on, s.times, s.effect)),
            Ok(("ack".into(), Some(2), effect))
        );
        let spec = parse("cloud.stall", json!({"on": "poll", "for": "1.5s"}));
        let effect = Effect::Stall {
            after_bytes: None,
            span: Some(Duration::from_millis(1500)),
        };
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
        assert!(matches!(
            parse("cloud.delay", json!({"by": "soon"})),
            Err(FaultError::BadArgument { .. })
        ));
    }
}
