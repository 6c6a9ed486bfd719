//! What an adapter of a unit file said of itself before the run: scenarios are chosen by it.

use hil_adapter::{AdapterDriver, Hello};
use hil_unit::{UnitError, UnitFile};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// An adapter that was asked who it is, and its answer or what was wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Introduced {
    file: UnitFile,
    base: PathBuf,
    hello: Result<Hello, UnitError>,
}

impl Introduced {
    /// Starts the adapter, asks it, and ends it.
    pub(crate) fn of(file: &UnitFile, base: &Path) -> Self {
        Introduced {
            file: file.clone(),
            base: base.to_owned(),
            hello: AdapterDriver::introduce(file, base),
        }
    }

    /// The driver of its units; fails with what is wrong with it.
    pub(crate) fn driver(&self) -> Result<AdapterDriver, UnitError> {
        let hello = self.hello.clone()?;
        AdapterDriver::new(self.file.clone(), &self.base, hello)
            .map_err(|error| UnitError::Lab(error.to_string()))
    }

    /// Probes it answers; unknown if it did not say.
    pub(crate) fn probes(&self) -> Option<BTreeSet<String>> {
        self.hello.as_ref().ok().map(Hello::all_probes)
    }

    /// Stimuli it carries out.
    pub(crate) fn stimuli(&self) -> Option<BTreeSet<String>> {
        self.hello.as_ref().ok().map(Hello::all_stimuli)
    }

    /// Stimuli it can take back.
    pub(crate) fn undoable(&self) -> Option<BTreeSet<String>> {
        self.hello.as_ref().ok().map(Hello::all_undoable)
    }

    /// Whether only one of it may run at a time.
    pub(crate) fn is_alone(&self) -> bool {
        self.hello.as_ref().is_ok_and(|hello| !hello.parallel)
    }
}
