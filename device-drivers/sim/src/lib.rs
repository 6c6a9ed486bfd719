//! Simulated units: agents are state machines without I/O, hardware is plain data that survives power cuts, and one
//! tokio shell runs them over the bench's clock and network. Never uses the mock cloud: the two must not share
//! mistakes.

mod agent;
mod aos;
mod context;
mod defect;
mod device_command;
mod driver;
mod edge_poll;
mod hardware;
mod image;
mod input;
mod kind;
mod ota_rpc;
mod output;
mod setup;
mod shell;
mod sota;
#[cfg(test)]
mod testing;
mod url;

pub use agent::Agent;
pub use context::Context;
pub use defect::{Defect, UnknownDefect};
pub use driver::{
    SimDriver, artifacts_for, default_artifacts, default_ics, default_timing, neutral_artifacts, settings_of,
};
pub use hardware::{Flash, FlashError, Hardware, Service, Slot};
pub use image::{Behaviour, Image};
pub use input::{HttpError, Input};
pub use kind::{IMAGE_SEED, Kind};
pub use output::{ExchangeId, Frame, HttpCall, Limits, Output, RequestId, SocketId, StreamId, TimerId};
pub use setup::Setup;
pub use shell::{SimUnit, is_kept};
pub use url::Url;
