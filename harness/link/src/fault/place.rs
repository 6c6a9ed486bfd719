//! One connection as faults know it.

use hil_fault::{ConnectionEffect, Direction, Effect, FaultId, Faults, Site, Watcher};
use rand::{SeedableRng, rngs::SmallRng};
use serde_json::{Map, Value, json};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// A connection: the face it was made to, its number in the trace, and facts faults can match.
pub struct Place {
    faults: Rc<Faults>,
    face: String,
    connection: u32,
    facts: Map<String, Value>,
    /// Faults whose turn at this connection came, and whether they took it.
    turns: RefCell<BTreeMap<FaultId, bool>>,
}

/// A fault that may act on a connection.
pub(super) struct Candidate {
    pub(super) id: FaultId,
    pub(super) effect: ConnectionEffect,
    /// Others had all its turns.
    pub(super) spent: bool,
}

impl Place {
    /// A connection to a face; `facts` are what `match` of a fault can ask for.
    pub fn new(faults: Rc<Faults>, face: &str, connection: u32, facts: Map<String, Value>) -> Self {
        Place {
            faults,
            face: face.to_owned(),
            connection,
            facts,
            turns: RefCell::default(),
        }
    }

    /// The faults that may act here now, in the order they were armed.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let live = self.faults.live(Site::Connection, &self.face, &self.facts);
        let candidate = |live: hil_fault::LiveFault| match live.effect {
            Effect::Connection(effect) => Some(Candidate {
                id: live.id,
                effect,
                spent: live.spent,
            }),
            _ => None,
        };
        live.into_iter().filter_map(candidate).collect()
    }

    /// Whether a fault acts on this connection: it is asked once, and records that it acts.
    pub(super) fn takes_turn(&self, id: FaultId, direction: Direction, passed: u64) -> bool {
        if let Some(taken) = self.turns.borrow().get(&id) {
            return *taken;
        }
        let mut facts = self.facts.clone();
        let told = json!({
            "on": self.face,
            "connection": self.connection,
            "direction": direction.name(),
            "after": passed,
        });
        facts.extend(told.as_object().cloned().unwrap_or_default());
        let taken = self.faults.act(id, facts).is_some();
        self.turns.borrow_mut().insert(id, taken);
        taken
    }

    /// Calls `watcher` whenever faults come or go, as long as it lives.
    pub(super) fn watch(&self, watcher: &Rc<Watcher>) {
        self.faults.watch(watcher);
    }

    /// Chances of one fault at this connection, the same for the same seed.
    pub(super) fn chances(&self, id: FaultId, direction: Direction) -> SmallRng {
        let own = u64::from(id.0) << 33 | u64::from(self.connection) << 1 | direction as u64;
        SmallRng::seed_from_u64(self.faults.seed() ^ own.wrapping_mul(SPREAD))
    }
}

const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
