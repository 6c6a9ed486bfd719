//! A bench for processes made of shell scripts, in real time.

use hil_process::ProcessDriver;
use hil_unit::{
    Driver, Endpoints, Surroundings, Unit, UnitError, UnitFile,
    link::{Clock, Network},
    trace::{Blame, ConsoleStream, RecordBody, Recorder, UnitChange},
};
use serde_json::{Map, Value, json};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    future::Future,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

#[derive(Default)]
pub(crate) struct Memory(RefCell<Vec<RecordBody>>);

impl Recorder for Memory {
    fn record(&self, body: RecordBody) -> u64 {
        let mut records = self.0.borrow_mut();
        records.push(body);
        records.len() as u64 - 1
    }
}

pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) endpoints: Endpoints,
    recorder: Rc<Memory>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut endpoints = Endpoints::default();
        endpoints.set("base_url", "http://cloud:1/api/v1");
        endpoints.set("device_key", "secret");
        Bench {
            folder: tempfile::tempdir().unwrap(),
            endpoints,
            recorder: Rc::default(),
        }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A file of the state folder; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.state().join(name)).unwrap_or_default()
    }

    pub(crate) fn driver(&self, keys: &str) -> ProcessDriver {
        let text = format!("name: unit-1\nprotocol: edge-poll\ndriver: process\n{keys}\n");
        let file = UnitFile::parse("unit.yaml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        ProcessDriver::new(file, self.folder.path()).unwrap()
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        Surroundings {
            clock: Clock::new_real(),
            network: Network::Tcp,
            recorder: self.recorder.clone(),
            endpoints: self.endpoints.clone(),
            artifacts: Default::default(),
            faces: BTreeMap::new(),
            timing: object(json!({"poll_interval": 0.5})),
            ics: Map::new(),
            seed: 7,
            state_directory: Some(self.state()),
        }
    }

    pub(crate) fn try_unit(&self, keys: &str) -> Result<Box<dyn Unit>, UnitError> {
        self.driver(keys).create(self.surroundings())
    }

    pub(crate) fn unit(&self, keys: &str) -> Box<dyn Unit> {
        self.try_unit(keys).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A unit that runs this script.
    pub(crate) fn script(&self, script: &str, keys: &str) -> Box<dyn Unit> {
        fs::write(self.folder.path().join("agent.sh"), script).unwrap();
        self.unit(&format!("command: [/bin/sh, \"{{unit_dir}}/agent.sh\"]\n{keys}"))
    }

    /// Changes in the unit's life with their facts.
    pub(crate) fn changes(&self) -> Vec<(UnitChange, Value)> {
        let change = |body: &RecordBody| match body {
            RecordBody::Unit { change, facts } => Some((*change, Value::Object(facts.clone()))),
            _ => None,
        };
        self.recorder.0.borrow().iter().filter_map(change).collect()
    }

    pub(crate) fn console(&self, wanted: ConsoleStream) -> String {
        let mut text = Vec::new();
        for body in self.recorder.0.borrow().iter() {
            if let RecordBody::Console { stream, payload } = body
                && *stream == wanted
            {
                text.extend_from_slice(payload.bytes());
            }
        }
        String::from_utf8(text).unwrap()
    }

    /// What was recorded as the unit's trouble.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let trouble = |body: &RecordBody| match body {
            RecordBody::Trouble {
                blame: Blame::Unit,
                text,
            } => Some(text.clone()),
            _ => None,
        };
        self.recorder.0.borrow().iter().filter_map(trouble).collect()
    }

    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !reached(self) {
            let late = begun.elapsed() > Duration::from_secs(10);
            assert!(!late, "{what}: {:?}", self.recorder.0.borrow());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Runs a test in real time on one thread.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}
