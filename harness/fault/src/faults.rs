//! The faults of one bench: armed by steps, struck by whoever holds a site, recorded when armed, acted and cleared.

use crate::{Effect, FaultId, FaultSpec, Site, Struck, board::FaultBoard};
use hil_trace::{FaultPhase, RecordBody, SharedRecorder};
use serde_json::{Map, Value, json};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Every fault of one bench, shared by all sites.
pub struct Faults {
    board: RefCell<FaultBoard>,
    recorder: SharedRecorder,
    /// Nothing acts.
    withheld: Cell<bool>,
}

/// An armed fault; cleared on drop.
#[must_use = "the fault is cleared when this is dropped"]
pub struct ArmedFault {
    faults: Rc<Faults>,
    id: FaultId,
}

impl ArmedFault {
    /// Its number.
    pub fn id(&self) -> FaultId {
        self.id
    }
}

impl Drop for ArmedFault {
    fn drop(&mut self) {
        self.faults.clear(self.id);
    }
}

impl Faults {
    /// No faults yet; `seed` decides what probabilities draw.
    pub fn new(recorder: SharedRecorder, seed: u64) -> Self {
        Faults {
            board: RefCell::new(FaultBoard::new(seed)),
            recorder,
            withheld: Cell::new(false),
        }
    }

    /// Lets no fault act from now on, though they are armed: shows what a scenario is without them.
    pub fn withhold(&self) {
        self.withheld.set(true);
    }

    /// Arms a fault until it is cleared; one that is not `live` waits for [`Faults::ignite`].
    pub fn arm(&self, spec: FaultSpec, live: bool) -> FaultId {
        let name = spec.name.clone();
        let facts = json!({"on": spec.on, "times": spec.times});
        let id = self.board.borrow_mut().arm(spec, live);
        self.record(
            id,
            &name,
            FaultPhase::Armed,
            facts.as_object().cloned().unwrap_or_default(),
        );
        id
    }

    /// Arms a fault for as long as the guard lives.
    pub fn guarded(self: &Rc<Self>, spec: FaultSpec, live: bool) -> ArmedFault {
        ArmedFault {
            id: self.arm(spec, live),
            faults: self.clone(),
        }
    }

    /// The trigger of a fault has come: it strikes from now on. False if it is armed no more.
    pub fn ignite(&self, id: FaultId) -> bool {
        self.board.borrow_mut().ignite(id)
    }

    /// An effect that its maker is about to make; `None` if it must not, as the fault is cleared or spent.
    pub fn act(&self, id: FaultId, facts: Map<String, Value>) -> Option<FaultSpec> {
        if self.withheld.get() {
            return None;
        }
        let spec = self.board.borrow_mut().act(id)?;
        self.record(id, &spec.name, FaultPhase::Acted, facts);
        Some(spec)
    }

    /// Removes a fault; returns how often it acted.
    pub fn clear(&self, id: FaultId) -> Option<u32> {
        let (spec, acted) = self.board.borrow_mut().clear(id)?;
        let facts = Map::from_iter([("acted".to_owned(), acted.into())]);
        self.record(id, &spec.name, FaultPhase::Cleared, facts);
        Some(acted)
    }

    /// Removes every fault.
    pub fn clear_all(&self) {
        let ids = self.board.borrow().ids();
        for id in ids {
            self.clear(id);
        }
    }

    /// Whether a fault may act at a site.
    pub fn is_armed_at(&self, site: Site) -> bool {
        !self.withheld.get() && self.board.borrow().is_armed_at(site)
    }

    /// The fault that strikes what is called `name` at a site, among those with an effect that `can` be made; recorded
    /// as acted, with `place`, such as the exchange, beside the facts.
    pub fn strike(
        &self,
        site: Site,
        name: &str,
        facts: &Map<String, Value>,
        place: (&str, Option<u32>),
        can: impl Fn(&Effect) -> bool,
    ) -> Option<Struck> {
        if self.withheld.get() {
            return None;
        }
        let struck = self.board.borrow_mut().strike(site, name, facts, can)?;
        let mut facts = facts.clone();
        facts.insert("on".to_owned(), name.into());
        if let (place, Some(number)) = place {
            facts.insert(place.to_owned(), number.into());
        }
        self.record(struck.id, &struck.spec.name, FaultPhase::Acted, facts);
        Some(struck)
    }

    fn record(&self, id: FaultId, name: &str, phase: FaultPhase, facts: Map<String, Value>) {
        self.recorder.record(RecordBody::Fault {
            id: id.0,
            name: name.to_owned(),
            phase,
            facts,
        });
    }
}
