//! The boot loader: two slots, one trial boot, and the way back (reference section 4.2).

use super::{
    kind::image_of,
    store::{self, BOOT, BootRecord},
};
use crate::{Hardware, Image};
use hil_wire::digest::sha256_hex;

/// Chooses the slot. An image on trial gets one boot; if it has not confirmed itself by the next, the old one is back.
pub(super) fn choose(hardware: &mut Hardware) {
    let Some(mut record) = store::load::<BootRecord>(&hardware.flash, BOOT) else {
        return;
    };
    match &mut record.trial {
        Some(trial) if trial.booted => {
            record.active = trial.previous;
            record.rolled_back = Some(trial.command.clone());
            record.trial = None;
            store::save(&mut hardware.flash, BOOT, &record);
        }
        Some(trial) => {
            trial.booted = true;
            store::save(&mut hardware.flash, BOOT, &record);
        }
        None => {}
    }
    hardware.active_slot = record.active;
}

/// What runs: the image in the active slot.
pub(super) fn running(hardware: &Hardware) -> Option<Image> {
    let slot = hardware.slots.get(hardware.active_slot)?;
    if !slot.is_bootable() {
        return None;
    }
    let unnamed = || Image::new("firmware", "", &sha256_hex(&slot.image)[..12]);
    Some(image_of(&slot.image).unwrap_or_else(unnamed))
}

/// Its version.
pub(super) fn running_version(hardware: &Hardware) -> String {
    running(hardware).map(|image| image.version).unwrap_or_default()
}
