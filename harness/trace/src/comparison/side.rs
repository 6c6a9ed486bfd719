//! One of the two runs, and what is known of how it was made.

use crate::{Counts, CoverageState, Level, RunSummary};
use hil_wire::Protocol;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A run to compare.
#[derive(Clone, Debug)]
pub struct Side {
    /// Where it was read, for people.
    pub name: String,
    /// The run, judged.
    pub summary: RunSummary,
    /// What is missing of it, one sentence for each damage.
    pub damage: Vec<String>,
    /// The requirements there were when it ran, where that is known; else those its summary was judged by.
    pub known: Option<BTreeMap<String, (Level, Option<String>)>>,
}

/// What a report says of a side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SideFacts {
    /// Where it was read.
    pub name: String,
    /// Every `hil` that ran it.
    pub tools: BTreeSet<String>,
    /// Every seed.
    pub seeds: BTreeSet<u64>,
    /// Digests of the catalogues it ran with.
    pub catalogues: BTreeSet<String>,
    /// Whether violated SHOULDs failed.
    pub strict: bool,
    /// Units by name.
    pub units: BTreeMap<String, UnitFacts>,
    /// Instances by verdict.
    pub counts: Counts,
    /// Whether it was cut short.
    pub interrupted: bool,
    /// What is missing of it.
    pub damage: Vec<String>,
}

/// What a side says of a unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitFacts {
    /// Protocols it spoke.
    pub protocols: BTreeSet<Protocol>,
    /// What is known of it, what it claims (`ics.…`) and its times (`timing.…`); each as the first instance says it.
    pub facts: Map<String, Value>,
}

impl Side {
    /// What a report says of it.
    pub fn facts(&self) -> SideFacts {
        let mut facts = SideFacts {
            name: self.name.clone(),
            strict: self.summary.strict,
            counts: self.summary.counts(),
            interrupted: self.summary.interrupted,
            damage: self.damage.clone(),
            ..SideFacts::default()
        };
        for header in self.summary.instances.iter().map(|instance| &instance.header) {
            facts.tools.insert(header.tool.clone());
            facts.seeds.insert(header.seed);
            facts.catalogues.insert(header.catalogue_sha256.clone());
            let unit = facts.units.entry(header.unit.clone()).or_default();
            unit.protocols.insert(header.protocol);
            let claims = header
                .ics
                .iter()
                .map(|(name, value)| (format!("ics.{name}"), value));
            let times = header
                .timing
                .iter()
                .map(|(name, value)| (format!("timing.{name}"), value));
            let facts = header.facts.iter().map(|(name, value)| (name.clone(), value));
            for (name, value) in facts.chain(claims).chain(times) {
                // What was skipped says less than what ran.
                unit.facts.entry(name).or_insert_with(|| value.clone());
            }
        }
        facts
    }

    /// Whether something that belongs to it was not judged.
    pub fn is_incomplete(&self) -> bool {
        self.summary.interrupted || !self.damage.is_empty()
    }

    /// Whether it knows a requirement, and how binding it was.
    pub(super) fn level(&self, id: &str) -> Option<Level> {
        match &self.known {
            Some(known) => known.get(id).map(|(level, _)| *level),
            None => {
                let coverage = self.summary.coverage.values();
                coverage
                    .flatten()
                    .find(|(known, _)| *known == id)
                    .map(|(_, covered)| covered.level)
            }
        }
    }

    /// Whether a requirement was exercised somewhere in it, and met wherever it was.
    pub(super) fn verified(&self, id: &str) -> bool {
        let mut coverage = self.summary.coverage.values();
        coverage.any(|covered| {
            covered
                .get(id)
                .is_some_and(|covered| covered.state == CoverageState::Verified)
        })
    }

    /// Every requirement it knows.
    pub(super) fn requirements(&self) -> BTreeMap<&str, (Level, Option<&str>)> {
        match &self.known {
            Some(known) => {
                let known = known.iter();
                known
                    .map(|(id, (level, sentence))| (id.as_str(), (*level, sentence.as_deref())))
                    .collect()
            }
            None => {
                let coverage = self.summary.coverage.values().flatten();
                coverage
                    .map(|(id, covered)| {
                        let said = Some(covered.sentence.as_str()).filter(|said| !said.is_empty());
                        (id.as_str(), (covered.level, said))
                    })
                    .collect()
            }
        }
    }
}
