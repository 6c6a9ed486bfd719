//! What a SOTA client can do wrong.

pub(super) mod bus;

use crate::Defect;

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[bus::DEFECTS];
