//! A running mock cloud as scenario steps and commands see it.

use crate::{
    CloudSettings,
    core::{ActError, Core, Security},
    front::{Edge, FaceSecurity, Host, UnitFaces, serve_byte_face, serve_face, wake_when_due},
    pki::{Pki, PkiProblem},
    protocols::{CoreSurroundings, make_core},
    store::{MemoryStore, Store, StoreError},
};
use hil_fault::{Artifact, Artifacts, Faults};
use hil_link::{
    Address, Clock, Listener, Network, Reservation,
    pki::{Authority, Identity},
};
use hil_trace::SharedRecorder;
use serde_json::{Map, Value};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    io,
    rc::Rc,
    time::Duration,
};
use tokio::task::{AbortHandle, JoinSet};

/// What a cloud runs on.
#[derive(Clone)]
pub struct CloudSurroundings {
    /// The bench's clock.
    pub clock: Clock,
    /// The bench's network.
    pub network: Network,
    /// Where its records go.
    pub recorder: SharedRecorder,
    /// Faults of the bench.
    pub faults: Rc<Faults>,
    /// Where it keeps what it must not lose.
    pub store: Rc<dyn Store>,
    /// Images it can publish, by role.
    pub artifacts: Artifacts,
    /// Where the unit is the server, by face.
    pub unit_faces: BTreeMap<String, Address>,
}

/// Why a cloud could not start.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// A port is taken or an address is not this machine's.
    #[error("cannot listen on {address} for {face}: {source}")]
    Listen {
        /// The face.
        face: &'static str,
        /// The address.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Certificates or TLS could not be set up.
    #[error(transparent)]
    Pki(#[from] PkiProblem),
}

/// A mock cloud: running or stopped, with faults armed or not.
pub struct MockCloud {
    settings: CloudSettings,
    surroundings: CloudSurroundings,
    edge: Rc<Edge>,
    pki: Rc<Pki>,
    /// `None`: the unit has to do without.
    identities: BTreeMap<String, Option<Identity>>,
    /// What protects each HTTP face.
    security: BTreeMap<&'static str, (Security, Option<FaceSecurity>)>,
    unit_faces: UnitFaces,
    addresses: BTreeMap<&'static str, Address>,
    artifacts: Rc<RefCell<Artifacts>>,
    /// It is stopped, and about to come back by itself.
    away: Cell<bool>,
    /// What it stores in, from its next start on.
    store: RefCell<Rc<dyn Store>>,
    running: RefCell<Option<Running>>,
    /// How often it has begun to serve.
    starts: Cell<u64>,
    /// Its ports while it is stopped.
    reserved: RefCell<Vec<Reservation>>,
}

struct Running {
    host: Rc<Host>,
    // Dropping the set ends every listener and connection.
    faces: JoinSet<()>,
    /// The listener of each face that is open, with its connections.
    open: BTreeMap<&'static str, AbortHandle>,
    /// Faces that a step closed; they stay closed until a step opens them.
    closed: BTreeSet<&'static str>,
    _waker: JoinSet<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.host.stop();
    }
}

type Listeners = Vec<(&'static str, Listener)>;

impl MockCloud {
    /// Starts a cloud; must run inside a `LocalSet`.
    pub async fn start(
        settings: CloudSettings,
        surroundings: CloudSurroundings,
    ) -> Result<MockCloud, CloudError> {
        let edge = Rc::new(Edge::new(
            surroundings.clock,
            surroundings.recorder.clone(),
            surroundings.faults.clone(),
        ));
        let pki = Rc::new(Pki::new(&settings, surroundings.clock)?);
        let unit_faces = Rc::new(RefCell::new(surroundings.unit_faces.clone()));
        let artifacts = Rc::new(RefCell::new(surroundings.artifacts.clone()));
        let store = RefCell::new(surroundings.store.clone());
        let mut cloud = MockCloud {
            settings,
            surroundings,
            edge,
            pki,
            identities: BTreeMap::new(),
            security: BTreeMap::new(),
            unit_faces,
            addresses: BTreeMap::new(),
            artifacts,
            store,
            away: Cell::new(false),
            running: RefCell::new(None),
            starts: Cell::new(0),
            reserved: RefCell::default(),
        };
        let mut core = cloud.core();
        let identities = core.identities();
        cloud.identities =
            cloud
                .pki
                .identities(identities, |name| core.identity_key(name), &cloud.settings)?;
        core.identified(&cloud.identities());
        let default = if cloud.settings.flag("tls") {
            Security::Tls
        } else {
            Security::Plain
        };
        let mut listeners = Vec::new();
        for face in core.faces().iter().chain(core.byte_faces()) {
            let (listener, address) = cloud.listen(face, &cloud.wanted_address(face)).await?;
            cloud.addresses.insert(face, address);
            if core.faces().contains(face) {
                let security = core.face_security(face).unwrap_or(default);
                let protection = FaceSecurity::new(face, security, &cloud.pki, &cloud.settings)?;
                cloud.security.insert(face, (security, protection));
            }
            listeners.push((*face, listener));
        }
        cloud.run(listeners).await?;
        Ok(cloud)
    }

    /// What the unit must be told: settings by name.
    pub fn endpoints(&self) -> BTreeMap<String, String> {
        let running = self.running.borrow();
        let Some(running) = running.as_ref() else {
            return BTreeMap::new();
        };
        running.host.core.borrow().endpoints(&|face| self.url(face))
    }

    /// Where a face listens, as units are told.
    pub fn url(&self, face: &str) -> String {
        match self.addresses.get(face) {
            Some(Address::Host(_, port)) => {
                let scheme = match self.security.get(face) {
                    Some((Security::Tls | Security::MutualTls, _)) => "https",
                    Some((Security::Plain, _)) => "http",
                    None => "tcp",
                };
                format!("{scheme}://{}:{port}", self.settings.advertised_host)
            }
            Some(Address::Path(path)) => format!("unix:{path}"),
            None => String::new(),
        }
    }

    /// Faces and where they listen.
    pub fn addresses(&self) -> &BTreeMap<&'static str, Address> {
        &self.addresses
    }

    /// Whether any face speaks TLS.
    pub fn speaks_tls(&self) -> bool {
        self.security
            .values()
            .any(|(security, _)| *security != Security::Plain)
    }

    /// The certificate of the authority that faces and units must trust, PEM.
    pub fn authority_pem(&self) -> &str {
        self.pki.authority.authority_pem()
    }

    /// The authority, for certificates beyond [`MockCloud::identities`].
    pub fn authority(&self) -> Rc<Authority> {
        self.pki.authority.clone()
    }

    /// Client identities issued for the unit, by name such as `online`.
    pub fn identities(&self) -> BTreeMap<String, Identity> {
        let issued = self.identities.iter();
        let issued = issued.filter_map(|(name, identity)| Some((name.clone(), identity.clone()?)));
        issued.collect()
    }

    /// Names of the client identities the unit has to do without.
    pub fn missing_identities(&self) -> BTreeSet<String> {
        let missing = self.identities.iter().filter(|(_, identity)| identity.is_none());
        missing.map(|(name, _)| name.clone()).collect()
    }

    /// Tells where a face of the unit can be reached from now on; `None` if it cannot.
    pub fn set_unit_face(&self, face: &str, address: Option<Address>) {
        let mut faces = self.unit_faces.borrow_mut();
        match address {
            Some(address) => faces.insert(face.to_owned(), address),
            None => faces.remove(face),
        };
    }

    /// Gives a role another image from now on.
    pub fn set_artifact(&self, role: &str, artifact: Artifact) {
        self.artifacts.borrow_mut().0.insert(role.to_owned(), artifact);
    }

    /// Does what a step asks for; `action` without its `cloud.`. Durations are numbers of seconds.
    pub async fn act(&self, action: &str, with: &Map<String, Value>) -> Result<Map<String, Value>, ActError> {
        match action {
            "stop" => {
                self.stop();
                self.reserve_ports().await;
                Ok(Map::new())
            }
            "start" => self.started(true).await,
            "close_face" => self.close_face(self.face_named(with)?),
            "open_face" => self.open_face(self.face_named(with)?).await,
            "restart" => {
                let kept = with.get("store").and_then(Value::as_str) != Some("lost");
                let down = with.get("down").and_then(Value::as_f64).unwrap_or(0.0);
                self.go_away().await;
                self.surroundings
                    .clock
                    .sleep(Duration::try_from_secs_f64(down).unwrap_or_default())
                    .await;
                self.started(kept).await
            }
            _ => {
                while self.away.get() {
                    self.surroundings.clock.sleep(AWAY_CHECK).await;
                }
                let host = self.running.borrow().as_ref().map(|running| running.host.clone());
                host.ok_or(ActError::Stopped)?.act(action, with).await
            }
        }
    }

    /// The faults of its bench.
    pub fn faults(&self) -> &Rc<Faults> {
        &self.edge.faults
    }

    /// Stops listening and drops every connection.
    pub fn stop(&self) {
        if self.running.borrow_mut().take().is_some() {
            self.edge.all_closed();
            self.edge.note("stopped", Map::new());
        }
    }

    /// Stops, and keeps its ports for [`MockCloud::come_back`], which actions wait for.
    pub async fn go_away(&self) {
        self.away.set(true);
        self.stop();
        self.reserve_ports().await;
    }

    /// Starts again after [`MockCloud::go_away`], with what it stored or without; nothing happens if it runs.
    ///
    /// # Errors
    /// An address is taken meanwhile, or the store failed.
    pub async fn come_back(&self, kept: bool) -> Result<(), CloudError> {
        if self.running.borrow().is_some() {
            self.away.set(false);
            return Ok(());
        }
        let store = self.store.borrow().clone();
        if !kept {
            store.clear().await?;
        }
        self.reserved.take();
        let mut listeners = Vec::new();
        for face in self.addresses.keys() {
            listeners.push((*face, self.listen_again(face).await?.0));
        }
        self.run(listeners).await?;
        self.away.set(false);
        Ok(())
    }

    /// From its next start on, it has an empty store; returns the one it had.
    #[must_use]
    pub fn replace_store(&self) -> Rc<dyn Store> {
        self.store.replace(Rc::new(MemoryStore::default()))
    }

    /// From its next start on, it has this store.
    pub fn put_store_back(&self, store: Rc<dyn Store>) {
        self.store.replace(store);
    }

    /// Keeps the ports of a stopped cloud, so that it can come back to them.
    async fn reserve_ports(&self) {
        for face in self.addresses.keys() {
            let address = self.address_again(face);
            for _ in 0..RESERVE_TRIES {
                match self.surroundings.network.reserve(&address) {
                    Ok(reservation) => {
                        self.reserved.borrow_mut().extend(reservation);
                        break;
                    }
                    // Its listener is about to be dropped.
                    Err(_) => self.surroundings.clock.sleep(Duration::from_millis(1)).await,
                }
            }
        }
    }

    /// Stops after exchanges under way have ended, WebSockets in good order; what takes longer than `limit` is cut off.
    pub async fn drain(&self, limit: Duration) {
        let Some(mut running) = self.running.borrow_mut().take() else {
            return;
        };
        running.host.drain();
        tokio::select! {
            biased;
            () = async { while running.faces.join_next().await.is_some() {} } => {}
            () = self.surroundings.clock.sleep(limit) => {}
        }
        drop(running);
        self.edge.all_closed();
        self.edge.note("stopped", Map::new());
    }

    async fn started(&self, kept: bool) -> Result<Map<String, Value>, ActError> {
        let started = self.come_back(kept).await;
        started.map_err(|error| ActError::Store(error.to_string()))?;
        Ok(Map::new())
    }

    async fn run(&self, listeners: Listeners) -> Result<(), CloudError> {
        let mut core = self.core();
        self.starts.set(self.starts.get() + 1);
        core.identified(&self.identities());
        let store = self.store.borrow().clone();
        let mut documents = BTreeMap::new();
        for collection in core.collections() {
            documents.insert(*collection, store.load(collection).await?);
        }
        core.load(documents);
        let baud_rate = self.settings.options.get("baud_rate").and_then(Value::as_u64);
        let baud_rate = baud_rate.and_then(|rate| u32::try_from(rate).ok());
        let surroundings = &self.surroundings;
        let host = Rc::new(Host::new(
            core,
            self.edge.clone(),
            surroundings.network.clone(),
            self.unit_faces.clone(),
            (store, self.artifacts.clone()),
            (baud_rate.unwrap_or(BAUD_RATE), self.settings.seed),
        ));
        let (mut faces, mut waker) = (JoinSet::new(), JoinSet::new());
        let mut open = BTreeMap::new();
        for (face, listener) in listeners {
            open.insert(face, self.serve(&host, &mut faces, face, listener));
        }
        waker.spawn_local(wake_when_due(host.clone()));
        let _waker = waker;
        *self.running.borrow_mut() = Some(Running {
            host,
            faces,
            open,
            closed: BTreeSet::new(),
            _waker,
        });
        self.edge.note("started", Map::new());
        Ok(())
    }

    fn serve(
        &self,
        host: &Rc<Host>,
        faces: &mut JoinSet<()>,
        face: &'static str,
        listener: Listener,
    ) -> AbortHandle {
        match self.security.get(face) {
            None => faces.spawn_local(serve_byte_face(host.clone(), face, listener)),
            Some((_, protection)) => {
                faces.spawn_local(serve_face(host.clone(), face, protection.clone(), listener))
            }
        }
    }

    fn face_named(&self, with: &Map<String, Value>) -> Result<&'static str, ActError> {
        let name = with.get("face").and_then(Value::as_str).unwrap_or_default();
        let face = self.addresses.keys().find(|face| **face == name).copied();
        face.ok_or_else(|| ActError::Unknown {
            kind: "face",
            name: name.to_owned(),
        })
    }

    /// Stops listening on every face until [`MockCloud::release`]; nothing of it is recorded.
    pub fn hold(&self) {
        if let Some(running) = self.running.borrow_mut().as_mut() {
            for listener in std::mem::take(&mut running.open).into_values() {
                listener.abort();
            }
        }
    }

    /// Listens again after [`MockCloud::hold`], except where a step closed the face.
    ///
    /// # Errors
    /// An address cannot be listened on any more.
    pub async fn release(&self) -> Result<(), CloudError> {
        let faces: Vec<&'static str> = self.addresses.keys().copied().collect();
        for face in faces {
            let settled =
                |running: &Running| running.open.contains_key(face) || running.closed.contains(face);
            if self.running.borrow().as_ref().is_none_or(settled) {
                continue;
            }
            let (listener, _) = self.listen_again(face).await?;
            if let Some(running) = self.running.borrow_mut().as_mut() {
                let serving = self.serve(&running.host, &mut running.faces, face, listener);
                running.open.insert(face, serving);
            }
        }
        Ok(())
    }

    /// Listens where a listener was just stopped, whose task may still have to end.
    async fn listen_again(&self, face: &'static str) -> Result<(Listener, Address), CloudError> {
        for _ in 0..LISTEN_ATTEMPTS {
            if let Ok(listening) = self.listen(face, &self.address_again(face)).await {
                return Ok(listening);
            }
            self.surroundings.clock.sleep(Duration::from_millis(10)).await;
        }
        self.listen(face, &self.address_again(face)).await
    }

    /// Stops listening on one face, and cuts its connections.
    fn close_face(&self, face: &'static str) -> Result<Map<String, Value>, ActError> {
        let mut running = self.running.borrow_mut();
        let running = running.as_mut().ok_or(ActError::Stopped)?;
        if let Some(listener) = running.open.remove(face) {
            listener.abort();
        }
        running.closed.insert(face);
        self.note_face("face_closed", face);
        Ok(Map::new())
    }

    /// Listens again where a face was closed.
    async fn open_face(&self, face: &'static str) -> Result<Map<String, Value>, ActError> {
        let closed = self
            .running
            .borrow()
            .as_ref()
            .map(|running| !running.open.contains_key(face))
            .ok_or(ActError::Stopped)?;
        if let Some(running) = self.running.borrow_mut().as_mut() {
            running.closed.remove(face);
        }
        if closed {
            let failed = |error: CloudError| ActError::Store(error.to_string());
            let (listener, _) = self.listen_again(face).await.map_err(failed)?;
            let mut running = self.running.borrow_mut();
            let running = running.as_mut().ok_or(ActError::Stopped)?;
            let serving = self.serve(&running.host, &mut running.faces, face, listener);
            running.open.insert(face, serving);
        }
        self.note_face("face_opened", face);
        Ok(Map::new())
    }

    fn note_face(&self, name: &str, face: &str) {
        let facts = Map::from_iter([("face".to_owned(), face.into())]);
        self.edge.note(name, facts);
    }

    /// Where a face that was open before listens.
    fn address_again(&self, face: &str) -> Address {
        match &self.addresses[face] {
            Address::Host(_, port) => Address::Host(self.settings.bind.clone(), *port),
            path => path.clone(),
        }
    }

    fn core(&self) -> Box<dyn Core> {
        let surroundings = CoreSurroundings {
            url: &|face| self.url(face),
            authority: &self.pki.authority,
            unit_faces: &self.surroundings.unit_faces,
            starts: self.starts.get(),
        };
        make_core(self.settings.clone(), &surroundings)
    }

    fn is_given(&self, face: &str) -> bool {
        match self.surroundings.unit_faces.get(face) {
            Some(Address::Path(_)) => true,
            Some(Address::Host(..)) => matches!(self.surroundings.network, Network::Tcp),
            None => false,
        }
    }

    fn wanted_address(&self, face: &str) -> Address {
        let paths = self.settings.options.get("paths");
        match paths.and_then(|paths| paths.get(face)).and_then(Value::as_str) {
            Some(path) => Address::Path(path.to_owned()),
            // What the unit file gives for a face of the unit that is ours to serve.
            None if self.is_given(face) => self.surroundings.unit_faces[face].clone(),
            None => {
                let port = self.settings.ports.get(face).copied().unwrap_or(0);
                Address::Host(self.settings.bind.clone(), port)
            }
        }
    }

    async fn listen(&self, face: &'static str, address: &Address) -> Result<(Listener, Address), CloudError> {
        let failed = |source| CloudError::Listen {
            face,
            address: address.clone(),
            source,
        };
        let listener = self.surroundings.network.listen(address).await.map_err(failed)?;
        let real = listener.address().map_err(failed)?;
        Ok((listener, real))
    }
}

/// How often an action looks whether a cloud is back.
const AWAY_CHECK: Duration = Duration::from_millis(100);
const RESERVE_TRIES: u32 = 100;
/// Bits per second on a serial line unless the option `baud_rate` says another.
const BAUD_RATE: u32 = 115_200;

/// How often a port that was just given up is tried.
const LISTEN_ATTEMPTS: u32 = 20;
