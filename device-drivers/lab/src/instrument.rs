//! What every instrument is to a unit.

use async_trait::async_trait;
use hil_unit::UnitError;
use serde_json::{Map, Value};

/// Something of the lab that answers probes and carries out stimuli in the unit's place.
#[async_trait(?Send)]
pub(crate) trait Instrument {
    /// Probes it answers.
    fn probes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Stimuli it carries out, and takes back.
    fn stimuli(&self) -> &'static [&'static str] {
        &[]
    }

    /// The unit is put into its declared state: so is what is beside it.
    fn prepare(&self) {}

    /// Reads a fact.
    async fn probe(&self, name: &str, arguments: &Map<String, Value>) -> Result<Value, UnitError> {
        let _ = arguments;
        Err(unknown("probe", name))
    }

    /// Does something, or takes it back; what was really applied.
    async fn stimulate(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        undo: bool,
    ) -> Result<Value, UnitError> {
        let _ = (arguments, undo);
        Err(unknown("stimulus", name))
    }
}

pub(crate) fn unknown(kind: &'static str, name: &str) -> UnitError {
    UnitError::UnknownName {
        kind,
        name: name.to_owned(),
    }
}
