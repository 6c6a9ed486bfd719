//! The driver of units that are processes.

use crate::{console::ConsoleLimit, unit::ProcessUnit};
use hil_unit::{Capability, Driver, Surroundings, Unit, UnitError, UnitFile};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

/// Starts the command of a unit file. Its units run on real benches with a state folder, inside a `LocalSet`.
#[derive(Clone, Debug)]
pub struct ProcessDriver {
    file: UnitFile,
    directory: PathBuf,
    limit: ConsoleLimit,
}

impl ProcessDriver {
    /// Units of a file that stands in a folder. Fails if the current folder is unknown and the given one relative.
    pub fn new(file: UnitFile, directory: &Path) -> io::Result<Self> {
        // An empty path is the current folder: `unit.yaml` has the empty path as its parent.
        let directory = if directory.as_os_str().is_empty() {
            Path::new(".")
        } else {
            directory
        };
        Ok(ProcessDriver {
            file,
            directory: std::path::absolute(directory)?,
            limit: ConsoleLimit::default(),
        })
    }

    /// Records only so many bytes and reads of each of standard output and standard error in one instance.
    #[must_use]
    pub fn with_console_limit(mut self, bytes: u64, records: u64) -> Self {
        self.limit = ConsoleLimit { bytes, records };
        self
    }
}

impl Driver for ProcessDriver {
    fn capabilities(&self) -> BTreeSet<Capability> {
        let mut capabilities = BTreeSet::from([
            Capability::Power,
            Capability::Reboot,
            Capability::Console,
            Capability::Provision,
            // Any process can be held up.
            Capability::Stimulate,
        ]);
        if !self.file.probes.is_empty() {
            capabilities.insert(Capability::Probe);
        }
        capabilities
    }

    fn facts(&self) -> Map<String, Value> {
        let mut facts = self.file.facts();
        facts.insert("command".to_owned(), self.file.command.join(" ").into());
        facts
    }

    fn create(&self, surroundings: Surroundings) -> Result<Box<dyn Unit>, UnitError> {
        let unit = ProcessUnit::new(
            self.file.clone(),
            self.directory.clone(),
            self.limit,
            surroundings,
        )?;
        Ok(Box::new(unit))
    }
}
