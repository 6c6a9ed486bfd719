//! What a device can do wrong over the device command API.

use crate::{Defect, defect::COUNTER_WRAPS};

/// A command delivered again is executed again.
pub(super) const NO_COMMAND_HISTORY: &str = "no-command-history";
/// Statuses not yet delivered are lost with power.
pub(super) const STATUSES_NOT_PERSISTED: &str = "statuses-not-persisted";
/// An image is installed whatever its digest.
pub(super) const IMAGE_UNVERIFIED: &str = "image-unverified";
/// Firmware updates are not limited to one in an hour.
pub(super) const NO_UPDATE_LIMIT: &str = "no-update-limit";
/// A slot is marked as the one to boot before the image in it is complete.
pub(super) const MARKED_BEFORE_COMPLETE: &str = "marked-before-complete";

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[WITHIN];

const WITHIN: &[Defect] = &[
    Defect::within(
        NO_COMMAND_HISTORY,
        "DCMD-QUEUE-003",
        "Executes a command again when it is delivered again.",
    ),
    Defect::within(
        STATUSES_NOT_PERSISTED,
        "DCMD-STATUS-003",
        "Loses statuses that wait when power fails.",
    ),
    Defect::within(
        IMAGE_UNVERIFIED,
        "DCMD-FW-003",
        "Installs an image whatever its digest.",
    ),
    Defect::within(
        NO_UPDATE_LIMIT,
        "DCMD-RATE-001",
        "Takes any number of firmware updates in an hour.",
    ),
    Defect::switched(
        "counter-wraps",
        COUNTER_WRAPS,
        "DCMD-RATE-006",
        "Takes its 32-bit counter of milliseconds for one that never wraps.",
    ),
    Defect::within(
        MARKED_BEFORE_COMPLETE,
        "DCMD-FW-014",
        "Marks a slot as the one to boot before the image in it is complete.",
    ),
];
