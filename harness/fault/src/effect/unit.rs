//! Effects on the unit itself, made by its driver.

use crate::{FaultError, arguments::Arguments};
use serde_json::{Map, Value};
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
    /// Something the driver can do, see the stimuli of the vocabulary.
    Stimulus {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
}

impl UnitEffect {
    /// The effect of `unit.KIND`; `None` if there is none of that kind.
    pub(crate) fn parse(kind: &str, read: &Arguments<'_>) -> Result<Option<UnitEffect>, FaultError> {
        Ok(Some(match kind {
            "power_cut" => UnitEffect::PowerCut {
                outage: read.span("for")?,
            },
            "power_cut_at_write" => UnitEffect::PowerCutAtWrite {
                write: match read.count("write")?.ok_or(read.missing("write"))? {
                    0 => return Err(read.bad("write", "writes count from 1")),
                    write => write,
                },
                torn: read.flag("torn")?.unwrap_or(false),
                outage: read.span("for")?,
            },
            "brown_out" => UnitEffect::BrownOut {
                times: match read.count("dips")?.unwrap_or(1) {
                    0 => return Err(read.bad("dips", "must be at least 1")),
                    dips => u32::try_from(dips).unwrap_or(u32::MAX),
                },
                up: read.span("up")?.ok_or(read.missing("up"))?,
                down: read.span("down")?.ok_or(read.missing("down"))?,
            },
            "reset" => UnitEffect::Reset,
            "reboot" => UnitEffect::Reboot,
            "stimulus" => UnitEffect::Stimulus {
                name: read.text("name")?.ok_or(read.missing("name"))?,
                arguments: {
                    let own = |name: &String| name != "name" && name != "times";
                    let given = read.map.iter().filter(|(name, _)| own(name));
                    given.map(|(name, value)| (name.clone(), value.clone())).collect()
                },
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
