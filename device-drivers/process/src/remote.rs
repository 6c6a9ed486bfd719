//! The driver of units that run somewhere already: nothing is done to them, their first message is awaited.

use async_trait::async_trait;
use hil_unit::{
    Capability, Driver, Surroundings, Unit, UnitError, UnitFile,
    trace::{RecordBody, SharedRecorder, UnitChange},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Waits for a unit it cannot touch. The unit file says what the unit was configured with.
#[derive(Clone, Debug)]
pub struct RemoteDriver {
    file: UnitFile,
}

impl RemoteDriver {
    /// The unit of a file.
    pub fn new(file: UnitFile) -> Self {
        RemoteDriver { file }
    }
}

impl Driver for RemoteDriver {
    fn capabilities(&self) -> BTreeSet<Capability> {
        BTreeSet::new()
    }

    fn facts(&self) -> Map<String, Value> {
        self.file.facts()
    }

    fn create(&self, surroundings: Surroundings) -> Result<Box<dyn Unit>, UnitError> {
        Ok(Box::new(RemoteUnit {
            recorder: surroundings.recorder,
            states: self.file.prepare.clone(),
        }))
    }
}

struct RemoteUnit {
    recorder: SharedRecorder,
    /// The states it is in, as the unit file says.
    states: Map<String, Value>,
}

#[async_trait(?Send)]
impl Unit for RemoteUnit {
    /// It is in the states the unit file says, and no other.
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError> {
        let mut others = state
            .iter()
            .filter(|(name, value)| self.states.get(*name) != Some(*value));
        match others.next() {
            None => Ok(()),
            Some((name, value)) => cannot(&format!("prepare `{name}: {value}`")),
        }
    }

    async fn start(&mut self) -> Result<(), UnitError> {
        self.recorder.record(RecordBody::Unit {
            change: UnitChange::Started,
            facts: Map::from_iter([("remote".to_owned(), true.into())]),
        });
        Ok(())
    }

    async fn stop(&mut self) -> Result<(), UnitError> {
        Ok(())
    }

    async fn cut_power(&mut self) -> Result<(), UnitError> {
        cannot("cut its power")
    }

    async fn restore_power(&mut self) -> Result<(), UnitError> {
        cannot("restore its power")
    }

    async fn reboot(&mut self) -> Result<(), UnitError> {
        cannot("reboot it")
    }

    async fn probe(&mut self, name: &str, _: &Map<String, Value>) -> Result<Value, UnitError> {
        cannot(&format!("probe `{name}`"))
    }

    async fn stimulate(&mut self, name: &str, _: &Map<String, Value>) -> Result<Value, UnitError> {
        cannot(&format!("apply stimulus `{name}`"))
    }
}

fn cannot<T>(what: &str) -> Result<T, UnitError> {
    Err(UnitError::NotSupported(what.to_owned()))
}
