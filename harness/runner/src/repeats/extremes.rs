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
    /// Takes in a repeat that passed; says whether it has an extreme now.
    pub(super) fn add(&mut self, figures: &Figures) -> bool {
        let mut extreme = false;
        for figure in &figures.measured {
            extreme |= self.add_value(&figure.name, figure.us, figures.repetition);
        }
        // Where nothing is measured the first repetition is kept as an example.
        extreme || (figures.measured.is_empty() && self.add_value("", 0, figures.repetition))
    }

    fn add_value(&mut self, name: &str, us: i64, repetition: u32) -> bool {
        let candidates = [(us, repetition), (-us, repetition)];
        let Some(known) = self.by_name.get_mut(name) else {
            self.by_name.insert(name.to_owned(), candidates);
            return true;
        };
        let mut extreme = false;
        for (known, candidate) in known.iter_mut().zip(candidates) {
            extreme |= candidate <= *known;
            *known = candidate.min(*known);
        }
        extreme
    }

    /// Every repetition that has one.
    pub(super) fn repetitions(&self) -> BTreeSet<u32> {
        let all = self.by_name.values().flatten();
        all.map(|(_, repetition)| *repetition).collect()
    }
}
