//! The tokio shell: runs one agent over the bench's clock and network.

mod client;
mod connect;
mod core;
mod environment;
mod event;
mod frame;
mod keeper;
mod names;
mod old_tls;
mod perform;
mod registry;
mod server;
mod stimulus;
mod stream;
mod tampers;
mod unit;
mod websocket;

pub use keeper::is_kept;
pub use unit::SimUnit;
