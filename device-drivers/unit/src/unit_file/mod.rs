//! `unit.yaml`: what the user says of the unit under test. Read with every mistake at its place; the runner and the
//! drivers take from it what they need.

mod artifacts;
mod cloud_place;
mod driver_kind;
mod faces;
mod file;
mod hook;
mod init;
mod known;
mod lab;
mod policy;
mod read;
mod read_process;
mod schema;

pub use artifacts::{ArtifactFile, OTHER_ITEM, ROLES};
pub use cloud_place::CloudPlace;
pub use driver_kind::DriverKind;
pub use faces::{faces_of, faces_of_feature, parse_address};
pub use file::{ConfigTemplate, STATE_DIRECTORY, Subject, UnitFile, UnitFileError};
pub use hook::{Hook, HookFormat};
pub use init::init_template;
pub use known::KnownNames;
pub use lab::{Lab, Tap, TimeServer};
pub use policy::{ReadyPolicy, RestartPolicy, RestartWhen, StopPolicy, StopSignal};
pub use read::dialects_of;
pub use read_process::ADAPTER_REQUESTS;
pub use schema::schema;
