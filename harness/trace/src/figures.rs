//! What is kept of a repeat that passed like the others: figures, without its records.

use crate::{Bounds, Finding, InstanceSummary, Measurement, Verdict};
use serde::{Deserialize, Serialize};

/// One measured time of a repeat. Whole microseconds, so that it is the same however often it is written and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// Its name.
    pub name: String,
    /// The time.
    pub us: i64,
    /// How far it may be off.
    pub tolerance_us: u64,
    /// Smallest step of the clock.
    pub resolution_us: u64,
    /// What it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Box<Bounds>>,
}

/// The figures of one repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Its name, such as `edge-poll/idle@sim#04`.
    pub instance: String,
    /// Which repetition, from 0.
    pub repetition: u32,
    /// Its verdict.
    pub verdict: Verdict,
    /// Length on the bench's clock, microseconds.
    pub duration_us: u64,
    /// Number of records it had.
    pub records: u64,
    /// Measured times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<Figure>,
    /// Requirements it met, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub met: Vec<String>,
}

impl Figures {
    /// The figures of an instance.
    pub fn of(instance: &InstanceSummary) -> Figures {
        let met = instance.findings.iter().filter(|f| f.verdict == Verdict::Pass);
        let mut met: Vec<String> = met.filter_map(|f| f.requirement.clone()).collect();
        met.sort();
        met.dedup();
        Figures {
            instance: instance.header.instance.clone(),
            repetition: instance.header.repetition,
            verdict: instance.verdict,
            duration_us: micros(instance.duration) as u64,
            records: instance.records,
            measured: instance.measurements.iter().map(Figure::of).collect(),
            met,
        }
    }

    /// Whether its figures say everything about an instance: nothing is stated of it but that it met what it should.
    pub fn suffice_for(instance: &InstanceSummary) -> bool {
        let met = |finding: &Finding| finding.verdict == Verdict::Pass;
        instance.verdict == Verdict::Pass && instance.skipped.is_none() && instance.findings.iter().all(met)
    }
}

impl Figure {
    fn of(measurement: &Measurement) -> Figure {
        Figure {
            name: measurement.name.clone(),
            us: micros(measurement.seconds),
            tolerance_us: micros(measurement.tolerance) as u64,
            resolution_us: micros(measurement.resolution) as u64,
            bounds: measurement.bounds.clone(),
        }
    }
}

/// Stamps are whole microseconds, so nothing is lost.
fn micros(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}
