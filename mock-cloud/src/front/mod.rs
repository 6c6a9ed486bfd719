//! The I/O around the cores: listeners, HTTP, and the one place where records are made.

mod body;
mod edge;
mod host;
mod http;

pub(crate) use edge::Edge;
pub(crate) use host::Host;
pub(crate) use http::serve_face;
