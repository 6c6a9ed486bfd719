//! Ports for units that listen: from a range the system does not hand out by itself, so that no connection or listener of
//! a neighbouring instance takes one between its choice and the moment the unit binds it.

use std::{
    io,
    net::TcpListener,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// A port of a host nobody listens on; not given again by this process until all others were.
pub fn free_port(host: &str) -> io::Result<u16> {
    let mut last = io::ErrorKind::AddrInUse.into();
    for _ in 0..TRIES {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        // Processes that run side by side begin at different places.
        let begin = process::id().wrapping_mul(SPREAD) % COUNT;
        let port = FIRST + ((begin + u32::from(turn)) % COUNT) as u16;
        match TcpListener::bind((host, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = error,
        }
    }
    Err(last)
}

static NEXT: AtomicU16 = AtomicU16::new(0);
/// Below the ports systems use for outgoing connections.
const FIRST: u16 = 12_000;
const COUNT: u32 = 18_000;
const SPREAD: u32 = 997;
const TRIES: u32 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_not_given_twice() {
        let (one, other) = (free_port("127.0.0.1").unwrap(), free_port("127.0.0.1").unwrap());
        assert_ne!(one, other);
        let taken = TcpListener::bind(("127.0.0.1", one)).unwrap();
        assert_eq!(taken.local_addr().unwrap().port(), one);
    }
}
