//! The front around a toy core, on a paused clock and a network in memory; peers are independent implementations.

mod call;
mod http;
mod message;
mod serial;
mod stream;
mod tls;
mod toy;
