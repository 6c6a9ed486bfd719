//! The faults armed at one site, in the order they were armed; the first that matches strikes.

use crate::FaultSpec;
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
}

/// Every armed fault.
#[derive(Debug, Default)]
pub struct FaultBoard {
    last_id: u32,
    armed: Vec<Armed>,
}

#[derive(Debug)]
struct Armed {
    id: FaultId,
    spec: FaultSpec,
    matched: u32,
    acted: u32,
}

impl FaultBoard {
    /// Arms a fault.
    pub fn arm(&mut self, spec: FaultSpec) -> FaultId {
        self.last_id += 1;
        let id = FaultId(self.last_id);
        self.armed.push(Armed {
            id,
            spec,
            matched: 0,
            acted: 0,
        });
        id
    }

    /// Removes a fault; returns how often it acted.
    pub fn clear(&mut self, id: FaultId) -> Option<(FaultSpec, u32)> {
        let index = self.armed.iter().position(|armed| armed.id == id)?;
        let armed = self.armed.remove(index);
        Some((armed.spec, armed.acted))
    }

    /// Every armed fault's number.
    pub fn ids(&self) -> Vec<FaultId> {
        self.armed.iter().map(|armed| armed.id).collect()
    }

    /// The fault that strikes this operation or message, if any; it has then acted once more.
    pub fn strike(&mut self, operation: &str, facts: &Map<String, Value>) -> Option<Struck> {
        self.strike_where(operation, facts, |_| true)
    }

    /// Like [`FaultBoard::strike`], among the faults a caller can act on.
    pub fn strike_where(
        &mut self,
        operation: &str,
        facts: &Map<String, Value>,
        can: impl Fn(&FaultSpec) -> bool,
    ) -> Option<Struck> {
        for armed in &mut self.armed {
            let spent = armed.spec.times.is_some_and(|times| armed.acted >= times);
            if spent || !can(&armed.spec) || !armed.matches(operation, facts) {
                continue;
            }
            armed.matched += 1;
            if armed.matched > armed.spec.skip {
                armed.acted += 1;
                return Some(Struck {
                    id: armed.id,
                    spec: armed.spec.clone(),
                });
            }
        }
        None
    }
}

impl Armed {
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

    fn spec(arguments: Value) -> FaultSpec {
        FaultSpec::parse("cloud.status", arguments.as_object().expect("a map")).expect("a fault")
    }

    #[test]
    fn strikes_as_often_as_asked_and_lets_the_first_pass() {
        let mut board = FaultBoard::default();
        let id = board.arm(spec(json!({"on": "ack", "status": 500, "times": 2, "skip": 1})));
        let facts = Map::new();
        let struck: Vec<bool> = (0..5).map(|_| board.strike("ack", &facts).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(board.strike("poll", &facts).is_none());
        assert_eq!(board.clear(id).map(|(_, acted)| acted), Some(2));
    }

    #[test]
    fn an_answer_is_struck_by_the_name_of_what_it_answers() {
        let mut board = FaultBoard::default();
        board.arm(spec(json!({"on": "unitStatus", "status": 500, "times": 1})));
        let facts = json!({"answers": "unitStatus"});
        assert!(board.strike("ack", facts.as_object().expect("a map")).is_some());
        assert!(board.strike("ack", facts.as_object().expect("a map")).is_none());
    }

    #[test]
    fn facts_must_match() {
        let mut board = FaultBoard::default();
        board.arm(spec(json!({"on": "ack", "status": 500, "match": {"id": "a"}})));
        assert!(
            board
                .strike("ack", json!({"id": "b"}).as_object().expect("a map"))
                .is_none()
        );
        assert!(
            board
                .strike("ack", json!({"id": "a"}).as_object().expect("a map"))
                .is_some()
        );
    }
}
