//! What a simulated unit's software is: a state machine fed by the shell, acting through its context.

use crate::{Context, Hardware, Input};
use hil_unit::UnitError;
use serde_json::{Map, Value};

/// The software of a simulated unit between one boot and the next. Everything in it is volatile; what must survive
/// lies in [`Hardware`].
pub trait Agent {
    /// Reacts to one input.
    fn handle(&mut self, input: Input, context: &mut Context<'_>);

    /// The version that runs, for the record of the boot.
    fn version(&self, hardware: &Hardware) -> Option<String>;

    /// Answers a probe of the protocol's vocabulary. A unit without power is asked through an agent that never
    /// booted, so facts that outlive power belong into the hardware.
    fn probe(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        hardware: &Hardware,
    ) -> Result<Value, UnitError>;

    /// Applies a stimulus the hardware does not know; returns what was really applied.
    fn stimulate(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        let _ = (arguments, context);
        Err(UnitError::UnknownName {
            kind: "stimulus",
            name: name.to_owned(),
        })
    }

    /// Takes back what a stimulus the hardware does not know did; returns what was really applied.
    fn undo(
        &mut self,
        name: &str,
        arguments: &Map<String, Value>,
        context: &mut Context<'_>,
    ) -> Result<Value, UnitError> {
        let _ = (arguments, context);
        Err(UnitError::NotSupported(format!("undo stimulus `{name}`")))
    }
}
