//! Words and all words of one protocol.

use super::{Field, FieldType, Fields};
use hil_fault::{Site, stimulus_of};
use std::collections::BTreeMap;

/// An action, fault, event, probe or stimulus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// What it means.
    pub summary: String,
    /// The capability a unit's driver or lab must have for it.
    pub capability: Option<String>,
    /// What a fault acts on; nothing for other words.
    pub site: Option<Site>,
    /// Its arguments; events have none.
    pub with: Fields,
    /// Whether it takes arguments that are not listed.
    pub open: bool,
    /// What later steps can refer to: results of an action, fields of an event.
    pub gives: Fields,
}

/// What faults of one protocol can act on at a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteNames {
    /// Names of operations, messages or faces.
    pub names: Vec<String>,
    /// What choosing a name means, where it needs saying.
    pub summary: String,
    /// What later steps can refer to once a fault has acted there.
    pub gives: Fields,
}

/// Every word of one protocol, common ones included; all by full name, such as `cloud.queue`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What `do` can do.
    pub actions: BTreeMap<String, Word>,
    /// What `inject` can inject.
    pub faults: BTreeMap<String, Word>,
    /// What faults can act on, by site; a site that is not here, and takes names, has no faults.
    pub sites: BTreeMap<Site, SiteNames>,
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
        let sites = self.sites.iter().chain(&others.sites);
        Words {
            actions: map(&self.actions, &others.actions),
            faults: map(&self.faults, &others.faults),
            sites: sites.map(|(site, names)| (*site, names.clone())).collect(),
            events: map(&self.events, &others.events),
            probes: map(&self.probes, &others.probes),
            stimuli: map(&self.stimuli, &others.stimuli),
            prepare: fields(&self.prepare, &others.prepare),
            cloud: fields(&self.cloud, &others.cloud),
            unit: fields(&self.unit, &others.unit),
            features: fields(&self.features, &others.features),
        }
    }

    /// The same words, faults only where their site or the stimulus behind them is, each with the arguments every fault
    /// of its site takes.
    #[must_use]
    pub(super) fn at_their_sites(mut self) -> Words {
        let sites = std::mem::take(&mut self.sites);
        let stimuli = &self.stimuli;
        self.faults.retain(|name, fault| {
            if stimulus_of(name).is_some_and(|stimulus| !stimuli.contains_key(stimulus)) {
                return false;
            }
            let Some(site) = fault.site.filter(|site| site.has_names()) else {
                return true;
            };
            let Some(names) = sites.get(&site) else {
                return false;
            };
            let own = std::mem::take(&mut fault.with);
            fault.with.insert("on".to_owned(), names.field());
            fault.with.extend(own);
            fault.with.extend(trigger_fields());
            fault.gives.extend(names.gives.clone());
            true
        });
        self.sites = sites;
        self
    }
}

impl Words {
    /// Faults on connections only, which then choose among no names.
    #[must_use]
    pub(super) fn on_connections(mut self) -> Words {
        self.sites = BTreeMap::from_iter([(Site::Connection, SiteNames::default())]);
        let mut words = self.at_their_sites();
        words
            .faults
            .retain(|_, fault| fault.site == Some(Site::Connection));
        for fault in words.faults.values_mut() {
            fault.with.shift_remove("on");
        }
        Words {
            faults: words.faults,
            ..Words::default()
        }
    }
}

impl SiteNames {
    /// The argument that chooses among the names.
    fn field(&self) -> Field {
        let any = "any".to_owned();
        Field {
            kind: FieldType::String,
            required: true,
            values: self.names.iter().cloned().chain([any]).collect(),
            min: None,
            max: None,
            summary: match self.summary.as_str() {
                "" => "What it strikes.".to_owned(),
                summary => summary.to_owned(),
            },
        }
    }
}

/// Arguments of every fault that waits for something with a name.
fn trigger_fields() -> [(String, Field); 3] {
    let field = |kind, (min, max), summary: &str| Field {
        kind,
        required: false,
        values: Vec::new(),
        min,
        max,
        summary: summary.to_owned(),
    };
    let matching = field(
        FieldType::Object,
        (None, None),
        "Facts it must have, such as {status: completed}.",
    );
    let most = Some(i64::from(u32::MAX));
    let skip = field(
        FieldType::Integer,
        (Some(0), most),
        "How many are let pass first.",
    );
    let times = field(
        FieldType::Integer,
        (Some(1), most),
        "How often it acts; without it until cleared.",
    );
    [
        ("match".to_owned(), matching),
        ("skip".to_owned(), skip),
        ("times".to_owned(), times),
    ]
}
