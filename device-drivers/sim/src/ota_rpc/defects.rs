//! What a device can do wrong over the OTA RPCs.

use crate::Defect;

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[];
