//! What a certificate claims: rules over the catalogue, from `scenarios/profiles/*.yaml`.

mod embedded;
mod plain;
mod read;

pub use embedded::{embedded_profiles, embedded_profiles_of};
pub use plain::{Excuse, Profile};
pub use read::read_profile;
