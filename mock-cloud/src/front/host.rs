//! One running core with its store: asks the core, commits what must not be lost, leaves notes, then sends.

use super::{
    Edge,
    call::Caller,
    frame::Frame,
    link::{Item, Link},
};
use crate::{
    core::{ActError, Core, HttpCall, Now, Outputs},
    store::{Store, StoreError},
};
use hil_fault::{Artifact, Artifacts};
use hil_link::{Address, Network};
use hil_wire::http::Response;
use rand::{SeedableRng, rngs::SmallRng};
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap, pin::Pin, rc::Rc};
use tokio::{
    sync::{Mutex, Notify, watch},
    task::JoinSet,
};

/// Where the unit can be reached, by face.
pub(crate) type UnitFaces = Rc<RefCell<BTreeMap<String, Address>>>;

/// The core of a cloud and what surrounds it.
pub(crate) struct Host {
    pub(crate) core: RefCell<Box<dyn Core>>,
    pub(crate) edge: Rc<Edge>,
    pub(crate) network: Network,
    pub(crate) unit_faces: UnitFaces,
    /// Bits per second on serial faces of the unit.
    pub(crate) baud_rate: u32,
    /// Connections that are up.
    pub(super) links: RefCell<BTreeMap<u32, Link>>,
    /// Connections to faces of the unit that are kept for the next request, by face.
    pub(super) callers: RefCell<BTreeMap<String, Caller>>,
    /// For keys and masks of WebSockets.
    pub(super) random: RefCell<SmallRng>,
    /// The core was asked something: its wake-up time may be another.
    pub(super) asked: Notify,
    store: Rc<dyn Store>,
    artifacts: Rc<RefCell<Artifacts>>,
    tasks: RefCell<JoinSet<()>>,
    /// True once no more connections are accepted and those that are up shall end.
    drain: watch::Sender<bool>,
    // Held while changes are committed, so that what two calls send leaves in the order of the calls.
    turn: Mutex<()>,
}

impl Host {
    pub(crate) fn new(
        core: Box<dyn Core>,
        edge: Rc<Edge>,
        network: Network,
        unit_faces: UnitFaces,
        (store, artifacts): (Rc<dyn Store>, Rc<RefCell<Artifacts>>),
        (baud_rate, seed): (u32, u64),
    ) -> Self {
        Host {
            core: RefCell::new(core),
            edge,
            network,
            unit_faces,
            baud_rate,
            links: RefCell::default(),
            callers: RefCell::default(),
            random: RefCell::new(SmallRng::seed_from_u64(seed)),
            asked: Notify::new(),
            store,
            artifacts,
            tasks: RefCell::default(),
            drain: watch::Sender::new(false),
            turn: Mutex::new(()),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let stamp = self.edge.clock.now();
        Now {
            stamp,
            unix_ms: self.edge.clock.unix_us(stamp).div_euclid(1000),
        }
    }

    /// Lets the core handle a request; its changes are committed when this returns.
    pub(crate) async fn http(self: &Rc<Self>, call: HttpCall<'_>) -> Result<Response, StoreError> {
        self.ask(|core, now, out| core.http(now, call, out)).await
    }

    /// The image of a role.
    pub(super) fn artifact(&self, role: &str) -> Option<Artifact> {
        self.artifacts.borrow().get(role).cloned()
    }

    /// Lets the core do what a step asks for.
    pub(crate) async fn act(
        self: &Rc<Self>,
        action: &str,
        with: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ActError> {
        let mut out = Outputs::default();
        let artifacts = |role: &str| -> Option<Artifact> { self.artifacts.borrow().get(role).cloned() };
        let result = self
            .core
            .borrow_mut()
            .act(self.now(), action, with, &artifacts, &mut out)?;
        self.settle(out)
            .await
            .map_err(|error| ActError::Store(error.to_string()))?;
        Ok(result)
    }

    /// Asks the core; what it changed is committed and what it sends is on its way when this returns.
    pub(super) async fn ask<T>(
        self: &Rc<Self>,
        question: impl FnOnce(&mut dyn Core, Now, &mut Outputs) -> T,
    ) -> Result<T, StoreError> {
        let mut out = Outputs::default();
        let answer = question(&mut **self.core.borrow_mut(), self.now(), &mut out);
        self.settle(out).await?;
        Ok(answer)
    }

    /// Tells the core something nobody waits for an answer to; a failing store is trouble.
    pub(super) async fn tell(self: &Rc<Self>, news: impl FnOnce(&mut dyn Core, Now, &mut Outputs)) {
        if let Err(error) = self.ask(news).await {
            self.edge
                .trouble(format!("the mock cloud's store failed: {error}"));
        }
    }

    /// Runs a task until it ends or the cloud stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        while tasks.try_join_next().is_some() {}
        tasks.spawn_local(task);
    }

    /// Accepts no more connections, lets exchanges under way come to their end, and takes leave of WebSockets.
    pub(crate) fn drain(&self) {
        self.drain.send_replace(true);
        let connections: Vec<u32> = self.links.borrow().keys().copied().collect();
        for connection in connections {
            self.queue(connection, Item::Frame(Frame::close(GOING_AWAY)));
        }
    }

    /// Resolves when the cloud drains.
    pub(super) fn draining(&self) -> Pin<Box<dyn Future<Output = ()>>> {
        let mut drain = self.drain.subscribe();
        Box::pin(async move {
            // The sender outlives every connection; without one there is nothing to wait for either.
            let _ = drain.wait_for(|draining| *draining).await;
        })
    }

    /// Ends every task and forgets every connection.
    pub(crate) fn stop(&self) {
        self.tasks.take().abort_all();
        self.links.take();
        self.callers.take();
    }

    async fn settle(self: &Rc<Self>, out: Outputs) -> Result<(), StoreError> {
        self.asked.notify_one();
        let _turn = self.turn.lock().await;
        if !out.changes.is_empty() {
            self.store.commit(out.changes).await?;
        }
        for (name, facts) in out.notes {
            self.edge.note(&name, facts);
        }
        for send in out.sends {
            self.perform(send);
        }
        Ok(())
    }
}

/// Close code of a server that ends (RFC 6455 section 7.4.1).
const GOING_AWAY: u16 = 1001;
