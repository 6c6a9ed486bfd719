//! Faults of an instance: what they wait for, and how those of the unit are made.

mod cloud;
mod disturbances;
mod extra;
mod fuse;
mod stage;
mod tripwire;
mod unit;

pub(crate) use disturbances::Disturbances;
pub use extra::{ArmError, arm_extra, arm_on_connections};
pub(crate) use fuse::{Armed, Makers, Spark};
pub use stage::Stage;
pub use tripwire::Tripwire;
pub(crate) use unit::SharedUnit;
