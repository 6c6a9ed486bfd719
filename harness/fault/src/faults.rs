//! The faults of one bench: armed by steps, struck by whoever holds a site, recorded when armed, acted and cleared.

use crate::{Effect, FaultId, FaultSpec, LiveFault, Site, Struck, board::FaultBoard};
use hil_trace::{FaultPhase, RecordBody, SharedRecorder};
use serde_json::{Map, Value, json};
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

/// Called whenever a fault on connections comes or goes: connections that are up have nobody else to tell them.
pub type Watcher = dyn Fn();

/// Every fault of one bench, shared by all sites.
pub struct Faults {
    board: RefCell<FaultBoard>,
    recorder: SharedRecorder,
    /// Nothing acts.
    withheld: Cell<bool>,
    watchers: RefCell<Vec<Weak<Watcher>>>,
    seed: u64,
}

/// Clears on drop whatever is still armed, however its holder ends.
#[must_use = "faults are cleared when this is dropped"]
pub struct FaultGuard(Rc<Faults>);

impl Drop for FaultGuard {
    fn drop(&mut self) {
        self.0.clear_all();
    }
}

impl Faults {
    /// No faults yet; `seed` decides what probabilities draw.
    pub fn new(recorder: SharedRecorder, seed: u64) -> Self {
        Faults {
            board: RefCell::new(FaultBoard::new(seed)),
            recorder,
            withheld: Cell::new(false),
            watchers: RefCell::default(),
            seed,
        }
    }

    /// Lets no fault act from now on, though they are armed: shows what a scenario is without them.
    pub fn withhold(&self) {
        self.withheld.set(true);
    }

    /// Arms a fault until it is cleared; one that is not `live` waits for [`Faults::ignite`].
    pub fn arm(&self, spec: FaultSpec, live: bool) -> FaultId {
        let name = spec.name.clone();
        let facts = armed_facts(&spec);
        let on_connections = spec.effect.site() == Site::Connection;
        let id = self.board.borrow_mut().arm(spec, live);
        self.record(id, &name, FaultPhase::Armed, facts);
        if live && on_connections {
            self.tell_watchers();
        }
        id
    }

    /// No fault outlives the guard.
    pub fn guard(self: &Rc<Self>) -> FaultGuard {
        FaultGuard(self.clone())
    }

    /// The trigger of a fault has come: it strikes from now on. False if it is armed no more.
    pub fn ignite(&self, id: FaultId) -> bool {
        let ignited = self.board.borrow_mut().ignite(id);
        self.tell_watchers();
        ignited
    }

    /// The faults that may act on what is called `name` at a site, in the order they were armed; none while they are
    /// withheld.
    pub fn live(&self, site: Site, name: &str, facts: &Map<String, Value>) -> Vec<LiveFault> {
        if self.withheld.get() {
            return Vec::new();
        }
        self.board.borrow().live(site, name, facts)
    }

    /// Calls `watcher` for as long as it lives.
    pub fn watch(&self, watcher: &Rc<Watcher>) {
        let mut watchers = self.watchers.borrow_mut();
        if watchers.len() == watchers.capacity() {
            watchers.retain(|watcher| watcher.strong_count() > 0);
        }
        watchers.push(Rc::downgrade(watcher));
    }

    /// What chances are drawn from; sites mix it with what they know of themselves.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// An effect that its maker is about to make; `None` if it must not, as the fault is cleared or spent.
    pub fn act(&self, id: FaultId, facts: Map<String, Value>) -> Option<FaultSpec> {
        let spec = self.turn(id)?;
        self.record(id, &spec.name, FaultPhase::Acted, facts);
        Some(spec)
    }

    /// Takes a fault's turn for an effect of which its maker knows only afterwards what it was: [`Faults::acted`] or
    /// [`Faults::missed`] follows. `None` if it must not be made, as the fault is cleared or spent.
    pub fn turn(&self, id: FaultId) -> Option<FaultSpec> {
        if self.withheld.get() {
            return None;
        }
        self.board.borrow_mut().act(id)
    }

    /// The effect of a turn was made; `facts` say what was really applied.
    pub fn acted(&self, id: FaultId, name: &str, facts: Map<String, Value>) {
        self.record(id, name, FaultPhase::Acted, facts);
    }

    /// The effect of a turn could not be made.
    pub fn missed(&self, id: FaultId) {
        self.board.borrow_mut().missed(id);
    }

    /// Removes a fault; returns how often it acted.
    pub fn clear(&self, id: FaultId) -> Option<u32> {
        self.clear_with(id, Map::new())
    }

    /// Removes a fault whose effect was taken back; `facts` say what was applied by that. Returns how often it acted.
    pub fn clear_with(&self, id: FaultId, facts: Map<String, Value>) -> Option<u32> {
        let (spec, acted) = self.board.borrow_mut().clear(id)?;
        let mut told = Map::from_iter([("acted".to_owned(), acted.into())]);
        told.extend(facts);
        self.record(id, &spec.name, FaultPhase::Cleared, told);
        if spec.effect.site() == Site::Connection {
            self.tell_watchers();
        }
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

    fn tell_watchers(&self) {
        let watchers: Vec<Rc<Watcher>> = self.watchers.borrow().iter().filter_map(Weak::upgrade).collect();
        for watcher in watchers {
            watcher();
        }
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

/// What the record of an armed fault says: what its site has.
fn armed_facts(spec: &FaultSpec) -> Map<String, Value> {
    let mut facts = Map::new();
    if spec.effect.site().has_names() {
        facts.insert("on".to_owned(), json!(spec.on));
    }
    if let Some(times) = spec.times {
        facts.insert("times".to_owned(), json!(times));
    }
    facts
}
