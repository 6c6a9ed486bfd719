//! The edge poll API: an appliance behind NAT asks for commands, acknowledges them, and updates its snaps.
//! Types and tolerant decoders of every body, the identifier rules, and the routing of requests.

mod ack;
mod call;
mod command;
mod credential;
mod error_body;
pub mod error_code;
pub mod header;
mod identifier;
mod item;
mod latest;
mod multipart;
mod publish;
mod queue;
mod report;
mod subnet;
mod version;

#[cfg(any(test, feature = "strategies"))]
pub mod strategies;

#[cfg(test)]
mod tests;

pub use ack::{Ack, AckAnswer, AckStatus};
pub use call::{Call, InvalidLimit};
pub use command::{Command, PayloadError, REFERENCE_CONFIG_KEYS, invalid_config_keys, parse_payload};
pub use credential::{DeviceKeyError, PublishCredentialError, device_key, is_device_key, publish_credential};
pub use error_body::ErrorBody;
pub use identifier::{is_command_id, is_device_id, is_error_code, is_service_name, is_snap_name, is_version};
pub use item::{CommandItem, CommandList, Entry, ItemStatus};
pub use latest::LatestAnswer;
pub use multipart::{Multipart, MultipartError, Part};
pub use publish::PublishForm;
pub use queue::QueueCommand;
pub use report::{ReportStatus, StatusReport};
pub use subnet::{Subnet, SubnetError};
pub use version::compare_versions;
