//! A unit with instruments around it.

use crate::instrument::Instrument;
use async_trait::async_trait;
use hil_unit::{Unit, UnitError};
use serde_json::{Map, Value};
use std::rc::Rc;
use tokio::task::JoinSet;

/// Asks the instruments first, then the unit.
pub(crate) struct LabUnit {
    pub(crate) inner: Box<dyn Unit>,
    pub(crate) instruments: Vec<Rc<dyn Instrument>>,
    /// What the instruments do by themselves, until the unit is dropped.
    pub(crate) at_work: JoinSet<()>,
}

impl LabUnit {
    fn for_stimulus(&self, name: &str) -> Option<Rc<dyn Instrument>> {
        let mut instruments = self.instruments.iter();
        instruments
            .find(|instrument| instrument.stimuli().contains(&name))
            .cloned()
    }
}

#[async_trait(?Send)]
impl Unit for LabUnit {
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError> {
        for instrument in &self.instruments {
            instrument.prepare();
        }
        self.inner.prepare(state).await
    }

    async fn start(&mut self) -> Result<(), UnitError> {
        self.inner.start().await
    }

    async fn stop(&mut self) -> Result<(), UnitError> {
        self.inner.stop().await
    }

    async fn cut_power(&mut self) -> Result<(), UnitError> {
        self.inner.cut_power().await
    }

    async fn restore_power(&mut self) -> Result<(), UnitError> {
        self.inner.restore_power().await
    }

    async fn reboot(&mut self) -> Result<(), UnitError> {
        self.inner.reboot().await
    }

    async fn probe(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let mut instruments = self.instruments.iter();
        match instruments.find(|instrument| instrument.probes().contains(&name)) {
            Some(instrument) => instrument.clone().probe(name, arguments).await,
            None => self.inner.probe(name, arguments).await,
        }
    }

    async fn stimulate(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        match self.for_stimulus(name) {
            Some(instrument) => instrument.stimulate(name, arguments, false).await,
            None => self.inner.stimulate(name, arguments).await,
        }
    }

    async fn undo(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        match self.for_stimulus(name) {
            Some(instrument) => instrument.stimulate(name, arguments, true).await,
            None => self.inner.undo(name, arguments).await,
        }
    }

    async fn last_words(&mut self) -> Result<(), UnitError> {
        self.inner.last_words().await
    }

    async fn put_away(&mut self) -> Result<(), UnitError> {
        let away = self.inner.put_away().await;
        self.at_work.abort_all();
        away
    }
}
