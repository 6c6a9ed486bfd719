//! One fault at one way of one connection.

use super::pacer::Pacer;
use hil_fault::{ConnectionEffect, FaultId};

/// A fault that acts here, or will once enough bytes have passed.
pub(super) struct Affliction {
    pub(super) id: FaultId,
    pub(super) effect: ConnectionEffect,
    /// Bytes that had passed when the fault came.
    pub(super) since: u64,
    /// What it does to the timing of bytes, once it acts.
    pub(super) pacer: Option<Pacer>,
    /// Its turn at this connection has come: there is nothing more to wait for.
    pub(super) decided: bool,
}

impl Affliction {
    pub(super) fn new(id: FaultId, effect: ConnectionEffect, since: u64) -> Self {
        Affliction {
            id,
            effect,
            since,
            pacer: None,
            decided: false,
        }
    }

    /// The position at which it acts between two bytes, unless that is over.
    pub(super) fn barrier(&self) -> Option<u64> {
        let threshold = self.effect.threshold().filter(|_| !self.decided)?;
        Some(self.since.saturating_add(threshold))
    }

    /// The position of the byte it changes, unless that is over.
    pub(super) fn target(&self) -> Option<u64> {
        match self.effect {
            ConnectionEffect::Corrupt { byte, .. } if !self.decided => Some(self.since.saturating_add(byte)),
            _ => None,
        }
    }
}
