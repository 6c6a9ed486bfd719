//! What shows each requirement: derived from the scenarios and from what monitors say they judge, and checked.

mod check;
mod decides;
mod derive;
mod place;

pub use check::{check_embedded_evidence, check_evidence, check_requirements};
pub use derive::{Judged, evidence};
