//! Requirements with everything known of them: what the catalogue says, what shows them, what proves that it does, and
//! what a run came to.

mod explain;
mod json;
mod list;

pub use explain::{Command, Explanation, Found, explanation_text};
pub use json::{REQUIREMENTS_SCHEMA, REQUIREMENTS_SCHEMA_TEXT, explanation_json, requirements_json};
pub use list::requirements_text;

use hil_trace::{CoverageState, Evidence, Requirement};
use hil_wire::Protocol;
use serde::Serialize;
use std::collections::BTreeSet;

/// One requirement.
#[derive(Clone, Debug, Serialize)]
pub struct Dossier<'a> {
    /// The protocol it is about.
    pub protocol: Protocol,
    /// What the catalogue says.
    #[serde(flatten)]
    pub requirement: &'a Requirement,
    /// What shows it.
    #[serde(flatten)]
    pub evidence: &'a Evidence,
    /// Facts inside the unit that scenarios look at.
    pub probes: BTreeSet<&'a str>,
    /// Whether nothing but such facts shows it.
    pub needs_probe: bool,
    /// Misbehaviours of simulated units that must violate it.
    pub defects: Vec<Proof<'a>>,
    /// What a run came to; none if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Reached<'a>>,
}

/// A deliberate misbehaviour that proves the oracle.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Proof<'a> {
    /// Its name.
    pub name: &'a str,
    /// What such a unit does.
    pub summary: &'a str,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reached<'a> {
    /// The state; not exercised if the protocol did not run at all.
    pub state: CoverageState,
    /// Instances that exercised it.
    pub instances: &'a [String],
}

impl<'a> Dossier<'a> {
    /// A requirement and what shows it; no run.
    pub fn new(
        protocol: Protocol,
        requirement: &'a Requirement,
        evidence: &'a Evidence,
        defects: Vec<Proof<'a>>,
    ) -> Self {
        Dossier {
            protocol,
            requirement,
            evidence,
            probes: evidence.probes(),
            needs_probe: evidence.needs_probe(),
            defects,
            coverage: None,
        }
    }
}
