//! What a unit under test is, whatever drives it: the trait, its surroundings, the unit file, and a fake.

// Drivers of real units need nothing below this crate but these.
pub use hil_link as link;
pub use hil_trace as trace;

mod capability;
mod error;
mod fake;
mod surroundings;
mod unit;
pub mod unit_file;

pub use capability::Capability;
pub use error::UnitError;
pub use fake::FakeUnit;
pub use hil_diagnostic::suggest;
pub use hil_fault::{Artifact, Artifacts};
pub use hil_link::pki::Identity;
pub use surroundings::{Endpoints, Surroundings};
pub use unit::{Driver, Unit};
pub use unit_file::{UnitFile, UnitFileError};
