//! What lies between an injected fault and its first effect: a time, an event, or nothing.

use super::{SharedUnit, Tripwire, unit};
use crate::Dispatcher;
use hil_fault::{FaultId, Faults, UnitEffect};
use hil_trace::Stamp;
use serde_json::{Map, Value};
use std::{rc::Rc, time::Duration};
use tokio::sync::oneshot;

/// What sets a fault off.
pub(crate) enum Spark {
    /// Nothing: it is live at once.
    Now,
    /// A time.
    At(Stamp),
    /// Some time after an event.
    After(Rc<Tripwire>, Duration),
}

/// A fault on its way to its first effect.
pub(crate) struct Fuse {
    pub(crate) dispatcher: Rc<Dispatcher>,
    pub(crate) faults: Rc<Faults>,
    pub(crate) unit: SharedUnit,
    pub(crate) id: FaultId,
    /// Told when it acts.
    pub(crate) facts: Map<String, Value>,
}

impl Fuse {
    /// Burns down; then the fault is live, or its effect on the unit is made. Tells `begun` once it has begun.
    pub(crate) async fn burn(self, spark: Spark, effect: Option<UnitEffect>, begun: oneshot::Sender<()>) {
        self.wait(spark).await;
        match effect {
            None => {
                self.faults.ignite(self.id);
                // Nobody has to wait for it.
                let _ = begun.send(());
            }
            Some(effect) => {
                self.faults.ignite(self.id);
                unit::make(&self, effect, begun).await;
            }
        }
    }

    async fn wait(&self, spark: Spark) {
        let clock = self.dispatcher.clock();
        match spark {
            Spark::Now => {}
            Spark::At(stamp) => clock.sleep_until(stamp).await,
            Spark::After(tripwire, offset) => {
                let at = self.tripped(&tripwire).await;
                if !offset.is_zero() {
                    clock.sleep_until(at + offset).await;
                }
            }
        }
    }

    /// Waits until an event has come; when it did.
    pub(super) async fn tripped(&self, tripwire: &Tripwire) -> Stamp {
        loop {
            let changed = self.dispatcher.changed();
            tokio::pin!(changed);
            // Registered before looking, so that no record is missed.
            changed.as_mut().enable();
            match tripwire.tripped() {
                Some(at) => return at,
                None => changed.await,
            }
        }
    }
}
