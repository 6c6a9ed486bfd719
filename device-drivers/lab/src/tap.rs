//! A tap on the segment a unit searches: which addresses it really asks for.

use crate::{
    instrument::Instrument,
    packet::{Range, Seen},
};
use async_trait::async_trait;
use hil_unit::{
    UnitError,
    trace::{Party, RecordBody, SharedRecorder},
    unit_file::Tap as TapPlace,
};
use rustix::{
    io::Errno,
    net::{AddressFamily, Protocol, SocketFlags, SocketType, socket_with},
};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeSet, net::IpAddr, num::NonZeroU32, os::fd::OwnedFd, rc::Rc};
use tokio::net::UdpSocket;

/// Sees packets for the addresses of a segment, on every interface of this machine.
pub(crate) struct Tap {
    recorder: SharedRecorder,
    segment: Range,
    subnet: Range,
    source: Option<IpAddr>,
    ignore: Vec<IpAddr>,
    asked_for: RefCell<BTreeSet<IpAddr>>,
}

impl Tap {
    /// A tap at its place. The unit file was checked: what is no range holds nothing.
    pub(crate) fn new(place: &TapPlace, recorder: SharedRecorder) -> Result<Rc<Tap>, UnitError> {
        let range = |text: &str| {
            Range::parse(text).ok_or_else(|| UnitError::BadArgument {
                name: "lab.tap".to_owned(),
                problem: format!("`{text}` is no range of addresses"),
            })
        };
        Ok(Rc::new(Tap {
            recorder,
            segment: range(&place.segment)?,
            subnet: range(&place.subnet)?,
            source: place.source,
            ignore: place.ignore.clone(),
            asked_for: RefCell::default(),
        }))
    }

    /// Opens the socket; fails without the right to see packets of others.
    pub(crate) fn open() -> Result<OwnedFd, UnitError> {
        // Every protocol, in network byte order.
        let all = NonZeroU32::new(u32::from(0x0003_u16.to_be())).map(Protocol::from_raw);
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        socket_with(AddressFamily::PACKET, SocketType::DGRAM, flags, all).map_err(|error| {
            let why = match error {
                Errno::PERM | Errno::ACCESS => "without the capability CAP_NET_RAW",
                _ => "here",
            };
            UnitError::Lab(format!("no tap {why}: {error}"))
        })
    }

    /// Looks at packets until cancelled.
    pub(crate) async fn watch(self: Rc<Self>, socket: OwnedFd) {
        // To the run time any socket that gives datagrams is like another.
        let socket = std::net::UdpSocket::from(socket);
        let Ok(socket) = UdpSocket::from_std(socket) else {
            return;
        };
        let mut buffer = [0; LONGEST];
        loop {
            match socket.recv(&mut buffer).await {
                Ok(count) => self.see(&buffer[..count]),
                // An interface that goes down is no end.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn see(&self, packet: &[u8]) {
        let Some(seen) = Seen::read(packet).filter(|seen| !seen.answers && self.segment.contains(seen.to))
        else {
            return;
        };
        if self.source.is_some_and(|source| source != seen.from) || self.ignore.contains(&seen.to) {
            return;
        }
        // Loopback shows each packet on its way out and in, and one of each address tells all.
        if self.asked_for.borrow_mut().insert(seen.to) {
            let inside = self.subnet.contains(seen.to);
            let facts = json!({"to": seen.to.to_string(), "kind": seen.kind, "inside": inside});
            self.recorder.record(RecordBody::Datagram {
                face: "tap".to_owned(),
                from: Party::Unit,
                facts: facts.as_object().cloned().unwrap_or_default(),
                payload: packet[..packet.len().min(KEPT)].into(),
            });
        }
    }
}

#[async_trait(?Send)]
impl Instrument for Tap {
    fn probes(&self) -> &'static [&'static str] {
        Tap::PROBES
    }

    fn prepare(&self) {
        self.asked_for.borrow_mut().clear();
    }

    async fn probe(&self, _: &str, _: &Map<String, Value>) -> Result<Value, UnitError> {
        let asked_for = self.asked_for.borrow();
        Ok(asked_for.iter().map(IpAddr::to_string).collect())
    }
}

impl Tap {
    pub(crate) const PROBES: &[&str] = &["probed_addresses"];
}

const LONGEST: usize = 2048;
/// Bytes of a packet that are kept: its headers.
const KEPT: usize = 64;
