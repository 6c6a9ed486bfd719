//! Which repeats have the smallest and the largest value of a measured time: they keep their evidence.

use hil_trace::Figures;
use std::collections::{BTreeMap, BTreeSet};

/// The extremes so far, by the name of what is measured. Of equal values the first repetition's counts, in whatever order
/// the repeats end.
#[derive(Default)]
pub(super) struct Extremes {
    /// Smallest, and largest with its sign turned, each with its repetition.
    by_name: BTreeMap<String, [(i64, u32); 2]>,
}

impl Extremes {
    /// Takes in a repeat; says whether it has an extreme now.
    pub(super) fn add(&mut self, figures: &Figures) -> bool {
        let mut extreme = false;
        for figure in &figures.measured {
            let candidates = [(figure.us, figures.repetition), (-figure.us, figures.repetition)];
            match self.by_name.get_mut(&figure.name) {
                Some(known) => {
                    for (known, candidate) in known.iter_mut().zip(candidates) {
                        extreme |= candidate <= *known;
                        *known = candidate.min(*known);
                    }
                }
                None => {
                    self.by_name.insert(figure.name.clone(), candidates);
                    extreme = true;
                }
            }
        }
        extreme
    }

    /// Every repetition that has one.
    pub(super) fn repetitions(&self) -> BTreeSet<u32> {
        let all = self.by_name.values().flatten();
        all.map(|(_, repetition)| *repetition).collect()
    }
}
