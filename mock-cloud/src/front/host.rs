//! One running core with its store: handles a request, commits what must not be lost, leaves notes.

use super::Edge;
use crate::{
    core::{ActError, Core, HttpCall, Now, Outputs},
    store::{Store, StoreError},
};
use hil_fault::{Artifact, Artifacts};
use hil_wire::http::Response;
use serde_json::{Map, Value};
use std::{cell::RefCell, rc::Rc};

/// The core of a cloud and what surrounds it.
pub(crate) struct Host {
    pub(crate) core: RefCell<Box<dyn Core>>,
    pub(crate) edge: Rc<Edge>,
    pub(crate) store: Rc<dyn Store>,
    pub(crate) artifacts: Artifacts,
}

impl Host {
    pub(crate) fn now(&self) -> Now {
        let stamp = self.edge.clock.now();
        Now {
            stamp,
            unix_ms: self.edge.clock.unix_us(stamp).div_euclid(1000),
        }
    }

    /// Lets the core handle a request; its changes are committed when this returns.
    pub(crate) async fn http(&self, call: HttpCall<'_>) -> Result<Response, StoreError> {
        let mut out = Outputs::default();
        let response = self.core.borrow_mut().http(self.now(), call, &mut out);
        self.settle(out).await?;
        Ok(response)
    }

    /// Lets the core do what a step asks for.
    pub(crate) async fn act(
        &self,
        action: &str,
        with: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ActError> {
        let mut out = Outputs::default();
        let artifacts = |role: &str| -> Option<Artifact> { self.artifacts.get(role).cloned() };
        let result = self
            .core
            .borrow_mut()
            .act(self.now(), action, with, &artifacts, &mut out)?;
        self.settle(out)
            .await
            .map_err(|error| ActError::Store(error.to_string()))?;
        Ok(result)
    }

    async fn settle(&self, out: Outputs) -> Result<(), StoreError> {
        if !out.changes.is_empty() {
            self.store.commit(out.changes).await?;
        }
        for (name, facts) in out.notes {
            self.edge.note(&name, facts);
        }
        Ok(())
    }
}
