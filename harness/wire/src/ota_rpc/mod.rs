//! OTA RPC (Mongoose OS style): frames, arguments, transports, digest authentication and firmware archives.

pub mod acl;
pub mod archive;
pub mod argument;
pub mod digest;
pub mod http;
pub mod method;
pub mod mqtt;
#[cfg(any(test, feature = "strategies"))]
pub mod strategies;
pub mod uart;

mod boot_state;
mod core_service;
mod error;
mod frame;
mod id;
mod members;
mod push;
mod scan;
mod snapshot;
mod update;

#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod property_tests;

pub use boot_state::{BootState, BootStateChange};
pub use core_service::{Describe, Reboot, RebootError, SystemInfo};
pub use error::{RpcError, code};
pub use frame::{Frame, FrameKind, Outcome, Trace, decode, encode, encode_ascii, escape_non_ascii};
pub use id::Id;
pub use push::{Begin, PushArgumentsError, PushState, PushStatus, Write};
pub use snapshot::{Snapshot, SnapshotRequest};
pub use update::{UpdateRequest, UpdateRequestError};
