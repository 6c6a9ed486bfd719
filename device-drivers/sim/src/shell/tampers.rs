//! A unit that misbehaves at its edge: inputs and outputs pass its tampers, in the order of their names.

use super::core::Core;
use crate::{
    Hardware, Input, Output, Setup,
    defect::{Edge, Later, Tamper, is_of_extra_request},
};
use hil_trace::Stamp;
use std::collections::BTreeMap;

/// The tampers of one unit, and what they put off.
#[derive(Default)]
pub(crate) struct Tampers {
    chain: Vec<Box<dyn Tamper>>,
    later: BTreeMap<(Stamp, u64), Later>,
    serial: u64,
    extra: u32,
}

impl Tampers {
    /// Those that the unit's defects ask for.
    pub(crate) fn of(setup: &Setup) -> Self {
        Tampers {
            chain: setup
                .defects
                .iter()
                .filter_map(|defect| defect.tamper())
                .collect(),
            ..Tampers::default()
        }
    }

    /// Whether the unit's edge is what it should be.
    pub(crate) fn is_empty(&self) -> bool {
        self.chain.is_empty()
    }

    /// The boot loader is about to run.
    pub(crate) fn booting(&mut self, hardware: &mut Hardware) {
        for tamper in &mut self.chain {
            tamper.booting(hardware);
        }
    }

    /// When something that was put off is due.
    pub(crate) fn next_deadline(&self) -> Option<Stamp> {
        self.later.keys().next().map(|(at, _)| *at)
    }

    /// What was put off is volatile.
    pub(crate) fn lose_power(&mut self) {
        self.later.clear();
    }

    fn due(&mut self, now: Stamp) -> Option<Later> {
        let first = self.later.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    fn put_off(&mut self, edge: Edge<'_>) -> (Vec<Input>, Vec<Output>) {
        self.extra = edge.extra;
        for (after, what) in edge.later {
            self.serial += 1;
            self.later.insert((edge.now + after, self.serial), what);
        }
        (edge.inputs, edge.outputs)
    }
}

impl Core {
    /// Hands the agent what the tampers make of an input.
    pub(super) fn input_tampered(&mut self, input: Input) {
        if is_of_extra_request(&input) {
            return;
        }
        let mut inputs = vec![input];
        for index in 0..self.tampers.chain.len() {
            let (heard, outputs) = self.tampered(index, |tamper, edge| {
                for input in inputs {
                    tamper.input(input, edge);
                }
            });
            inputs = heard;
            for output in outputs {
                self.perform(output);
            }
        }
        for input in inputs {
            self.handle(input);
        }
    }

    /// Carries out what the tampers make of the agent's outputs. What they have it hear instead, it hears afterwards.
    pub(super) fn perform_tampered(&mut self, mut outputs: Vec<Output>) {
        for index in 0..self.tampers.chain.len() {
            let (heard, done) = self.tampered(index, |tamper, edge| {
                for output in outputs {
                    tamper.output(output, edge);
                }
                for input in std::mem::take(&mut edge.inputs) {
                    edge.hear_later(std::time::Duration::ZERO, input);
                }
            });
            debug_assert!(heard.is_empty());
            outputs = done;
        }
        for output in outputs {
            self.perform(output);
        }
    }

    /// Does what was put off until now.
    pub(super) fn catch_up(&mut self, now: Stamp) {
        while let Some(what) = self.tampers.due(now) {
            match what {
                Later::Hear(input) => self.handle(input),
                Later::Perform(output) => self.perform(output),
            }
        }
    }

    fn tampered(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut dyn Tamper, &mut Edge<'_>),
    ) -> (Vec<Input>, Vec<Output>) {
        let mut tampers = std::mem::take(&mut self.tampers);
        let setup = self.environment.setup.clone();
        let now = self.environment.clock.now();
        let mut edge = Edge::new(&mut self.hardware, &setup, now, tampers.extra);
        if let Some(tamper) = tampers.chain.get_mut(index) {
            act(tamper.as_mut(), &mut edge);
        }
        let changed = tampers.put_off(edge);
        self.tampers = tampers;
        changed
    }
}
