//! What a unit under test is, whatever drives it: the trait, its surroundings, the unit file, and a fake.

mod capability;
mod error;
mod fake;
mod surroundings;
mod unit;

pub use hil_fault::{Artifact, Artifacts};
pub use capability::Capability;
pub use error::UnitError;
pub use fake::FakeUnit;
pub use surroundings::{Endpoints, Identity, Surroundings};
pub use unit::{Driver, Unit};
