//! A unit that only remembers what was done to it, for tests of callers.

use crate::{Unit, UnitError};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// Remembers calls; answers probes from a table.
#[derive(Clone, Debug, Default)]
pub struct FakeUnit {
    /// Calls in order, such as `start` or `probe version`.
    pub calls: Rc<RefCell<Vec<String>>>,
    /// Answers to probes.
    pub facts: BTreeMap<String, Value>,
}

impl FakeUnit {
    fn note(&self, call: impl Into<String>) -> Result<(), UnitError> {
        self.calls.borrow_mut().push(call.into());
        Ok(())
    }
}

#[async_trait(?Send)]
impl Unit for FakeUnit {
    async fn prepare(&mut self, _: &Map<String, Value>) -> Result<(), UnitError> {
        self.note("prepare")
    }

    async fn start(&mut self) -> Result<(), UnitError> {
        self.note("start")
    }

    async fn stop(&mut self) -> Result<(), UnitError> {
        self.note("stop")
    }

    async fn cut_power(&mut self) -> Result<(), UnitError> {
        self.note("cut_power")
    }

    async fn restore_power(&mut self) -> Result<(), UnitError> {
        self.note("restore_power")
    }

    async fn reboot(&mut self) -> Result<(), UnitError> {
        self.note("reboot")
    }

    async fn probe(&mut self, name: &str, _: &Map<String, Value>) -> Result<Value, UnitError> {
        self.note(format!("probe {name}"))?;
        let unknown = UnitError::UnknownName {
            kind: "probe",
            name: name.to_owned(),
        };
        self.facts.get(name).cloned().ok_or(unknown)
    }

    async fn stimulate(&mut self, name: &str, _: &Map<String, Value>) -> Result<Value, UnitError> {
        self.note(format!("stimulate {name}"))?;
        Ok(Value::Null)
    }

    async fn undo(&mut self, name: &str, _: &Map<String, Value>) -> Result<Value, UnitError> {
        self.note(format!("undo {name}"))?;
        Ok(Value::Null)
    }
}
