//! A profile as it is once read: requirements by id, and what excuses them.

use hil_trace::Level;
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What a certificate claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Such as `edge-poll-core`.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// One sentence.
    pub summary: String,
    /// Hex SHA-256 of its file.
    pub sha256: String,
    /// Its file, so that it can go with a certificate.
    pub text: String,
    /// Its requirements, by id.
    pub requirements: BTreeMap<String, Level>,
    /// Requirements its rule would have and that it leaves out, with the reason.
    pub except: BTreeMap<String, String>,
    /// What each requirement that may be not applicable depends on; one that does not fit the unit is enough.
    pub excuses: BTreeMap<String, Vec<Excuse>>,
    /// Features a unit has to have.
    pub must_have: BTreeSet<String>,
    /// Lists of features of which a unit has to have one.
    pub at_least_one_of: Vec<Vec<String>>,
}

/// A condition a requirement has and a unit may not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excuse {
    /// The unit has not this feature.
    Feature(String),
    /// The unit speaks another dialect than this one.
    Dialect(String),
}

impl Excuse {
    /// What the unit file says that makes the requirement not applicable, such as `tls: false`; none if it applies.
    pub fn of(&self, ics: &Map<String, Value>) -> Option<String> {
        match self {
            Excuse::Feature(name) => denies(ics, name).then(|| format!("{name}: false")),
            Excuse::Dialect(name) => {
                let said = ics.get("dialect").and_then(Value::as_str)?;
                (said != name).then(|| format!("dialect: {said}"))
            }
        }
    }
}

impl fmt::Display for Excuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Excuse::Feature(name) => f.write_str(name),
            Excuse::Dialect(name) => write!(f, "dialect {name}"),
        }
    }
}

impl Profile {
    /// Why a requirement is not applicable to a unit that says this of itself, such as `tls: false`; none if it is.
    pub fn excuse(&self, id: &str, ics: &Map<String, Value>) -> Option<String> {
        let excuses = self.excuses.get(id)?;
        excuses.iter().find_map(|excuse| excuse.of(ics))
    }

    /// What a unit that says this of itself has not and the profile demands, each one sentence.
    pub fn demands(&self, ics: &Map<String, Value>) -> Vec<String> {
        let denied = self.must_have.iter().filter(|name| denies(ics, name));
        let mut demands: Vec<String> = denied
            .map(|name| format!("the profile demands `{name}`, and the unit file says `{name}: false`"))
            .collect();
        for features in &self.at_least_one_of {
            if features.iter().all(|name| denies(ics, name)) {
                let names = features.join(", ");
                demands.push(format!(
                    "the profile demands one of {names}, and the unit file denies all of them"
                ));
            }
        }
        demands
    }

    /// How many requirements of a level it has.
    pub fn count(&self, level: Level) -> usize {
        self.requirements.values().filter(|own| **own == level).count()
    }
}

fn denies(ics: &Map<String, Value>, feature: &str) -> bool {
    ics.get(feature) == Some(&Value::Bool(false))
}
