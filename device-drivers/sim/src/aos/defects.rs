//! What a unit can do wrong over the AosEdge protocol.

use crate::Defect;

/// All of them.
pub(crate) const DEFECTS: &[&[Defect]] = &[];
