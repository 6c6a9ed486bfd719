//! The kinds of simulated units, one per protocol: how each is provisioned and booted, and its defaults.

use crate::{Agent, Hardware, Setup, aos, device_command, edge_poll, image::stamp, ota_rpc, sota};
use hil_unit::{Artifact, Artifacts, UnitError};
use hil_wire::Protocol;
use serde_json::{Map, Value};

/// One kind of simulated unit. To add a protocol: implement this and [`Agent`], and add a line to [`kind_of`].
pub trait Kind {
    /// Brings fresh hardware into the declared state, such as `running: current`.
    fn provision(
        &self,
        state: &Map<String, Value>,
        setup: &Setup,
        hardware: &mut Hardware,
    ) -> Result<(), UnitError>;

    /// The boot loader: chooses what runs and makes its agent. Must not change anything when `Input::Boot` does
    /// not follow, since probes of a unit without power use it on a copy of the hardware.
    fn boot(&self, setup: &Setup, hardware: &mut Hardware) -> Box<dyn Agent>;

    /// Images by role.
    fn artifacts(&self) -> Artifacts;

    /// Images by role for a unit that says this of itself, such as its platform; [`IMAGE_SEED`] makes them others.
    fn artifacts_for(&self, said: &Map<String, Value>) -> Artifacts {
        stamped(self.artifacts(), said)
    }

    /// The same for units that are not ours: what is inside matters to nobody, or is what any such unit reads.
    fn neutral_artifacts(&self, said: &Map<String, Value>) -> Artifacts {
        self.artifacts_for(said)
    }

    /// Times in seconds.
    fn timing(&self) -> Map<String, Value>;

    /// Optional features and options.
    fn ics(&self) -> Map<String, Value>;

    /// Names of the endpoint settings its agents read; the first says where the cloud is.
    fn settings(&self) -> &'static [&'static str];
}

/// The name of the seed of images among what is said of a unit.
pub const IMAGE_SEED: &str = "image_seed";

/// The seed of images, if one is said.
pub(crate) fn image_seed(said: &Map<String, Value>) -> Option<u64> {
    said.get(IMAGE_SEED).and_then(Value::as_u64)
}

/// Images that tell the seed that is said, if one is.
pub(crate) fn stamped(mut artifacts: Artifacts, said: &Map<String, Value>) -> Artifacts {
    if let Some(seed) = image_seed(said) {
        for artifact in artifacts.0.values_mut() {
            let mut bytes = artifact.bytes.to_vec();
            stamp(&mut bytes, seed);
            artifact.bytes = bytes.into();
        }
    }
    artifacts
}

/// The kind of unit that speaks a protocol; `None` if no simulated unit does.
pub(crate) fn kind_of(protocol: Protocol) -> Option<&'static dyn Kind> {
    match protocol {
        Protocol::AosV7 => Some(&aos::AosKind),
        Protocol::EdgePoll => Some(&edge_poll::EdgePollKind),
        Protocol::OtaRpc => Some(&ota_rpc::OtaRpcKind),
        Protocol::Sota => Some(&sota::SotaKind),
        Protocol::DeviceCommand => Some(&device_command::DeviceCommandKind),
    }
}

/// The image a declared state names as `running`, `current` if it says nothing: the one given, else the kind's own.
pub(crate) fn running_artifact(
    kind: &dyn Kind,
    state: &Map<String, Value>,
    setup: &Setup,
) -> Result<Artifact, UnitError> {
    let role = running_role(state)?;
    let given = setup.artifacts.get(role).cloned();
    given
        .or_else(|| kind.artifacts_for(&setup.ics).0.remove(role))
        .ok_or_else(|| UnitError::BadArgument {
            name: "running".into(),
            problem: format!("there is no image `{role}`"),
        })
}

/// The role a declared state names as `running`; `current` if it says nothing.
pub(crate) fn running_role(state: &Map<String, Value>) -> Result<&str, UnitError> {
    match state.get("running") {
        None => Ok("current"),
        Some(Value::String(role)) => Ok(role),
        Some(other) => Err(UnitError::BadArgument {
            name: "running".into(),
            problem: format!("the role of an image is expected, not {other}"),
        }),
    }
}
