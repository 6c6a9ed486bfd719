//! What a run keeps of its instances, decided as soon as each one ends: everything of what runs once, what did not pass, or
//! has an extreme; figures of other repeats.

use super::{Fold, extremes::Extremes};
use crate::{InstanceResult, Progress};
use hil_trace::{Catalogue, Figures, InstanceSummary, Trace, Verdict};
use std::collections::BTreeMap;

/// Takes in instances in the order they end.
#[derive(Default)]
pub(crate) struct Keeper {
    groups: BTreeMap<String, Group>,
    instances: Vec<InstanceSummary>,
    traces: Vec<Trace>,
}

struct Group {
    fold: Fold,
    extremes: Extremes,
    /// Passing repeats that have an extreme so far.
    held: BTreeMap<u32, InstanceResult>,
    /// How many of those that keep their evidence have their traces at hand for reports.
    at_hand: usize,
}

impl Keeper {
    /// Takes in an instance, and tells what is kept of it, or of those it takes the place of.
    pub(crate) fn take(&mut self, result: InstanceResult, told: &mut dyn Progress) {
        let header = &result.trace.header;
        let group = header.repeat().map(|repeat_of| &repeat_of.group);
        let known = group.is_some_and(|group| self.groups.contains_key(group));
        if !known && let Some(fold) = Fold::new(header) {
            told.keep_group(fold.header());
            let group = Group {
                extremes: Extremes::default(),
                held: BTreeMap::new(),
                at_hand: 0,
                fold,
            };
            self.groups.insert(group.fold.header().instance.clone(), group);
        }
        match group.and_then(|group| self.groups.get_mut(group)) {
            Some(group) => group.take(result, told, &mut self.instances, &mut self.traces),
            None => {
                told.keep(&result.trace);
                self.instances.push(result.summary);
                self.traces.push(result.trace);
            }
        }
    }

    /// Everything judged and every trace at hand, in the order of names.
    pub(crate) fn finish(
        self,
        catalogue: &Catalogue,
        strict: bool,
        told: &mut dyn Progress,
    ) -> (Vec<InstanceSummary>, Vec<Trace>) {
        let Keeper {
            groups,
            mut instances,
            mut traces,
        } = self;
        for (_, mut group) in groups {
            for (_, result) in std::mem::take(&mut group.held) {
                told.keep(&result.trace);
                group.fold.add_instance(&Figures::of(&result.summary));
                instances.push(result.summary);
                traces.push(result.trace);
            }
            instances.push(group.fold.finish(catalogue, strict));
        }
        instances.sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
        traces.sort_by(|a, b| a.header.instance.cmp(&b.header.instance));
        (instances, traces)
    }
}

impl Group {
    fn take(
        &mut self,
        result: InstanceResult,
        told: &mut dyn Progress,
        instances: &mut Vec<InstanceSummary>,
        traces: &mut Vec<Trace>,
    ) {
        let figures = Figures::of(&result.summary);
        if !Figures::suffice_for(&result.summary) {
            told.keep(&result.trace);
            self.fold.add_instance(&figures);
            // The journal has every trace; what is at hand for reports must not grow with the repeats.
            let passed = result.summary.verdict == Verdict::Pass;
            if self.at_hand < if passed { AT_HAND } else { 2 * AT_HAND } {
                self.at_hand += 1;
                traces.push(result.trace);
            }
            instances.push(result.summary);
            return;
        }
        if !self.extremes.add(&figures) {
            return self.forget(&figures, told);
        }
        self.held.insert(figures.repetition, result);
        let extremes = self.extremes.repetitions();
        let displaced: Vec<u32> = self
            .held
            .keys()
            .copied()
            .filter(|repetition| !extremes.contains(repetition))
            .collect();
        for repetition in displaced {
            if let Some(result) = self.held.remove(&repetition) {
                self.forget(&Figures::of(&result.summary), told);
            }
        }
    }

    /// Keeps the figures of a repeat, and nothing else.
    fn forget(&mut self, figures: &Figures, told: &mut dyn Progress) {
        told.keep_figures(&self.fold.header().instance, figures);
        self.fold.add_figures(figures);
    }
}

/// Traces at hand of one scenario's repeats that passed with a warning; as many more of those that did not pass.
const AT_HAND: usize = 50;
