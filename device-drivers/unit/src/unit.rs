//! The unit under test as the runner sees it.

use crate::{Capability, Surroundings, UnitError};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Makes units of one kind.
pub trait Driver {
    /// What units of this driver can do.
    fn capabilities(&self) -> BTreeSet<Capability>;

    /// Facts for reports and the journal header: driver, identity, subject digest.
    fn facts(&self) -> Map<String, Value>;

    /// A unit in these surroundings, not started yet.
    fn create(&self, surroundings: Surroundings) -> Result<Box<dyn Unit>, UnitError>;
}

/// One unit. The driver records every change in the unit's life and its console output itself; the caller records
/// the calls of `probe` and `stimulate`.
#[async_trait(?Send)]
pub trait Unit {
    /// Brings the unit into the declared state before its first start, such as `running: current`.
    async fn prepare(&mut self, state: &Map<String, Value>) -> Result<(), UnitError>;

    /// Starts it for the first time.
    async fn start(&mut self) -> Result<(), UnitError>;

    /// Stops it in order; a stopped unit can be started again.
    async fn stop(&mut self) -> Result<(), UnitError>;

    /// Cuts its power; volatile state is lost.
    async fn cut_power(&mut self) -> Result<(), UnitError>;

    /// Restores its power; it boots.
    async fn restore_power(&mut self) -> Result<(), UnitError>;

    /// Restarts it in order.
    async fn reboot(&mut self) -> Result<(), UnitError>;

    /// Reads a fact inside the unit.
    async fn probe(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError>;

    /// Does something to the unit from outside its protocol; returns what was really applied.
    async fn stimulate(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError>;

    /// Takes back what a stimulus with these arguments did, where that can be: storage is emptied, the clock is right,
    /// a module behaves. Returns what was really applied.
    async fn undo(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let _ = arguments;
        Err(UnitError::NotSupported(format!("undo stimulus `{name}`")))
    }

    /// Reads what is left of its output while the trace is still open.
    async fn last_words(&mut self) -> Result<(), UnitError> {
        Ok(())
    }

    /// Puts it away at the end of an instance: stopped, never to be started again.
    async fn put_away(&mut self) -> Result<(), UnitError> {
        self.stop().await
    }
}
