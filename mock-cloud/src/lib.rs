//! The reference cloud side of all five protocols. Cores are state machines without I/O; fronts carry bytes to and
//! from them and are the only taps; the handle is what scenario steps ask for.

pub mod core;
mod front;
mod handle;
mod pki;
mod protocols;
mod settings;
mod store;
mod unit_certificate;

pub use core::{ActError, Operation, Security};
pub use handle::{CloudError, CloudSurroundings, MockCloud};
pub use pki::PkiProblem;
pub use protocols::cloud_faces;
pub use settings::CloudSettings;
pub use store::{MemoryStore, SqliteStore, Store, StoreError};
