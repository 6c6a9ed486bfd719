//! Names in a unit file that only the protocol's catalogue and vocabulary know.

use super::UnitFile;
use hil_diagnostic::{Collector, Diagnostics};

/// Names that mean something for a protocol. An empty list is not checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownNames<'a> {
    /// Times, such as `poll_interval`.
    pub timing: &'a [&'a str],
    /// Optional features; `dialect` is always known.
    pub features: &'a [&'a str],
    /// Probes.
    pub probes: &'a [&'a str],
    /// Stimuli.
    pub stimuli: &'a [&'a str],
}

impl UnitFile {
    /// Reports names nothing would ever read: mostly misspelled ones.
    pub fn check_names(&self, known: &KnownNames<'_>) -> Diagnostics {
        let collector = Collector::new(self.source.clone());
        let check = |map: &str, what: &str, name: &str, known: &[&str]| {
            if !known.is_empty() && !known.contains(&name) {
                let place = self.place(&format!("{map}.{name}"));
                collector.unknown(&place, what, name, known.iter().copied());
            }
        };
        for name in self.timing.keys() {
            check("timing", "time", name, known.timing);
        }
        for name in self.ics.keys().filter(|name| *name != "dialect") {
            check("ics", "feature", name, known.features);
        }
        for name in self.probes.keys() {
            check("probes", "probe", name, known.probes);
        }
        for name in self.stimuli.keys() {
            check("stimuli", "stimulus", name, known.stimuli);
        }
        collector.into_diagnostics()
    }
}
