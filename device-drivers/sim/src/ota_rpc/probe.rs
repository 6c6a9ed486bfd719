//! Facts inside the board.

use super::{
    agent::{OtaAgent, image_of},
    record,
};
use crate::Hardware;
use hil_unit::UnitError;
use serde_json::{Map, Value, json};

/// Answers a probe of the vocabulary.
pub(super) fn answer(
    agent: &OtaAgent,
    name: &str,
    arguments: &Map<String, Value>,
    hardware: &Hardware,
) -> Result<Value, UnitError> {
    Ok(match name {
        "version" => json!(agent.image.version),
        "running_slot" => json!(agent.slot),
        "active_slot" => json!(record::load(&hardware.flash).active_slot),
        "boots" => json!(hardware.boots),
        "commits" | "updates" => json!(hardware.counted(name)),
        "slot_version" => {
            let slot = arguments
                .get("slot")
                .and_then(Value::as_i64)
                .and_then(record::index);
            let slot = slot.ok_or_else(|| UnitError::BadArgument {
                name: "slot".into(),
                problem: "must be 0 or 1".into(),
            })?;
            json!(image_of(hardware, slot).version)
        }
        _ => {
            return Err(UnitError::UnknownName {
                kind: "probe",
                name: name.to_owned(),
            });
        }
    })
}
