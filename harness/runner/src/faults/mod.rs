//! Faults of an instance: what they wait for, and how those of the unit are made.

mod fuse;
mod tripwire;
mod unit;

pub(crate) use fuse::{Fuse, Spark};
pub(crate) use tripwire::Tripwire;
pub(crate) use unit::SharedUnit;
