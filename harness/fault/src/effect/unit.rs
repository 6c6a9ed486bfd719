//! Effects on the unit itself, made by its driver.

use crate::{FaultError, arguments::Arguments};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The effect of a fault on the unit.
#[derive(Clone, Debug, PartialEq)]
pub enum UnitEffect {
    /// Its power is cut.
    PowerCut {
        /// Power comes back after this time; `None` = it stays away until a step restores it.
        outage: Option<Duration>,
    },
    /// Power fails at a write to its storage.
    PowerCutAtWrite {
        /// Which write from now on, from 1.
        write: u64,
        /// Whether part of that write is done.
        torn: bool,
        /// Power comes back after this time; `None` = it stays away until a step restores it.
        outage: Option<Duration>,
    },
    /// Power comes and goes.
    BrownOut {
        /// How often it goes.
        times: u32,
        /// How long it stays each time.
        up: Duration,
        /// How long it is away each time.
        down: Duration,
    },
    /// A hard reset: power away and back at once.
    Reset,
    /// An orderly restart nobody asked for.
    Reboot,
    /// Something the driver can do, see the stimuli of the vocabulary; taken back when the fault is cleared, if the
    /// driver can.
    Stimulus {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
        /// Taken back after this time; `None` = when the fault is cleared.
        span: Option<Duration>,
    },
}

impl UnitEffect {
    /// The effect of `unit.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<UnitEffect>, FaultError> {
        let stimulus = |arguments: Value| -> Result<UnitEffect, FaultError> {
            Ok(UnitEffect::Stimulus {
                name: stimulus_of(kind).unwrap_or(kind).to_owned(),
                arguments: arguments.as_object().cloned().unwrap_or_default(),
                span: read.span("for")?,
            })
        };
        let needed = |name| read.span(name)?.ok_or(read.missing(name));
        Ok(Some(match kind {
            "power_cut" => UnitEffect::PowerCut {
                outage: read.span("for")?,
            },
            "power_cut_at_write" => UnitEffect::PowerCutAtWrite {
                write: read.at_least_one("write")?.ok_or(read.missing("write"))?,
                torn: read.flag("torn")?.unwrap_or(false),
                outage: read.span("for")?,
            },
            "brown_out" => UnitEffect::BrownOut {
                times: read
                    .count_in("dips", 1..=1000, "must be from 1 to 1000")?
                    .unwrap_or(1),
                up: needed("up")?,
                down: needed("down")?,
            },
            "reset" => UnitEffect::Reset,
            "reboot" => UnitEffect::Reboot,
            "storage_full" => stimulus(json!({"bytes": read.count("free")?.unwrap_or(0)}))?,
            "clock_jump" => {
                let back = read.flag("back")?.unwrap_or(false);
                let seconds = needed("by")?.as_secs_f64();
                stimulus(json!({"seconds": if back { -seconds } else { seconds }}))?
            }
            "clock_unset" => stimulus(json!({}))?,
            "timer_wrap" => UnitEffect::Stimulus {
                name: kind.to_owned(),
                arguments: seconds(needed("before")?),
                span: None,
            },
            // It ends by itself.
            "busy" => UnitEffect::Stimulus {
                name: kind.to_owned(),
                arguments: seconds(needed("for")?),
                span: None,
            },
            "module" => stimulus(module(read)?)?,
            "stimulus" => UnitEffect::Stimulus {
                name: read.text("name")?.ok_or(read.missing("name"))?,
                arguments: {
                    let own = |name: &String| name != "name" && name != "times";
                    let given = read.map.iter().filter(|(name, _)| own(name));
                    given.map(|(name, value)| (name.clone(), value.clone())).collect()
                },
                span: None,
            },
            _ => return Ok(None),
        }))
    }

    /// The capability a driver must have for it.
    pub fn capability(&self) -> &'static str {
        match self {
            UnitEffect::PowerCut { .. } | UnitEffect::BrownOut { .. } | UnitEffect::Reset => "power",
            UnitEffect::Reboot => "reboot",
            UnitEffect::PowerCutAtWrite { .. } | UnitEffect::Stimulus { .. } => "stimulate",
        }
    }
}

/// The stimulus by which a driver makes a fault of the unit, given by its full name or the part after the dot; `None` if
/// it needs none, or if the fault says itself which.
pub fn stimulus_of(fault: &str) -> Option<&'static str> {
    let kind = match fault.split_once('.') {
        None => fault,
        Some(("unit", kind)) => kind,
        Some(_) => return None,
    };
    Some(match kind {
        "power_cut_at_write" => "cut_at_write",
        "storage_full" => "free_space",
        "clock_jump" => "clock_jump",
        "clock_unset" => "clock_unset",
        "timer_wrap" => "timer_wrap",
        "busy" => "busy",
        "module" => "module",
        _ => return None,
    })
}

fn seconds(span: Duration) -> Map<String, Value> {
    Map::from_iter([("seconds".to_owned(), json!(span.as_secs_f64()))])
}

/// How a module misbehaves.
fn module(read: &Arguments<'_>) -> Result<Value, FaultError> {
    let behaviour = read.text("behaviour")?.ok_or(read.missing("behaviour"))?;
    let after = read.span("answers_after")?;
    if !MODULE_BEHAVIOURS.contains(&behaviour.as_str()) {
        return Err(read.bad("behaviour", "silent, slow, deaf or forgetful is expected"));
    }
    if behaviour == "slow" && after.is_none() {
        return Err(read.bad("answers_after", "a slow module answers after a time"));
    }
    let seconds = after.map(|after| after.as_secs_f64());
    Ok(json!({"behaviour": behaviour, "seconds": seconds}))
}

const MODULE_BEHAVIOURS: [&str; 4] = ["silent", "slow", "deaf", "forgetful"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, FaultSpec};

    fn stimulus(fault: &str, arguments: Value) -> Result<(String, Value, Option<Duration>), FaultError> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        match FaultSpec::parse(fault, &arguments)?.effect {
            Effect::Unit(UnitEffect::Stimulus {
                name,
                arguments,
                span,
            }) => Ok((name, Value::Object(arguments), span)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn named_faults_are_stimuli_of_the_driver() {
        let hour = Some(Duration::from_secs(3600));
        for (fault, given, name, arguments, span) in [
            (
                "unit.storage_full",
                json!({}),
                "free_space",
                json!({"bytes": 0}),
                None,
            ),
            (
                "unit.storage_full",
                json!({"free": 100, "for": "1h"}),
                "free_space",
                json!({"bytes": 100}),
                hour,
            ),
            (
                "unit.clock_jump",
                json!({"by": "87600h"}),
                "clock_jump",
                json!({"seconds": 315_360_000.0}),
                None,
            ),
            (
                "unit.clock_jump",
                json!({"by": "1h", "back": true}),
                "clock_jump",
                json!({"seconds": -3600.0}),
                None,
            ),
            ("unit.clock_unset", json!({}), "clock_unset", json!({}), None),
            (
                "unit.timer_wrap",
                json!({"before": "30s"}),
                "timer_wrap",
                json!({"seconds": 30.0}),
                None,
            ),
            (
                "unit.busy",
                json!({"for": "6s"}),
                "busy",
                json!({"seconds": 6.0}),
                None,
            ),
            (
                "unit.module",
                json!({"behaviour": "slow", "answers_after": "4s", "for": 3600}),
                "module",
                json!({"behaviour": "slow", "seconds": 4.0}),
                hour,
            ),
        ] {
            assert_eq!(
                stimulus(fault, given),
                Ok((name.to_owned(), arguments, span)),
                "{fault}"
            );
            assert_eq!(stimulus_of(fault), Some(name), "{fault}");
        }
    }

    #[test]
    fn a_slow_module_answers_at_some_time() {
        let wrong = |arguments| stimulus("unit.module", arguments).map_err(|error| error.to_string());
        assert_eq!(
            wrong(json!({"behaviour": "slow"})),
            Err("`answers_after` of `unit.module`: a slow module answers after a time".into())
        );
        assert!(wrong(json!({"behaviour": "well"})).is_err());
    }
}
