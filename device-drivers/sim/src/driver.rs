//! The driver of simulated units.

use crate::{
    Defect, SimUnit,
    kind::{Kind, kind_of},
};
use hil_unit::{Artifacts, Capability, Driver, Surroundings, Unit, UnitError};
use hil_wire::Protocol;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Makes simulated units of one protocol, clean or with defects.
#[derive(Clone, Debug)]
pub struct SimDriver {
    protocol: Protocol,
    defects: BTreeSet<Defect>,
}

impl SimDriver {
    /// Units that speak a protocol and have these defects.
    pub fn new(protocol: Protocol, defects: BTreeSet<Defect>) -> Self {
        SimDriver { protocol, defects }
    }
}

impl Driver for SimDriver {
    fn capabilities(&self) -> BTreeSet<Capability> {
        Capability::ALL.into_iter().collect()
    }

    fn facts(&self) -> Map<String, Value> {
        let defects: Vec<_> = self.defects.iter().map(|d| d.name()).collect();
        let mut facts = Map::new();
        facts.insert("driver".into(), json!("sim"));
        facts.insert(
            "subject".into(),
            json!(concat!("hil-sim ", env!("CARGO_PKG_VERSION"))),
        );
        facts.insert("defects".into(), json!(defects.join(",")));
        facts
    }

    fn create(&self, surroundings: Surroundings) -> Result<Box<dyn Unit>, UnitError> {
        let unit = SimUnit::new(kind(self.protocol)?, self.defects.clone(), surroundings)?;
        Ok(Box::new(unit))
    }
}

/// Images by role for simulated units of a protocol; empty if there is no such unit.
pub fn default_artifacts(protocol: Protocol) -> Artifacts {
    kind_of(protocol).map(Kind::artifacts).unwrap_or_default()
}

/// The same for a unit that says this of itself, in its facts or options: images any unit of the protocol takes carry
/// its own platform, say.
pub fn artifacts_for(protocol: Protocol, said: &Map<String, Value>) -> Artifacts {
    kind_of(protocol)
        .map(|kind| kind.artifacts_for(said))
        .unwrap_or_default()
}

/// Images by role for a unit that is not ours and has none of its own.
pub fn neutral_artifacts(protocol: Protocol, said: &Map<String, Value>) -> Artifacts {
    kind_of(protocol)
        .map(|kind| kind.neutral_artifacts(said))
        .unwrap_or_default()
}

/// Times of simulated units of a protocol, in seconds.
pub fn default_timing(protocol: Protocol) -> Map<String, Value> {
    kind_of(protocol).map(Kind::timing).unwrap_or_default()
}

/// Optional features and options of simulated units of a protocol.
pub fn default_ics(protocol: Protocol) -> Map<String, Value> {
    kind_of(protocol).map(Kind::ics).unwrap_or_default()
}

/// Endpoint settings simulated units of a protocol read; the first says where the cloud is.
pub fn settings_of(protocol: Protocol) -> &'static [&'static str] {
    kind_of(protocol).map(Kind::settings).unwrap_or_default()
}

fn kind(protocol: Protocol) -> Result<&'static dyn Kind, UnitError> {
    kind_of(protocol)
        .ok_or_else(|| UnitError::NotSupported(format!("simulate a unit that speaks {protocol}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IMAGE_SEED;

    #[test]
    fn a_seed_makes_every_image_another_one_of_the_same_version() {
        let seeded = |seed: u64| Map::from_iter([(IMAGE_SEED.to_owned(), json!(seed))]);
        for protocol in Protocol::ALL {
            for make in [artifacts_for, neutral_artifacts] {
                let (one, other) = (make(protocol, &seeded(1)), make(protocol, &seeded(2)));
                for (role, artifact) in &one.0 {
                    assert_ne!(artifact.bytes, other.0[role].bytes, "{protocol} {role}");
                    assert_eq!(artifact.version, other.0[role].version, "{protocol} {role}");
                }
                assert_eq!(one, make(protocol, &seeded(1)), "{protocol}");
            }
        }
    }
}
