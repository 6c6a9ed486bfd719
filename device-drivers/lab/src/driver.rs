//! Puts instruments around the units of another driver.

use crate::{
    instrument::Instrument, module::Module, names::NameServer, tap::Tap, time_server::TimeServer,
    unit::LabUnit,
};
use hil_unit::{
    Capability, Driver, Surroundings, Unit, UnitError,
    link::{Address, Listener},
    trace::ClockKind,
    unit_file::{Lab, STATE_DIRECTORY, parse_address},
};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::{SocketAddr, TcpListener, UdpSocket},
    os::unix::net::UnixListener,
    rc::Rc,
};
use tokio::task::JoinSet;

/// Units of a driver in a lab. What they reach there they are told like faces of their own: `{module}`, `{time_server}`, each
/// with `_host` and `_port`. Its units run on real benches, inside a `LocalSet`.
pub struct LabDriver {
    inner: Box<dyn Driver>,
    lab: Lab,
}

impl LabDriver {
    /// Units of `inner` with the instruments of a unit file, as far as this machine has them.
    pub fn new(inner: Box<dyn Driver>, lab: Lab) -> Self {
        LabDriver { inner, lab }
    }

    /// The instruments this machine cannot offer, by the capability or probe they would give, each with the reason.
    pub fn lacks(lab: &Lab) -> BTreeMap<&'static str, String> {
        let mut lacks = BTreeMap::new();
        if let Some(Err(error)) = lab.tap.as_ref().map(|_| Tap::open()) {
            for what in Tap::PROBES.iter().copied().chain([Capability::PacketTap.name()]) {
                lacks.insert(what, error.to_string());
            }
        }
        lacks
    }

    /// Probes the instruments answer.
    pub fn probes(lab: &Lab) -> BTreeSet<String> {
        let tap = lab.tap.is_some() && Tap::open().is_ok();
        let module = lab.module.is_some();
        let all = [(tap, Tap::PROBES), (module, Module::PROBES)];
        names(all)
    }

    /// Stimuli the instruments carry out, and take back.
    pub fn stimuli(lab: &Lab) -> BTreeSet<String> {
        names([
            (lab.module.is_some(), Module::STIMULI),
            (lab.time_server.is_some(), TimeServer::STIMULI),
        ])
    }
}

impl Driver for LabDriver {
    fn capabilities(&self) -> BTreeSet<Capability> {
        let mut capabilities = self.inner.capabilities();
        let offered = [
            (Capability::Probe, !Self::probes(&self.lab).is_empty()),
            (Capability::Stimulate, !Self::stimuli(&self.lab).is_empty()),
            (Capability::Clock, self.lab.time_server.is_some()),
            (Capability::Names, self.lab.names.is_some()),
            (
                Capability::PacketTap,
                self.lab.tap.is_some() && Tap::open().is_ok(),
            ),
        ];
        capabilities.extend(offered.into_iter().filter(|(_, has)| *has).map(|(name, _)| name));
        capabilities
    }

    fn facts(&self) -> Map<String, Value> {
        self.inner.facts()
    }

    fn create(&self, mut surroundings: Surroundings) -> Result<Box<dyn Unit>, UnitError> {
        let (clock, recorder) = (surroundings.clock, surroundings.recorder.clone());
        if clock.kind() != ClockKind::Real {
            return Err(UnitError::NotSupported("use a lab in virtual time".to_owned()));
        }
        let mut instruments: Vec<Rc<dyn Instrument>> = Vec::new();
        let mut at_work = JoinSet::new();
        if let Some(place) = &self.lab.tap
            && let Ok(socket) = Tap::open()
        {
            let tap = Tap::new(place, recorder.clone())?;
            at_work.spawn_local(tap.clone().watch(socket));
            instruments.push(tap);
        }
        if let Some(place) = &self.lab.module {
            let module = Module::new(clock, recorder.clone());
            let (address, listener) = listen(place, &surroundings)?;
            surroundings.faces.insert("module".to_owned(), address);
            at_work.spawn_local(module.clone().serve(listener));
            instruments.push(module);
        }
        if let Some(place) = &self.lab.time_server {
            let server = TimeServer::new(clock, recorder.clone(), place.every);
            let (address, socket) = bind("time server", &place.address)?;
            surroundings.faces.insert("time-server".to_owned(), address);
            at_work.spawn_local(server.clone().serve(socket));
            instruments.push(server);
        }
        if let Some(place) = &self.lab.names {
            let (address, socket) = bind("name server", place)?;
            let here = socket
                .local_addr()
                .map_err(|error| UnitError::Lab(error.to_string()))?;
            surroundings.faces.insert("name-server".to_owned(), address);
            let server = NameServer::new(recorder, here.ip());
            at_work.spawn_local(server.clone().serve(socket));
            instruments.push(server);
        }
        Ok(Box::new(LabUnit {
            inner: self.inner.create(surroundings)?,
            instruments,
            at_work,
        }))
    }
}

fn names<const N: usize>(all: [(bool, &[&str]); N]) -> BTreeSet<String> {
    let there = all.into_iter().filter(|(there, _)| *there);
    there
        .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()))
        .collect()
}

/// Listens over UDP.
fn bind(what: &str, place: &str) -> Result<(Address, tokio::net::UdpSocket), UnitError> {
    let cannot = |error: std::io::Error| UnitError::Lab(format!("no {what} on {place}: {error}"));
    let socket = UdpSocket::bind(place).map_err(cannot)?;
    socket.set_nonblocking(true).map_err(cannot)?;
    let address = host(place, socket.local_addr().map_err(cannot)?);
    Ok((address, tokio::net::UdpSocket::from_std(socket).map_err(cannot)?))
}

/// Listens over TCP, or on a Unix socket in the unit's own folder or anywhere.
fn listen(place: &str, surroundings: &Surroundings) -> Result<(Address, Listener), UnitError> {
    let cannot = |error: std::io::Error| UnitError::Lab(format!("no module on {place}: {error}"));
    let folder = surroundings.state_directory.as_deref();
    let path = match (place.strip_prefix(STATE_DIRECTORY), folder) {
        (Some(rest), Some(folder)) => Some(format!("{}{rest}", folder.display())),
        _ => place.starts_with('/').then(|| place.to_owned()),
    };
    if let Some(path) = path {
        if let Some(folder) = std::path::Path::new(&path).parent() {
            std::fs::create_dir_all(folder).map_err(cannot)?;
        }
        // What an earlier instance left.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let listener = tokio::net::UnixListener::from_std(listener).map_err(cannot)?;
        return Ok((Address::Path(path.clone()), Listener::Unix(listener, path)));
    }
    let listener = TcpListener::bind(place).map_err(cannot)?;
    listener.set_nonblocking(true).map_err(cannot)?;
    let address = host(place, listener.local_addr().map_err(cannot)?);
    let listener = tokio::net::TcpListener::from_std(listener).map_err(cannot)?;
    Ok((address, Listener::Tcp(listener)))
}

/// The host as the unit file says it, with the port it came to.
fn host(place: &str, bound: SocketAddr) -> Address {
    match parse_address(place) {
        Some(Address::Host(host, _)) => Address::Host(host, bound.port()),
        _ => Address::Host(bound.ip().to_string(), bound.port()),
    }
}
