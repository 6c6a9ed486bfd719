//! The I/O around the cores: listeners, HTTP, WebSockets, byte streams, calls to the unit, and the one place where
//! records are made.

mod answer;
mod bad_json;
mod bytes;
mod call;
mod edge;
mod exchange;
mod filter;
mod frame;
mod host;
mod http;
mod image;
mod line;
mod link;
mod old_tls;
mod open;
mod outgoing;
mod past_hyper;
mod pieces;
mod security;
mod send;
#[cfg(test)]
mod tests;
mod timer;
mod upgrade;
mod websocket;
mod wrong_url;

pub(crate) use bytes::serve_byte_face;
pub(crate) use edge::Edge;
pub(crate) use host::{Host, UnitFaces};
pub(crate) use http::serve_face;
pub(crate) use security::FaceSecurity;
pub(crate) use timer::wake_when_due;
