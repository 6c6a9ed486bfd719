//! Words and all words of one protocol.

use super::Fields;
use std::collections::BTreeMap;

/// An action, fault, event, probe or stimulus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What it means.
    pub summary: String,
    /// The capability a unit's driver or lab must have for it.
    pub capability: Option<String>,
    /// Its arguments; events have none.
    pub with: Fields,
    /// Whether it takes arguments that are not listed.
    pub open: bool,
    /// What later steps can refer to: results of an action, fields of an event.
    pub gives: Fields,
}

/// Every word of one protocol, common ones included; all by full name, such as `cloud.queue`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What `do` can do.
    pub actions: BTreeMap<String, Word>,
    /// What `inject` can inject.
    pub faults: BTreeMap<String, Word>,
    /// What `expect`, `never` and `one_of` can watch for.
    pub events: BTreeMap<String, Word>,
    /// What `unit.probe` can read.
    pub probes: BTreeMap<String, Word>,
    /// What `unit.stimulate` can do.
    pub stimuli: BTreeMap<String, Word>,
    /// What `prepare` can declare; empty = anything.
    pub prepare: Fields,
    /// What `cloud` can set; empty = anything.
    pub cloud: Fields,
    /// What `${unit.…}` can refer to; empty = anything.
    pub unit: Fields,
    /// Optional features, for `applies_when`, beyond those the requirement catalogue names.
    pub features: Fields,
}

impl Words {
    /// These words and others; a word of the others replaces one of the same name.
    #[must_use]
    pub fn and(&self, others: &Words) -> Words {
        fn map(a: &BTreeMap<String, Word>, b: &BTreeMap<String, Word>) -> BTreeMap<String, Word> {
            a.iter().chain(b).map(|(k, v)| (k.clone(), v.clone())).collect()
        }
        fn fields(a: &Fields, b: &Fields) -> Fields {
            a.iter().chain(b).map(|(k, v)| (k.clone(), v.clone())).collect()
        }
        Words {
            actions: map(&self.actions, &others.actions),
            faults: map(&self.faults, &others.faults),
            events: map(&self.events, &others.events),
            probes: map(&self.probes, &others.probes),
            stimuli: map(&self.stimuli, &others.stimuli),
            prepare: fields(&self.prepare, &others.prepare),
            cloud: fields(&self.cloud, &others.cloud),
            unit: fields(&self.unit, &others.unit),
            features: fields(&self.features, &others.features),
        }
    }
}
