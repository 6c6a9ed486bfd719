//! The driver of units behind an adapter.

use crate::{
    Hello, Request,
    life::Life,
    session::Session,
    unit::{AdapterUnit, introduce, launch},
};
use hil_unit::{
    Capability, Driver, Surroundings, Unit, UnitError, UnitFile,
    trace::{RecordBody, Recorder},
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

/// Starts the adapter of a unit file, once for each unit. Its units run on real benches with a state folder, inside a
/// `LocalSet`.
#[derive(Clone, Debug)]
pub struct AdapterDriver {
    file: UnitFile,
    directory: PathBuf,
    hello: Hello,
}

impl AdapterDriver {
    /// Units of a file that stands in a folder, whose adapter introduced itself so.
    pub fn new(file: UnitFile, directory: &Path, hello: Hello) -> io::Result<Self> {
        let directory = absolute(directory)?;
        Ok(AdapterDriver {
            file,
            directory,
            hello,
        })
    }

    /// Starts the adapter, has it introduce itself and ends it. Blocks; fails with what is wrong with the adapter.
    pub fn introduce(file: &UnitFile, directory: &Path) -> Result<Hello, UnitError> {
        let lab = |error: io::Error| UnitError::Lab(error.to_string());
        let launch = launch(file, &absolute(directory).map_err(lab)?)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(lab)?;
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let mut session = Session::start(&launch, Rc::new(Life::new(Rc::new(Nobody))))?;
            let hello = introduce(&mut session, file).await;
            session.end().await;
            hello
        })
    }
}

impl Driver for AdapterDriver {
    fn capabilities(&self) -> BTreeSet<Capability> {
        let hello = &self.hello;
        let offered = [
            (Capability::Provision, true),
            (Capability::Power, hello.implements(Request::PowerCut)),
            (Capability::Reboot, hello.implements(Request::Reboot)),
            (Capability::Console, hello.tells_console()),
            (Capability::Probe, !hello.all_probes().is_empty()),
            (Capability::Stimulate, !hello.all_stimuli().is_empty()),
            (Capability::Storage, hello.implements(Request::FillStorage)),
            (Capability::Clock, hello.implements(Request::SetClock)),
            (Capability::Boots, hello.tells_boots()),
        ];
        let offered = offered.into_iter().filter(|(_, has)| *has);
        offered.map(|(capability, _)| capability).collect()
    }

    fn facts(&self) -> Map<String, Value> {
        let mut facts = self.file.facts();
        facts.insert("command".to_owned(), self.file.command.join(" ").into());
        let version = self.hello.version.as_deref().unwrap_or_default();
        let name = format!("{} {version}", self.hello.name);
        facts.insert("adapter".to_owned(), name.trim().into());
        facts
    }

    fn create(&self, surroundings: Surroundings) -> Result<Box<dyn Unit>, UnitError> {
        let launch = launch(&self.file, &self.directory)?;
        let unit = AdapterUnit::new(self.file.clone(), self.directory.clone(), launch, surroundings)?;
        Ok(Box::new(unit))
    }
}

/// An empty path is the current folder: `unit.yaml` has the empty path as its parent.
fn absolute(directory: &Path) -> io::Result<PathBuf> {
    let here = directory.as_os_str().is_empty();
    std::path::absolute(if here { Path::new(".") } else { directory })
}

/// Records nothing: an introduction belongs to no instance.
struct Nobody;

impl Recorder for Nobody {
    fn record(&self, _: RecordBody) -> u64 {
        0
    }
}
