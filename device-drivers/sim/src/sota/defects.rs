//! What a SOTA client can do wrong.

use crate::Defect;

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[];
