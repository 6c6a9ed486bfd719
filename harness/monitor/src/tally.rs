//! A requirement that every message of a kind must meet: violations are stated at once, a pass at the end.

use crate::Judge;

/// Counts how often a requirement was met.
#[derive(Debug)]
pub struct Tally {
    requirement: &'static str,
    met: u64,
    examples: Vec<u64>,
    violated: bool,
}

impl Tally {
    /// Nothing seen yet.
    pub fn new(requirement: &'static str) -> Self {
        Tally {
            requirement,
            met: 0,
            examples: Vec::new(),
            violated: false,
        }
    }

    /// Met once more; the first records are kept as evidence.
    pub fn met(&mut self, evidence: u64) {
        self.met += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(evidence);
        }
    }

    /// Violated; stated at once, and only the first few times.
    pub fn violated(&mut self, text: impl Into<String>, evidence: Vec<u64>, judge: &mut Judge<'_>) {
        self.violated = true;
        judge.fail(self.requirement, text, evidence);
    }

    /// Met or violated, by a condition.
    pub fn check(
        &mut self,
        holds: bool,
        text: impl FnOnce() -> String,
        evidence: u64,
        judge: &mut Judge<'_>,
    ) {
        if holds {
            self.met(evidence)
        } else {
            self.violated(text(), vec![evidence], judge)
        }
    }

    /// States the pass, if it was met and never violated.
    pub fn close(&mut self, judge: &mut Judge<'_>) {
        if self.met > 0 && !self.violated {
            let times = if self.met == 1 {
                "once".to_owned()
            } else {
                format!("{} times", self.met)
            };
            judge.pass(
                self.requirement,
                format!("met {times}"),
                std::mem::take(&mut self.examples),
            );
        }
    }
}

const EXAMPLES: usize = 3;
