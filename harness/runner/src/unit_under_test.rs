//! The unit a run is about, before any bench exists: how to make it, and what it says of itself.

use hil_fault::Artifacts;
use hil_link::Address;
use hil_trace::Tolerances;
use hil_unit::{Capability, Driver, UnitError};
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

/// Virtual clock and memory network, or real clock and TCP; never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchKind {
    /// Simulated time, everything in this process.
    Virtual,
    /// Real time and sockets.
    Real,
}

/// Which declared states a unit can be put in, beyond the image it runs.
#[derive(Clone, Debug)]
pub enum Preparation {
    /// Every one.
    Any,
    /// Those named, whatever their value.
    Named(BTreeSet<String>),
    /// Nothing is done to it: it is in these states.
    Fixed(Map<String, Value>),
}

/// What is made anew for each instance.
pub struct UnitKit {
    /// Makes the unit.
    pub driver: Box<dyn Driver>,
    /// Images by role.
    pub artifacts: Artifacts,
}

/// Makes a kit; called on the thread of the instance.
pub type MakeKit = Arc<dyn Fn() -> Result<UnitKit, UnitError> + Send + Sync>;

/// One unit under test.
#[derive(Clone)]
pub struct UnitUnderTest {
    /// Its name in reports.
    pub name: String,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// The bench it needs.
    pub bench: BenchKind,
    /// Makes its driver.
    pub make: MakeKit,
    /// What driver and lab can do.
    pub capabilities: BTreeSet<Capability>,
    /// Probes it answers; `None` = all of its protocol.
    pub probes: Option<BTreeSet<String>>,
    /// Stimuli it takes; `None` = all of its protocol.
    pub stimuli: Option<BTreeSet<String>>,
    /// Stimuli whose effect ends by itself or can be taken back; `None` = all of its protocol.
    pub undoable: Option<BTreeSet<String>>,
    /// What the lab was to offer and cannot, capabilities and probes, each with the reason.
    pub lab_lacks: BTreeMap<&'static str, String>,
    /// Roles of the images there are.
    pub artifact_roles: BTreeSet<String>,
    /// True if only one instance at a time may use it.
    pub exclusive: bool,
    /// Times in seconds.
    pub timing: Map<String, Value>,
    /// Optional features and options.
    pub ics: Map<String, Value>,
    /// Declared states it can be put in.
    pub prepare: Preparation,
    /// Facts for reports.
    pub facts: Map<String, Value>,
    /// Settings that replace those of the cloud, such as a fixed `device_key`.
    pub settings: BTreeMap<String, String>,
    /// Where the unit is the server.
    pub faces: BTreeMap<String, Address>,
    /// How far stamps may be off.
    pub tolerances: Tolerances,
    /// Fixed ports of the cloud's faces, for units that cannot be told.
    pub ports: BTreeMap<String, u16>,
    /// Address the cloud listens on and the host name the unit is told; real benches only.
    pub bind: String,
    /// See `bind`.
    pub advertised_host: String,
    /// Where the authority of the cloud is kept; a fresh one for each instance if `None`.
    pub authority_directory: Option<PathBuf>,
}

impl UnitUnderTest {
    /// Whether nothing is done to it: it ran before the instance and runs on after it.
    pub fn runs_already(&self) -> bool {
        matches!(self.prepare, Preparation::Fixed(_))
    }

    /// Whether it calls the cloud under the one URL it was given, and tells it there what became of its commands.
    pub fn reports_to_cloud(&self) -> bool {
        matches!(self.protocol, Protocol::EdgePoll | Protocol::DeviceCommand)
    }
}
