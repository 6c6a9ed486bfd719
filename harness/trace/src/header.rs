//! What a monitor may know besides the records.

use crate::{Partition, SweepRun};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// Which clock stamped the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// Simulated time; exact.
    Virtual,
    /// The monotonic clock of this machine.
    Real,
}

/// How far stamps may be off, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerances {
    /// Of one tap: memory 0.
    pub stamp_us: u64,
    /// Of the order of two records from different taps.
    pub order_us: u64,
}

impl Tolerances {
    /// How far the time between two records from different taps may be off.
    pub fn across_taps(&self) -> Duration {
        Duration::from_micros(self.stamp_us.saturating_add(self.order_us))
    }
}

impl ClockKind {
    /// The smallest step of its stamps, microseconds: timers of a virtual clock go in milliseconds.
    pub fn resolution_us(self) -> u64 {
        match self {
            ClockKind::Virtual => 1000,
            ClockKind::Real => 1,
        }
    }
}

/// The repeats of one scenario on one unit an instance belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatOf {
    /// Name of all of them together: the instance without its number, such as `edge-poll/idle@sim`.
    pub group: String,
    /// How many there should be.
    pub times: u32,
}

/// The instance another one is run again for, as it did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryOf {
    /// Name of the first attempt.
    pub first: String,
    /// Which attempt after that one, from 1.
    pub attempt: u32,
}

/// The scenario an instance runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRef {
    /// Path below the suites, such as `edge-poll/acks-lost.yaml`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// The whole text, so that the journal can be judged anywhere.
    pub text: String,
    /// Hex SHA-256 of the text.
    pub sha256: String,
    /// The requirements it exercises.
    #[serde(default)]
    pub verifies: Vec<String>,
}

/// First line of each instance in a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceHeader {
    /// Version of the journal format.
    pub format: u32,
    /// Instance name, unique in its run, such as `edge-poll/acks-lost@sim`.
    pub instance: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The scenario.
    pub scenario: Arc<ScenarioRef>,
    /// Run seed.
    pub seed: u64,
    /// Which repetition of the scenario, from 0.
    pub repetition: u32,
    /// What it is one repeat of; none if it runs once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_of: Option<RepeatOf>,
    /// What it is run again for; none if it is the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<RetryOf>,
    /// The part of the run it belongs to, if machines share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// `hil` and its version.
    pub tool: String,
    /// Hex SHA-256 of the requirement catalogue.
    pub catalogue_sha256: String,
    /// Which clock stamped the records.
    pub clock: ClockKind,
    /// Unix microseconds of stamp zero.
    pub epoch_unix_us: i64,
    /// How far stamps may be off.
    pub tolerances: Tolerances,
    /// Name of the unit.
    pub unit: String,
    /// What is known about the unit: driver, subject digest, identity. Values are strings or numbers.
    pub facts: Map<String, Value>,
    /// Optional features the vendor claims (`true`) or denies (`false`), and options such as the dialect.
    pub ics: Map<String, Value>,
    /// Times of the unit in seconds, such as `poll_interval`.
    pub timing: Map<String, Value>,
    /// The state the scenario declares, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub prepare: Map<String, Value>,
    /// Scenario parameters as resolved for this run.
    pub params: Map<String, Value>,
    /// Faults the run added to the scenario, as they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_faults: Vec<String>,
    /// Faults are armed and none acts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub without_faults: bool,
    /// Its place in a sweep of power cuts, if it is part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Box<SweepRun>>,
}

impl TraceHeader {
    /// The format this version writes.
    pub const FORMAT: u32 = 1;

    /// The header of an instance in virtual time of which nothing is known but its protocol.
    pub fn bare(protocol: Protocol) -> Self {
        TraceHeader {
            format: TraceHeader::FORMAT,
            instance: String::new(),
            protocol,
            scenario: Arc::new(ScenarioRef::default()),
            seed: 0,
            repetition: 0,
            repeat_of: None,
            retry_of: None,
            partition: None,
            tool: String::new(),
            catalogue_sha256: String::new(),
            clock: ClockKind::Virtual,
            epoch_unix_us: 0,
            tolerances: Tolerances::default(),
            unit: String::new(),
            facts: Map::new(),
            ics: Map::new(),
            timing: Map::new(),
            prepare: Map::new(),
            params: Map::new(),
            extra_faults: Vec::new(),
            without_faults: false,
            sweep: None,
        }
    }

    /// What the instance's randomness comes from: its name, or that of its sweep, all runs of which are the same up to
    /// the cut.
    pub fn purpose(&self) -> &str {
        self.sweep.as_ref().map_or(&self.instance, |run| &run.name)
    }

    /// The repeats it is one of; those that are run again are none of them.
    pub fn repeat(&self) -> Option<&RepeatOf> {
        self.repeat_of.as_ref().filter(|_| self.retry_of.is_none())
    }

    /// The scenario on its unit, whichever repeat, retry or point of a sweep this is, such as `edge-poll/idle@sim`.
    pub fn case(&self) -> &str {
        match (&self.sweep, &self.repeat_of, &self.retry_of) {
            (Some(run), _, _) => &run.name,
            (None, Some(repeat_of), _) => &repeat_of.group,
            (None, None, Some(retry)) => &retry.first,
            (None, None, None) => &self.instance,
        }
    }

    /// How far the time between two stamps may be off, microseconds: both stamps, and the step of the clock. The steps of a
    /// virtual clock are all the time there is.
    pub fn slack_us(&self) -> u64 {
        let step = match self.clock {
            ClockKind::Virtual => 0,
            ClockKind::Real => self.clock.resolution_us(),
        };
        self.tolerances.stamp_us.saturating_mul(2).saturating_add(step)
    }

    /// A time of the unit in seconds; none if it is no span of a hundred years at most.
    pub fn timing_seconds(&self, name: &str) -> Option<f64> {
        let seconds = self.timing.get(name).and_then(Value::as_f64);
        seconds.filter(|seconds| (0.0..=LONGEST).contains(seconds))
    }

    /// An ICS entry as a flag.
    pub fn claims(&self, feature: &str) -> Option<bool> {
        self.ics.get(feature).and_then(Value::as_bool)
    }
}

const LONGEST: f64 = 100.0 * 365.25 * 86400.0;

fn is_false(flag: &bool) -> bool {
    !flag
}
