//! The device command API: resets, restarts, firmware updates, exports, diagnostics and cleanups of one device.
//! Types and tolerant decoders of every body, typed parameters, signatures, and the routing of requests.

mod call;
mod canonical;
mod command;
mod command_type;
mod csv;
mod diagnostics;
mod error_body;
pub mod error_code;
mod export;
mod fetch;
pub mod header;
mod identifier;
mod issue;
mod parameter_error;
mod parameter_value;
mod parameters;
mod signature;
mod status;
pub mod status_text;

#[cfg(any(test, feature = "strategies"))]
pub mod strategies;

#[cfg(test)]
mod tests;

pub use call::Call;
pub use canonical::canonical_json;
pub use command::CommandObject;
pub use command_type::CommandType;
pub use csv::CsvExport;
pub use diagnostics::{Diagnostics, EndpointTest};
pub use error_body::{BusyBody, ErrorBody, InvalidTypeBody};
pub use export::{ExportAnswer, ExportBody, ExportRecord};
pub use fetch::{Entry, FetchAnswer, FetchedCommand};
pub use identifier::{is_command_id, is_device_id};
pub use issue::{IssueAnswer, IssueRequest};
pub use parameter_error::{ParameterError, ParameterProblem};
pub use parameter_value::{ExportFormat, ResetType, RestartMode, UrlPolicy};
pub use parameters::Parameters;
pub use signature::{Signature, SignatureError, SignaturePolicy, fetched_signing_input, signing_input};
pub use status::{CommandStatus, StatusAnswer, StatusBody};
