//! What identifies the judgement of this build.

/// Hex SHA-256 over the sources of monitors and judges this build was made from.
pub const JUDGES_SHA256: &str = env!("HIL_JUDGES_SHA256");
