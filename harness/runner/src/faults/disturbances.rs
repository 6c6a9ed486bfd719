//! What faults have done to the unit and nobody has taken back yet.

use super::SharedUnit;
use hil_fault::FaultId;
use hil_unit::UnitError;
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap};

/// How an effect on the unit is taken back.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Disturbance {
    /// Power is away.
    Dark,
    /// A stimulus was applied.
    Stimulus {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
}

/// The open effects of a bench, by fault.
#[derive(Default)]
pub(crate) struct Disturbances {
    open: RefCell<BTreeMap<FaultId, Disturbance>>,
}

impl Disturbances {
    pub(super) fn begin(&self, id: FaultId, disturbance: Disturbance) {
        self.open.borrow_mut().insert(id, disturbance);
    }

    /// The effect has ended by itself.
    pub(super) fn end(&self, id: FaultId) -> Option<Disturbance> {
        self.open.borrow_mut().remove(&id)
    }

    /// Takes back what a fault did, as far as the driver can; what was really applied by that.
    pub(crate) async fn take_back(&self, id: FaultId, unit: &SharedUnit) -> Result<Option<Value>, UnitError> {
        let Some(disturbance) = self.end(id) else {
            return Ok(None);
        };
        let mut unit = unit.lock().await;
        match disturbance {
            Disturbance::Dark => unit.restore_power().await.map(|()| None),
            Disturbance::Stimulus { name, arguments } => match unit.undo(&name, &arguments).await {
                Ok(applied) => Ok(Some(applied)),
                // It stays until the unit is put away.
                Err(UnitError::NotSupported(_) | UnitError::UnknownName { .. }) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Power came back by other means.
    pub(crate) fn power_is_back(&self) {
        self.open
            .borrow_mut()
            .retain(|_, open| *open != Disturbance::Dark);
    }

    /// The faults whose effects outlive the scenario; power is none of them, as the unit is put away after it.
    pub(crate) fn lasting(&self) -> Vec<FaultId> {
        let open = self.open.borrow();
        let lasting = open.iter().filter(|(_, open)| **open != Disturbance::Dark);
        lasting.map(|(id, _)| *id).collect()
    }
}
