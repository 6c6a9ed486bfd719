//! What lies between unit and cloud: the clock, the transport, TLS. A bench takes its clock and its network
//! together, both virtual or both real. Only this crate and drivers of real units touch a real clock or socket.

mod clock;
mod fault;
mod memory;
mod network;
pub mod pki;
mod ports;
mod proxy;
pub mod serial;
mod stream;
pub mod tls;

pub use clock::Clock;
pub use fault::{Place, disturbed};
pub use network::{Address, Listener, Network, Reservation};
pub use ports::free_port;
pub use proxy::Proxy;
pub use stream::{Io, Stream, StreamHandle};
