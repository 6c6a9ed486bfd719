//! Names in a unit file that only the protocol's catalogue and vocabulary know.

use super::UnitFile;
use hil_diagnostic::{Collector, Diagnostics};

/// Names that mean something for a protocol. An empty list is not checked.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Times, such as `poll_interval`; a time the process itself is told of may have any name.
    pub timing: Vec<String>,
    /// Optional features; `dialect` is always known.
    pub features: Vec<String>,
    /// Probes.
    pub probes: Vec<String>,
    /// Stimuli.
    pub stimuli: Vec<String>,
    /// Declared states.
    pub states: Vec<String>,
    /// Faces of the mock cloud.
    pub cloud_faces: Vec<String>,
}

impl UnitFile {
    /// Reports names nothing would ever read: mostly misspelled ones.
    pub fn check_names(&self, known: &KnownNames) -> Diagnostics {
        let collector = Collector::new(self.source.clone());
        let check = |map: &str, what: &str, name: &str, known: &[String]| {
            if !known.is_empty() && !known.iter().any(|known| known == name) {
                let place = self.place(&format!("{map}.{name}"));
                collector.unknown(&place, what, name, known.iter().map(String::as_str));
            }
        };
        for name in self.timing.keys().filter(|name| !self.tells(name)) {
            check("timing", "time", name, &known.timing);
        }
        for name in self.ics.keys().filter(|name| *name != "dialect") {
            check("ics", "feature", name, &known.features);
        }
        for name in self.probes.keys() {
            check("probes", "probe", name, &known.probes);
        }
        for name in self.stimuli.keys() {
            check("stimuli", "stimulus", name, &known.stimuli);
        }
        for name in self.prepare.keys() {
            check("prepare", "state", name, &known.states);
        }
        for name in self.cloud.ports.keys() {
            check("cloud.ports", "face of the mock cloud", name, &known.cloud_faces);
        }
        collector.into_diagnostics()
    }

    /// Whether the file hands a value on to the process, as a placeholder or by the name of its variable.
    fn tells(&self, name: &str) -> bool {
        let text = self.source.text();
        text.contains(&format!("{{{name}}}")) || text.contains(&format!("HIL_{}", name.to_uppercase()))
    }
}
