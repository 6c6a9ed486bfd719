//! The boot record: which slot boots, which one is the way back, and whether that is decided (reference section 4).

use crate::{Flash, FlashError};
use hil_wire::ota_rpc::BootState;
use serde_json::Value;

/// The record as it lies in flash; a board from the factory runs slot 0.
pub(super) fn load(flash: &Flash) -> BootState {
    flash
        .read(FILE)
        .and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok())
        .and_then(|value| BootState::from_value(&value).value)
        .unwrap_or(BootState {
            active_slot: 0,
            is_committed: true,
            revert_slot: 0,
            commit_timeout: 0,
        })
}

/// Replaces the record; whatever happens, it is the old or the new one.
pub(super) fn save(flash: &mut Flash, record: &BootState) -> Result<(), FlashError> {
    flash.replace(FILE, record.to_value().to_string())
}

/// The record that leads back: the old slot, committed, no timeout.
pub(super) fn way_back(record: &BootState) -> BootState {
    BootState {
        active_slot: record.revert_slot,
        is_committed: true,
        revert_slot: record.revert_slot,
        commit_timeout: 0,
    }
}

/// A slot's number as an index, if there is such a slot.
pub(super) fn index(slot: i64) -> Option<usize> {
    usize::try_from(slot).ok().filter(|slot| *slot < SLOTS)
}

/// Number of slots.
pub(super) const SLOTS: usize = 2;
const FILE: &str = "state/boot_record";
