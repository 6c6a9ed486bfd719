//! The five protocols as types and codecs. Pure: no I/O, no clock, nothing else of this workspace.
//!
//! Decoding is tolerant and hides nothing: a decoder returns what it could understand together with every
//! [`Oddity`] it met. Who receives the message decides what to do about them.

pub mod aos;
pub mod dbus;
pub mod device_command;
pub mod digest;
pub mod edge_poll;
pub mod http;
pub mod json;
pub mod members;
pub mod oddity;
pub mod ota_rpc;
pub mod protocol;
pub mod sota;
#[cfg(test)]
mod testing;
pub mod timestamp;

pub use oddity::{Decoded, Oddity, OddityKind, Weight};
pub use protocol::Protocol;
