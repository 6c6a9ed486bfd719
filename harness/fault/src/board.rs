//! The faults armed at one site, in the order they were armed; the first that matches strikes.

use crate::{Effect, FaultSpec, Site};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use serde_json::{Map, Value};

/// Number of a fault inside a trace, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u32);

/// A fault that strikes now.
#[derive(Clone, Debug, PartialEq)]
pub struct Struck {
    /// Which.
    pub id: FaultId,
    /// What was asked for.
    pub spec: FaultSpec,
    /// From the seed, another one for each effect: decides what the fault leaves open.
    pub draw: u64,
}

/// A fault whose trigger has come.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveFault {
    /// Which.
    pub id: FaultId,
    /// What it does.
    pub effect: Effect,
    /// Whether it has acted as often as it may.
    pub spent: bool,
}

/// Every armed fault.
#[derive(Debug)]
pub(crate) struct FaultBoard {
    seed: u64,
    last_id: u32,
    armed: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    id: FaultId,
    spec: FaultSpec,
    /// Whether its trigger has come.
    live: bool,
    /// Its own chances, so that what one fault draws changes nothing for another.
    chance: SmallRng,
    matched: u32,
    acted: u32,
}

impl FaultBoard {
    pub(crate) fn new(seed: u64) -> Self {
        FaultBoard {
            seed,
            last_id: 0,
            armed: Vec::new(),
        }
    }

    /// Arms a fault; one that is not live waits for [`FaultBoard::ignite`].
    pub(crate) fn arm(&mut self, spec: FaultSpec, live: bool) -> FaultId {
        self.last_id += 1;
        let id = FaultId(self.last_id);
        self.armed.push(Armed {
            id,
            spec,
            live,
            chance: SmallRng::seed_from_u64(self.seed.wrapping_add(u64::from(id.0))),
            matched: 0,
            acted: 0,
        });
        id
    }

    /// The trigger of a fault has come; false if it is armed no more.
    pub(crate) fn ignite(&mut self, id: FaultId) -> bool {
        let armed = self.armed.iter_mut().find(|armed| armed.id == id);
        armed.map(|armed| armed.live = true).is_some()
    }

    /// Counts an effect made by others; what the fault is, if it is armed and not spent.
    pub(crate) fn act(&mut self, id: FaultId) -> Option<FaultSpec> {
        let armed = self.armed.iter_mut().find(|armed| armed.id == id)?;
        armed.spends().then(|| armed.spec.clone())
    }

    /// An effect that was counted could not be made.
    pub(crate) fn missed(&mut self, id: FaultId) {
        if let Some(armed) = self.armed.iter_mut().find(|armed| armed.id == id) {
            armed.acted = armed.acted.saturating_sub(1);
        }
    }

    /// The faults that wait for what is called `name` at a site, in the order they were armed.
    pub(crate) fn live(&self, site: Site, name: &str, facts: &Map<String, Value>) -> Vec<LiveFault> {
        let meant =
            |armed: &&Armed| armed.live && armed.spec.effect.site() == site && armed.matches(name, facts);
        let live = |armed: &Armed| LiveFault {
            id: armed.id,
            effect: armed.spec.effect.clone(),
            spent: armed.is_spent(),
        };
        self.armed.iter().filter(meant).map(live).collect()
    }

    /// Removes a fault; returns how often it acted.
    pub(crate) fn clear(&mut self, id: FaultId) -> Option<(FaultSpec, u32)> {
        let index = self.armed.iter().position(|armed| armed.id == id)?;
        let armed = self.armed.remove(index);
        Some((armed.spec, armed.acted))
    }

    /// Every armed fault's number.
    pub(crate) fn ids(&self) -> Vec<FaultId> {
        self.armed.iter().map(|armed| armed.id).collect()
    }

    /// Whether a fault is armed at a site, live or not.
    pub(crate) fn is_armed_at(&self, site: Site) -> bool {
        self.armed.iter().any(|armed| armed.spec.effect.site() == site)
    }

    /// The fault that strikes this operation, message or connection, if any; it has then acted once more.
    pub(crate) fn strike(
        &mut self,
        site: Site,
        name: &str,
        facts: &Map<String, Value>,
        can: impl Fn(&Effect) -> bool,
    ) -> Option<Struck> {
        let meant = |armed: &mut Armed| {
            armed.spec.effect.site() == site
                && can(&armed.spec.effect)
                && armed.matches(name, facts)
                && armed.spends()
        };
        let armed = self
            .armed
            .iter_mut()
            .find_map(|armed| meant(armed).then_some(armed))?;
        Some(Struck {
            id: armed.id,
            spec: armed.spec.clone(),
            draw: armed.chance.random(),
        })
    }
}

impl Armed {
    /// Takes one of its turns; false if it is not its turn yet, or no longer.
    fn spends(&mut self) -> bool {
        if !self.live || self.is_spent() {
            return false;
        }
        self.matched += 1;
        let lucky = self
            .spec
            .probability
            .is_none_or(|p| self.chance.random_bool(p.clamp(0.0, 1.0)));
        let strikes = self.matched > self.spec.skip && lucky;
        self.acted += u32::from(strikes);
        strikes
    }

    fn is_spent(&self) -> bool {
        self.spec.times.is_some_and(|times| self.acted >= times)
    }

    fn matches(&self, operation: &str, facts: &Map<String, Value>) -> bool {
        // An answer is known by the name of what it answers, too.
        let answers = facts.get("answers").and_then(Value::as_str);
        (self.spec.on == "any" || self.spec.on == operation || answers == Some(self.spec.on.as_str()))
            && self
                .spec
                .matching
                .iter()
                .all(|(name, value)| facts.get(name) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn board(arguments: Value) -> FaultBoard {
        let mut board = FaultBoard::new(1);
        board.arm(spec(arguments), true);
        board
    }

    fn spec(arguments: Value) -> FaultSpec {
        FaultSpec::parse("cloud.status", arguments.as_object().expect("a map")).expect("a fault")
    }

    fn strikes(board: &mut FaultBoard, name: &str, facts: Value) -> bool {
        let facts = facts.as_object().expect("a map");
        board.strike(Site::Exchange, name, facts, |_| true).is_some()
    }

    #[test]
    fn strikes_as_often_as_asked_and_lets_the_first_pass() {
        let mut board = board(json!({"on": "ack", "status": 500, "times": 2, "skip": 1}));
        let struck: Vec<bool> = (0..5).map(|_| strikes(&mut board, "ack", json!({}))).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(!strikes(&mut board, "poll", json!({})));
        assert_eq!(board.clear(FaultId(1)).map(|(_, acted)| acted), Some(2));
    }

    #[test]
    fn an_answer_is_struck_by_the_name_of_what_it_answers() {
        let mut board = board(json!({"on": "unitStatus", "status": 500, "times": 1}));
        assert!(strikes(&mut board, "ack", json!({"answers": "unitStatus"})));
        assert!(!strikes(&mut board, "ack", json!({"answers": "unitStatus"})));
    }

    #[test]
    fn facts_must_match() {
        let mut board = board(json!({"on": "ack", "status": 500, "match": {"id": "a"}}));
        assert!(!strikes(&mut board, "ack", json!({"id": "b"})));
        assert!(strikes(&mut board, "ack", json!({"id": "a"})));
    }

    #[test]
    fn nothing_strikes_before_its_trigger_or_at_another_site() {
        let mut board = FaultBoard::new(1);
        let id = board.arm(spec(json!({"on": "ack", "status": 500})), false);
        assert!(!strikes(&mut board, "ack", json!({})));
        assert!(board.ignite(id));
        assert!(
            board
                .strike(Site::Message, "ack", &Map::new(), |_| true)
                .is_none()
        );
        assert!(strikes(&mut board, "ack", json!({})));
    }

    #[test]
    fn a_probability_is_drawn_from_the_seed() {
        let draw = |seed| -> Vec<bool> {
            let mut board = FaultBoard::new(seed);
            board.arm(
                spec(json!({"on": "ack", "status": 500})).with_probability(Some(0.5)),
                true,
            );
            (0..64).map(|_| strikes(&mut board, "ack", json!({}))).collect()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let struck = draw(7).into_iter().filter(|struck| *struck).count();
        assert!((16..48).contains(&struck), "{struck} of 64");
    }
}
