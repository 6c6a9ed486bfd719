//! Driver of units behind an adapter: an executable of their vendor that answers requests, one JSON line each, on its
//! standard input and output. The protocol is described in `README.md` beside this crate. Nothing an adapter says is
//! trusted: whatever breaks the protocol is an error of the lab, never one of the unit.

mod driver;
mod excerpt;
mod hello;
mod life;
mod lines;
mod message;
mod notice;
mod request;
mod session;
mod unit;

pub use driver::AdapterDriver;
pub use hello::{Hello, HelloError};
pub use request::Request;
