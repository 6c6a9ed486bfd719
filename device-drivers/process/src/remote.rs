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
        }))
    }
}

struct RemoteUnit {
    recorder: SharedRecorder,
}

#[async_trait(?Send)]
impl Unit for RemoteUnit {
    /// Nothing can be declared of it.
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError> {
        match state.keys().next() {
            None => Ok(()),
            Some(name) => cannot(&format!("prepare `{name}`")),
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
