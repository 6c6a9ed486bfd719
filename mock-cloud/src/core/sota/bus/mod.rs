//! The private bus of the D-Bus gateway (reference section 2.5): it takes connections, routes messages between them, and is the
//! software manager and the caller of the client itself.

mod driver;
mod manager;
mod names;
mod rule;
#[cfg(test)]
mod tests;

use crate::core::{Operation, Outputs, Send};
use hil_trace::Stamp;
use hil_wire::{
    dbus::{Accepted, Assembler, Handshake, Kind, Message, StreamError},
    sota::bus::{HARNESS, MANAGER},
};
pub(super) use manager::Calling;
use manager::Manager;
use names::Names;
use rule::Rule;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};

/// Who sits at the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seat {
    /// The harness.
    Harness,
    /// Whoever opened this connection.
    Connection(u32),
}

/// The bus and everybody on it.
#[derive(Debug)]
pub(super) struct Bus {
    peers: BTreeMap<u32, Peer>,
    names: Names,
    manager: Manager,
    /// Messages on their way, with who sent them.
    routed: VecDeque<(Seat, Message)>,
    /// Number of the last message of the bus itself.
    serial: u32,
    /// Number in the last unique name.
    unique: u32,
    /// Identity in 32 hexadecimal digits.
    guid: String,
}

/// One connection.
#[derive(Debug, Default)]
struct Peer {
    /// Until its first message.
    handshake: Option<Handshake>,
    assembler: Assembler,
    /// Its unique name, once it said hello.
    unique: Option<String>,
    rules: Vec<Rule>,
}

impl Bus {
    /// An empty bus, with the software manager on it or not.
    pub(super) fn new(seed: u64, manager: bool) -> Self {
        let mut names = Names::default();
        if manager {
            names.request(MANAGER, Seat::Harness, 0);
        }
        Bus {
            peers: BTreeMap::new(),
            names,
            manager: Manager::default(),
            routed: VecDeque::new(),
            serial: 0,
            unique: 0,
            guid: format!("{seed:032x}"),
        }
    }

    /// Whether a connection is one to this bus.
    pub(super) fn has(&self, connection: u32) -> bool {
        self.peers.contains_key(&connection)
    }

    /// Somebody connects; whoever reads the trace learns whether the manager is there.
    pub(super) fn opened(&mut self, connection: u32, out: &mut Outputs) {
        let present = self.names.owner(MANAGER) == Some(Seat::Harness);
        out.note("bus_manager", json!({"present": present}));
        let peer = Peer {
            handshake: Some(Handshake::default()),
            ..Peer::default()
        };
        self.peers.insert(connection, peer);
    }

    /// Bytes of a connection; empty = its end.
    pub(super) fn bytes(&mut self, connection: u32, bytes: &[u8], out: &mut Outputs) {
        if let Err(error) = self.read(connection, bytes, out) {
            self.refuse(connection, &error.to_string(), out);
        }
    }

    /// A connection has ended: its names are free, and who waits for its answers is told.
    pub(super) fn closed(&mut self, connection: u32, out: &mut Outputs) {
        let Some(peer) = self.peers.remove(&connection) else {
            return;
        };
        let seat = Seat::Connection(connection);
        for (name, next) in self.names.leave(seat) {
            self.owner_changed(&name, Some(seat), next, peer.unique.as_deref(), out);
        }
        if let Some(unique) = &peer.unique {
            self.announce_owner(unique, unique, "", out);
        }
        self.manager.gone(seat, out);
        self.run(out);
    }

    /// The software manager enters or leaves.
    pub(super) fn set_manager(&mut self, present: bool, out: &mut Outputs) {
        out.note("bus_manager", json!({"present": present}));
        match present {
            // Whoever has the name keeps it; the manager is next.
            true => drop(self.request_name(Seat::Harness, MANAGER, 0, out)),
            false => drop(self.release_name(Seat::Harness, MANAGER, out)),
        }
        self.run(out);
    }

    /// What the software manager says is installed: packages and firmwares.
    pub(super) fn set_software(&mut self, packages: Vec<Value>, firmwares: Vec<Value>) {
        self.manager.packages = packages;
        self.manager.firmwares = firmwares;
    }

    /// Calls the client; returns the number of the call.
    pub(super) fn call(&mut self, now: Stamp, calling: Calling, out: &mut Outputs) -> u64 {
        let number = self.manager.call(now, calling);
        self.run(out);
        u64::from(number)
    }

    /// When a call is given up.
    pub(super) fn next_wake(&self) -> Option<Stamp> {
        self.manager.next_wake()
    }

    /// Gives up calls that took too long.
    pub(super) fn wake(&mut self, now: Stamp, out: &mut Outputs) {
        self.manager.wake(now, out);
    }

    fn read(&mut self, connection: u32, bytes: &[u8], out: &mut Outputs) -> Result<(), StreamError> {
        let Some(peer) = self.peers.get_mut(&connection) else {
            return Ok(());
        };
        let mut messages = bytes.to_vec();
        if let Some(handshake) = &mut peer.handshake {
            let (answer, rest) = match handshake.push(bytes, &self.guid)? {
                Accepted::NotYet(answer) => (answer, Vec::new()),
                Accepted::Begun(answer, rest) => {
                    peer.handshake = None;
                    (answer, rest)
                }
            };
            send(connection, answer, out);
            messages = rest;
        }
        peer.assembler.push(&messages);
        while let Some(message) = self.next_message(connection)? {
            self.routed.push_back((Seat::Connection(connection), message));
            self.run(out);
        }
        Ok(())
    }

    fn next_message(&mut self, connection: u32) -> Result<Option<Message>, StreamError> {
        match self.peers.get_mut(&connection) {
            Some(peer) => Ok(peer.assembler.next_message()?),
            None => Ok(None),
        }
    }

    /// Routes what waits, and what comes of it.
    fn run(&mut self, out: &mut Outputs) {
        loop {
            let ready = self.manager.ready(&self.names);
            self.routed
                .extend(ready.into_iter().map(|call| (Seat::Harness, call)));
            let Some((seat, message)) = self.routed.pop_front() else {
                return;
            };
            self.route(seat, message, out);
        }
    }

    fn route(&mut self, seat: Seat, mut message: Message, out: &mut Outputs) {
        message.sender = match self.unique_name(seat) {
            Some(unique) => unique.to_owned(),
            None if message.member == "Hello" && message.destination == driver::BUS => String::new(),
            None => {
                if let Seat::Connection(connection) = seat {
                    self.refuse(connection, "a message before Hello", out);
                }
                return;
            }
        };
        if message.destination == driver::BUS
            || (message.kind == Kind::Call && message.destination.is_empty())
        {
            return self.drive(seat, &message, out);
        }
        if message.destination.is_empty() {
            if message.kind == Kind::Signal {
                self.broadcast(&message, out);
            }
            return;
        }
        match self.resolve(&message.destination) {
            Some(seat) => self.deliver(seat, &message, out),
            None if message.expects_reply() => {
                let text = format!("nobody on this bus has the name {}", message.destination);
                let error = Message::error(&message, driver::SERVICE_UNKNOWN, &text);
                self.say(seat, error, out);
            }
            None => {}
        }
    }

    fn deliver(&mut self, seat: Seat, message: &Message, out: &mut Outputs) {
        match seat {
            Seat::Connection(connection) => send(connection, message.encode(), out),
            Seat::Harness => {
                if let Some(answer) = self.manager.receive(message) {
                    self.routed.push_back((Seat::Harness, answer));
                }
            }
        }
    }

    /// Sends a message of the bus itself.
    fn say(&mut self, seat: Seat, mut message: Message, out: &mut Outputs) {
        let Seat::Connection(connection) = seat else {
            return;
        };
        self.serial = self.serial.wrapping_add(1).max(1);
        message.serial = self.serial;
        message.sender = driver::BUS.to_owned();
        if message.destination.is_empty()
            && message.kind != Kind::Signal
            && let Some(unique) = self.unique_name(seat)
        {
            message.destination = unique.to_owned();
        }
        send(connection, message.encode(), out);
    }

    /// Sends a signal to everybody who wants it.
    fn broadcast(&self, signal: &Message, out: &mut Outputs) {
        let owner = |name: &str| {
            let seat = self.resolve(name)?;
            self.unique_name(seat)
        };
        for (connection, peer) in &self.peers {
            if peer.rules.iter().any(|rule| rule.fits(signal, &owner)) {
                send(*connection, signal.encode(), out);
            }
        }
    }

    fn resolve(&self, name: &str) -> Option<Seat> {
        if name == HARNESS {
            return Some(Seat::Harness);
        }
        if !name.starts_with(':') {
            return self.names.owner(name);
        }
        let mut peers = self.peers.iter();
        let found = peers.find(|(_, peer)| peer.unique.as_deref() == Some(name));
        found.map(|(connection, _)| Seat::Connection(*connection))
    }

    fn unique_name(&self, seat: Seat) -> Option<&str> {
        match seat {
            Seat::Harness => Some(HARNESS),
            Seat::Connection(connection) => self.peers.get(&connection)?.unique.as_deref(),
        }
    }

    /// Cuts off a connection that does not speak D-Bus.
    fn refuse(&mut self, connection: u32, reason: &str, out: &mut Outputs) {
        out.note("bus_refused", json!({"connection": connection, "reason": reason}));
        out.sends.push(Send::Reset { connection });
        // What else it sends is not looked at; its names are freed when it has ended.
        if let Some(peer) = self.peers.get_mut(&connection) {
            peer.assembler.stop();
        }
    }
}

/// Bytes to a connection; faults on lines know no name for them.
fn send(connection: u32, payload: Vec<u8>, out: &mut Outputs) {
    if !payload.is_empty() {
        out.sends.push(Send::Bytes {
            connection,
            payload,
            operation: Operation::default(),
        });
    }
}
