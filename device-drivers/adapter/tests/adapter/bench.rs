//! A bench for adapters that are scripts, in real time.

use hil_adapter::{AdapterDriver, Hello};
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
    recorder: Rc<Memory>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Bench {
            folder: tempfile::tempdir().unwrap(),
            recorder: Rc::default(),
        }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A file beside the adapter; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// The unit file of an adapter that is this Python script.
    pub(crate) fn file(&self, script: &str, keys: &str) -> UnitFile {
        fs::write(self.folder.path().join("adapter.py"), script).unwrap();
        let text = format!(
            "name: unit-1\nprotocol: edge-poll\ndriver: adapter\ncommand: [python3, \"{{unit_dir}}/adapter.py\"]\n{keys}\n"
        );
        UnitFile::parse("unit.yaml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    pub(crate) fn surroundings(&self) -> Surroundings {
        let mut endpoints = Endpoints::default();
        endpoints.set("base_url", "http://cloud:1/api/v1");
        endpoints.set("device_key", "secret");
        endpoints.authority = "-----BEGIN CERTIFICATE-----".to_owned();
        Surroundings {
            clock: Clock::new_real(),
            network: Network::Tcp,
            recorder: self.recorder.clone(),
            endpoints,
            artifacts: Default::default(),
            faces: BTreeMap::new(),
            timing: object(json!({"poll_interval": 0.5})),
            ics: Map::new(),
            seed: 7,
            state_directory: Some(self.state()),
        }
    }

    /// A unit whose adapter is this script, which is taken to be what it says.
    pub(crate) fn unit(&self, script: &str, keys: &str) -> Box<dyn Unit> {
        let hello = json!({"protocol": 1, "name": "x", "implements": ["provision", "start", "stop"]});
        let driver = AdapterDriver::new(
            self.file(script, keys),
            self.folder.path(),
            Hello::read(&hello).unwrap(),
        );
        driver.unwrap().create(self.surroundings()).unwrap()
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

    /// What was recorded as the lab's trouble.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let trouble = |body: &RecordBody| match body {
            RecordBody::Trouble { blame, text } => {
                assert_eq!(*blame, Blame::Lab, "{text}");
                Some(text.clone())
            }
            _ => None,
        };
        self.recorder.0.borrow().iter().filter_map(trouble).collect()
    }

    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !reached(self) {
            let late = begun.elapsed() > Duration::from_secs(20);
            assert!(!late, "{what}: {:?}", self.recorder.0.borrow());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// What the lab is told is wrong.
pub(crate) fn lab<T: std::fmt::Debug>(result: Result<T, UnitError>) -> String {
    match result {
        Err(UnitError::Lab(text)) => text,
        other => panic!("not an error of the lab: {other:?}"),
    }
}

/// Runs a test in real time on one thread.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}
