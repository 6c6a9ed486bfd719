//! A running mock cloud as scenario steps and commands see it.

use crate::{
    CloudSettings,
    core::{
        ActError, Core,
        edge_poll::{self, EdgePollCloud},
    },
    front::{Edge, Host, serve_face},
    store::{Store, StoreError},
};
use hil_fault::{Artifacts, FaultId, FaultSpec};
use hil_link::{Address, Clock, Listener, Network};
use hil_trace::SharedRecorder;
use hil_wire::Protocol;
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap, io, rc::Rc};
use tokio::task::JoinSet;

/// What a cloud runs on.
#[derive(Clone)]
pub struct CloudSurroundings {
    /// The bench's clock.
    pub clock: Clock,
    /// The bench's network.
    pub network: Network,
    /// Where its records go.
    pub recorder: SharedRecorder,
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
    /// The protocol is not served yet.
    #[error("the mock cloud does not serve {0}")]
    Protocol(Protocol),
}

/// A mock cloud: running or stopped, with faults armed or not.
pub struct MockCloud {
    settings: CloudSettings,
    surroundings: CloudSurroundings,
    edge: Rc<Edge>,
    addresses: BTreeMap<&'static str, Address>,
    running: RefCell<Option<Running>>,
}

struct Running {
    host: Rc<Host>,
    // Dropping the set ends every listener and connection.
    _tasks: JoinSet<()>,
}

impl MockCloud {
    /// Starts a cloud; must run inside a `LocalSet`.
    pub async fn start(
        settings: CloudSettings,
        surroundings: CloudSurroundings,
    ) -> Result<MockCloud, CloudError> {
        let edge = Rc::new(Edge::new(surroundings.clock, surroundings.recorder.clone()));
        let mut cloud = MockCloud {
            settings,
            surroundings,
            edge,
            addresses: BTreeMap::new(),
            running: RefCell::new(None),
        };
        let mut listeners = Vec::new();
        for face in cloud.faces()? {
            let port = cloud.settings.ports.get(*face).copied().unwrap_or(0);
            let (listener, address) = cloud.listen(face, port).await?;
            cloud.addresses.insert(face, address);
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
            Some(Address::Host(_, port)) => format!("http://{}:{port}", self.settings.advertised_host),
            Some(Address::Path(path)) => format!("unix:{path}"),
            None => String::new(),
        }
    }

    /// Faces and where they listen.
    pub fn addresses(&self) -> &BTreeMap<&'static str, Address> {
        &self.addresses
    }

    /// Does what a step asks for; `action` without its `cloud.`. Durations are numbers of seconds.
    pub async fn act(&self, action: &str, with: &Map<String, Value>) -> Result<Map<String, Value>, ActError> {
        match action {
            "stop" => {
                self.stop();
                Ok(Map::new())
            }
            "start" => self.start_again(true).await,
            "restart" => {
                let kept = with.get("store").and_then(Value::as_str) != Some("lost");
                let down = with.get("down").and_then(Value::as_f64).unwrap_or(0.0);
                self.stop();
                self.surroundings
                    .clock
                    .sleep(std::time::Duration::from_secs_f64(down.max(0.0)))
                    .await;
                self.start_again(kept).await
            }
            _ => {
                let host = self.running.borrow().as_ref().map(|running| running.host.clone());
                host.ok_or(ActError::Stopped)?.act(action, with).await
            }
        }
    }

    /// Arms a fault.
    pub fn arm(&self, spec: FaultSpec) -> FaultId {
        self.edge.arm(spec)
    }

    /// Removes a fault; returns how often it acted.
    pub fn clear(&self, id: FaultId) -> Option<u32> {
        self.edge.clear(id)
    }

    /// Removes every fault.
    pub fn clear_all(&self) {
        self.edge.clear_all();
    }

    /// Stops listening and drops every connection.
    pub fn stop(&self) {
        if self.running.borrow_mut().take().is_some() {
            self.edge.note("stopped", Map::new());
        }
    }

    async fn start_again(&self, kept: bool) -> Result<Map<String, Value>, ActError> {
        let failed = |error: CloudError| ActError::Store(error.to_string());
        if self.running.borrow().is_some() {
            return Ok(Map::new());
        }
        if !kept {
            self.surroundings
                .store
                .clear()
                .await
                .map_err(|e| failed(e.into()))?;
        }
        let mut listeners = Vec::new();
        for (face, address) in &self.addresses {
            let port = match address {
                Address::Host(_, port) => *port,
                Address::Path(_) => 0,
            };
            listeners.push((*face, self.listen(face, port).await.map_err(failed)?.0));
        }
        self.run(listeners).await.map_err(failed)?;
        Ok(Map::new())
    }

    async fn run(&self, listeners: Vec<(&'static str, Listener)>) -> Result<(), CloudError> {
        let mut core = self.core()?;
        let mut documents = BTreeMap::new();
        for collection in core.collections() {
            documents.insert(*collection, self.surroundings.store.load(collection).await?);
        }
        core.load(documents);
        let host = Rc::new(Host {
            core: RefCell::new(core),
            edge: self.edge.clone(),
            store: self.surroundings.store.clone(),
            artifacts: self.surroundings.artifacts.clone(),
        });
        let mut tasks = JoinSet::new();
        for (face, listener) in listeners {
            tasks.spawn_local(serve_face(host.clone(), face, listener));
        }
        *self.running.borrow_mut() = Some(Running { host, _tasks: tasks });
        self.edge.note("started", Map::new());
        Ok(())
    }

    fn faces(&self) -> Result<&'static [&'static str], CloudError> {
        Ok(self.core()?.faces())
    }

    fn core(&self) -> Result<Box<dyn Core>, CloudError> {
        let settings = self.settings.clone();
        match settings.protocol {
            Protocol::EdgePoll => Ok(Box::new(EdgePollCloud::new(
                settings,
                self.url(edge_poll::API),
                self.url(edge_poll::BLOB_ORIGIN),
            ))),
            other => Err(CloudError::Protocol(other)),
        }
    }

    async fn listen(&self, face: &'static str, port: u16) -> Result<(Listener, Address), CloudError> {
        let address = Address::Host(self.settings.bind.clone(), port);
        let failed = |source| CloudError::Listen {
            face,
            address: address.clone(),
            source,
        };
        let listener = self.surroundings.network.listen(&address).await.map_err(failed)?;
        let real = listener.address().map_err(failed)?;
        Ok((listener, real))
    }
}
