//! SOTA client protocol: commands and events in two dialects, the text grammar, the gateways, and the HTTP
//! API of Core and the authentication server.

pub mod bus;
pub mod console;
pub mod core;
pub mod gateway;
pub mod socket;
#[cfg(any(test, feature = "strategies"))]
pub mod strategies;
pub mod text;

mod command;
mod credentials;
mod dialect;
mod download;
mod event;
mod members;
mod package;
mod result_code;
mod software;
mod update_available;
mod update_report;
mod update_request;
mod variant;

#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod property_tests;

pub use command::Command;
pub use credentials::{Authentication, ClientCredentials};
pub use dialect::{Dialect, NotExpressible};
pub use download::DownloadComplete;
pub use event::{Event, UptaneEvent};
pub use package::Package;
pub use result_code::ResultCode;
pub use software::{InstalledFirmware, InstalledPackage, InstalledSoftware};
pub use update_available::UpdateAvailable;
pub use update_report::{OperationResult, UpdateReport};
pub use update_request::{UpdateRequest, UpdateRequestStatus};
