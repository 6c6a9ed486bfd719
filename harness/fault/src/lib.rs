//! The one fault vocabulary: which message a fault waits for, when it triggers, what it does. Pure; scenarios, the
//! command line and the admin interface all speak it, the mock cloud and the link act on it.

mod artifact;
mod board;
mod effect;
mod spec;

pub use artifact::{Artifact, Artifacts};
pub use board::{FaultBoard, FaultId, Struck};
pub use effect::{Effect, ResetPoint};
pub use spec::{FaultError, FaultSpec};
